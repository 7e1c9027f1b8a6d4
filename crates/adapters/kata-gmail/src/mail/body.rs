//! What of a mail is its text: the plain part, or the HTML made readable.

use mail_parser::{Message, MessagePart, PartType};

/// Text beyond this is left out, and its absence said. Bytes.
const LONGEST: usize = 200 << 10;
/// HTML that is larger is read up to here: marketing mail carries megabytes of it.
const LONGEST_HTML: usize = 1 << 20;
/// The width that HTML is laid out for. It wraps tables; a paragraph is one line.
const WIDTH: usize = 10_000;

pub(super) fn of(message: &Message<'_>) -> String {
    let mut text = parts(message, &message.text_body);
    if text.trim().is_empty() {
        text = parts(message, &message.html_body);
    }
    bounded(text.replace("\r\n", "\n").replace('\0', ""))
}

fn parts(message: &Message<'_>, ids: &[u32]) -> String {
    let all = ids.iter().filter_map(|&id| message.parts.get(id as usize));
    let texts: Vec<String> = all
        .filter_map(text)
        .filter(|text| !text.trim().is_empty())
        .collect();
    texts.join("\n\n")
}

fn text(part: &MessagePart<'_>) -> Option<String> {
    match &part.body {
        PartType::Text(text) => Some(text.clone().into_owned()),
        PartType::Html(html) => Some(readable(html)),
        _ => None,
    }
}

/// HTML as text: quotes as `> `, lists as lists, links as their text, nothing of styles and pictures.
pub(super) fn readable(html: &str) -> String {
    let html = &html[..floor(html, LONGEST_HTML)];
    html2text::config::plain_no_decorate()
        .allow_width_overflow()
        .no_table_borders()
        .string_from_read(html.as_bytes(), WIDTH)
        // What cannot be laid out is still shown, with less grace.
        .unwrap_or_else(|_| mail_parser::decoders::html::html_to_text(html))
}

fn bounded(mut text: String) -> String {
    if text.len() > LONGEST {
        text.truncate(floor(&text, LONGEST));
        text.push_str("\n[the mail is longer; the rest is left out]");
    }
    text
}

fn floor(text: &str, most: usize) -> usize {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    end
}
