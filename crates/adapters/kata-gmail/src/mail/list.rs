//! What came with a mail, as a list: nothing of it is fetched or opened.

use std::fmt;

use mail_parser::{Message, MessagePart, MimeHeaders, PartType};

use super::{one_line, short, skeleton::SIZE_HEADER};

/// So many are listed.
const MOST: usize = 50;
const NAME: usize = 120;

/// One attachment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// The name its sender gave it. Untrusted text, never a path.
    pub(crate) name: String,
    pub(crate) mime_type: String,
    /// Bytes.
    pub(crate) size: u64,
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {})", self.name, self.mime_type, bytes(self.size))
    }
}

pub(super) fn attachments(message: &Message<'_>) -> Vec<Listed> {
    message
        .attachments()
        .filter(|part| !is_decoration(part))
        .take(MOST)
        .map(listed)
        .collect()
}

/// A picture inside the text, or the HTML twin of a plain text.
fn is_decoration(part: &MessagePart<'_>) -> bool {
    let is_image = part
        .content_type()
        .is_some_and(|kind| kind.ctype().eq_ignore_ascii_case("image"));
    let is_inline = part.content_disposition().is_some_and(|said| said.is_inline());
    let is_attached = part
        .content_disposition()
        .is_some_and(|said| said.is_attachment());
    is_image && !is_attached && (is_inline || part.content_id().is_some())
        || part.is_text() && part.attachment_name().is_none() && !is_attached
}

fn listed(part: &MessagePart<'_>) -> Listed {
    let kind = part.content_type().map(|kind| match kind.subtype() {
        Some(subtype) => format!("{}/{subtype}", kind.ctype()),
        None => kind.ctype().to_owned(),
    });
    let kind = kind.unwrap_or_else(|| "application/octet-stream".to_owned());
    let name = part.attachment_name().map(one_line);
    let name = name.filter(|name| !name.is_empty());
    let fallback = match &part.body {
        PartType::Message(inner) => inner.subject().map(one_line),
        _ => None,
    };
    Listed {
        name: short(
            &name.or(fallback).unwrap_or_else(|| "without a name".into()),
            NAME,
        ),
        mime_type: short(&one_line(&kind).to_lowercase(), NAME),
        size: told_size(part).unwrap_or_else(|| part.len() as u64),
    }
}

/// What Gmail said of a part that was not fetched.
fn told_size(part: &MessagePart<'_>) -> Option<u64> {
    let header = part.headers.iter().find(|header| header.name() == SIZE_HEADER)?;
    header.value().as_text()?.trim().parse().ok()
}

fn bytes(size: u64) -> String {
    match size {
        0..1_000 => format!("{size} bytes"),
        1_000..1_000_000 => format!("{} kB", size / 1_000),
        _ => format!("{}.{} MB", size / 1_000_000, size % 1_000_000 / 100_000),
    }
}
