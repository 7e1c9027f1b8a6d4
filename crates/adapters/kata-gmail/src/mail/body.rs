//! What of a mail is its text: the plain part, or the HTML made readable.

use mail_parser::{Message, PartType};

use super::html;

/// Text beyond this is left out, and its absence said. Bytes.
const LONGEST: usize = 200 << 10;

/// The text of a mail, and what of it is not as a reader sees it.
pub(super) fn of(message: &Message<'_>) -> (String, Option<&'static str>) {
    let (mut text, mut note) = parts(message, &message.text_body);
    if text.trim().is_empty() {
        (text, note) = parts(message, &message.html_body);
    }
    (bounded(text.replace("\r\n", "\n").replace('\0', "")), note)
}

fn parts(message: &Message<'_>, ids: &[u32]) -> (String, Option<&'static str>) {
    let mut note = None;
    let mut texts = Vec::new();
    for part in ids.iter().filter_map(|&id| message.parts.get(id as usize)) {
        let text = match &part.body {
            PartType::Text(text) => text.clone().into_owned(),
            PartType::Html(html) => {
                let read = html::readable(html);
                note = note.or(read.note);
                read.text
            }
            _ => continue,
        };
        if !text.trim().is_empty() {
            texts.push(text);
        }
    }
    (texts.join("\n\n"), note)
}

fn bounded(mut text: String) -> String {
    if text.len() > LONGEST {
        text.truncate(floor(&text, LONGEST));
        text.push_str("\n[the mail is longer; the rest is left out]");
    }
    text
}

pub(super) fn floor(text: &str, most: usize) -> usize {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    end
}
