//! A mail as the API tells it: its structure, with texts in UTF-8 and what is large left out
//! (<https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages#MessagePart>).

use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use mail_parser::{Message, MessageParser, MimeHeaders as _, PartType};
use serde_json::{Value, json};

use super::state::Stored;

/// Parts that are larger are told by an attachment id.
const INLINE: usize = 8 << 10;

/// `full`, `metadata` with these headers (none = all), `minimal` or `raw`.
pub(super) fn tell(stored: &Stored, format: &str, headers: &[String]) -> Value {
    let mut told = json!({
        "id": stored.id,
        "threadId": stored.thread,
        "labelIds": stored.labels,
        "snippet": stored.text().chars().take(100).collect::<String>(),
        "historyId": stored.history.to_string(),
        "internalDate": stored.date.to_string(),
        "sizeEstimate": stored.raw.len(),
    });
    match format {
        "raw" => told["raw"] = URL_SAFE.encode(&stored.raw).into(),
        "minimal" => {}
        "metadata" => {
            told["payload"] = json!({"mimeType": "text/plain", "headers": all_headers(stored, headers)})
        }
        _ => {
            if let Some(message) = MessageParser::default().parse(&stored.raw) {
                told["payload"] = part(&message, 0, "");
            }
        }
    }
    told
}

fn all_headers(stored: &Stored, wanted: &[String]) -> Vec<Value> {
    let Some(message) = MessageParser::default().parse(&stored.raw) else {
        return Vec::new();
    };
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|one| one.eq_ignore_ascii_case(name));
    headers(&message, 0)
        .into_iter()
        .filter(|header| header["name"].as_str().is_some_and(is_wanted))
        .collect()
}

fn headers(message: &Message<'_>, id: usize) -> Vec<Value> {
    let Some(part) = message.parts.get(id) else {
        return Vec::new();
    };
    let header = |header: &mail_parser::Header<'_>| {
        let range = header.offset_start as usize..header.offset_end as usize;
        let raw = String::from_utf8_lossy(message.raw_message.get(range).unwrap_or_default());
        let unfolded: String = raw.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        json!({"name": header.name(), "value": unfolded.trim()})
    };
    part.headers.iter().map(header).collect()
}

fn part(message: &Message<'_>, id: usize, name: &str) -> Value {
    let Some(this) = message.parts.get(id) else {
        return Value::Null;
    };
    let kind = this.content_type().map_or_else(
        || "text/plain".to_owned(),
        |kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()),
    );
    let mut told = json!({
        "partId": name, "mimeType": kind, "filename": this.attachment_name().unwrap_or_default(),
        "headers": headers(message, id),
    });
    if let PartType::Multipart(children) = &this.body {
        let child = |(n, id): (usize, &u32)| part(message, *id as usize, &format!("{name}{n}"));
        told["body"] = json!({"size": 0});
        told["parts"] = children.iter().enumerate().map(child).collect();
        return told;
    }
    let bytes = this.contents();
    told["body"] = match this.attachment_name().is_some() || bytes.len() > INLINE && !this.is_text() {
        true => json!({"attachmentId": format!("ANGjdJ{id}"), "size": bytes.len()}),
        false => json!({"size": bytes.len(), "data": URL_SAFE.encode(bytes)}),
    };
    told
}
