//! A large mail without what makes it large. Gmail tells a mail's structure with the texts in it and the attachments left
//! out; from that a mail is built that is read as any other.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use google_gmail1::api::MessagePart;

/// How large a part was that is not there.
pub(super) const SIZE_HEADER: &str = "X-Kata-Size";
/// Mails nest no deeper. What does is not for reading.
const DEEPEST: usize = 30;

/// The mail that `root` describes.
pub(crate) fn skeleton(root: &MessagePart) -> Vec<u8> {
    let mut out = Vec::new();
    write(root, 0, &mut out);
    out
}

fn write(part: &MessagePart, depth: usize, out: &mut Vec<u8>) {
    let children = part.parts.as_deref().unwrap_or_default();
    let boundary = format!("kata-skeleton-{depth}");
    let nests = !children.is_empty() && depth < DEEPEST;
    for header in part.headers.iter().flatten() {
        let name = header.name.as_deref().unwrap_or_default();
        let value = header.value.as_deref().unwrap_or_default();
        let is_ours = name.eq_ignore_ascii_case("Content-Transfer-Encoding")
            || name.eq_ignore_ascii_case("Content-Type") && (nests || is_utf8(part))
            || name.eq_ignore_ascii_case(SIZE_HEADER);
        if !is_ours {
            line(out, name, value);
        }
    }
    if nests {
        let subtype = part
            .mime_type
            .as_deref()
            .and_then(|kind| kind.strip_prefix("multipart/"));
        let subtype = subtype.unwrap_or("mixed");
        line(
            out,
            "Content-Type",
            &format!("multipart/{subtype}; boundary=\"{boundary}\""),
        );
        out.extend(b"\r\n");
        for child in children {
            out.extend(format!("--{boundary}\r\n").bytes());
            write(child, depth + 1, out);
        }
        out.extend(format!("--{boundary}--\r\n").bytes());
        return;
    }
    leaf(part, out);
}

fn leaf(part: &MessagePart, out: &mut Vec<u8>) {
    let body = part.body.as_ref();
    let data = body.and_then(|body| body.data.as_deref()).unwrap_or_default();
    if data.is_empty() {
        let size = body.and_then(|body| body.size).unwrap_or_default();
        line(out, SIZE_HEADER, &size.to_string());
    }
    if is_utf8(part) {
        let kind = part.mime_type.as_deref().unwrap_or("text/plain");
        line(out, "Content-Type", &format!("{kind}; charset=utf-8"));
    }
    line(out, "Content-Transfer-Encoding", "base64");
    out.extend(b"\r\n");
    for chunk in data.chunks(57) {
        out.extend(STANDARD.encode(chunk).bytes());
        out.extend(b"\r\n");
    }
}

/// Gmail tells most texts in UTF-8, whatever charset their header still names; some are told as they were sent. Bytes that are
/// UTF-8 by chance are rare, but for ASCII, which means the same in all of them but those that switch by escapes.
fn is_utf8(part: &MessagePart) -> bool {
    let data = part
        .body
        .as_ref()
        .and_then(|body| body.data.as_deref())
        .unwrap_or_default();
    let is_text = part
        .mime_type
        .as_deref()
        .is_some_and(|kind| kind.starts_with("text/"));
    is_text && !data.is_ascii() && !data.contains(&0x1b) && std::str::from_utf8(data).is_ok()
}

/// A header may not begin another one.
fn line(out: &mut Vec<u8>, name: &str, value: &str) {
    let value: String = value
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b':') {
        out.extend(format!("{name}: {value}\r\n").bytes());
    }
}
