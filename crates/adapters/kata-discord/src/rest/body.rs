//! What a call brings along: nothing, JSON, or a form with files.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::Value;

/// The body of a request.
pub(crate) struct Body {
    /// Its media type; none where there is no body.
    pub(super) kind: Option<Cow<'static, str>>,
    pub(super) bytes: Bytes,
}

/// A file that goes out with a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct File<'a> {
    /// Its name. Without quotes and line breaks, which would end its place in the form.
    pub(crate) name: &'a str,
    /// Its media type.
    pub(crate) kind: &'a str,
    /// Its bytes.
    pub(crate) content: &'a [u8],
}

// === impl Body ===

impl Body {
    pub(super) fn none() -> Self {
        Self {
            kind: None,
            bytes: Bytes::new(),
        }
    }

    pub(super) fn json(text: Vec<u8>) -> Self {
        Self {
            kind: Some(Cow::Borrowed("application/json")),
            bytes: text.into(),
        }
    }

    /// `payload_json`, and each file as `files[n]`: <https://docs.discord.com/developers/reference#uploading-files>.
    pub(super) fn form(payload: &Value, files: &[File<'_>]) -> Self {
        let payload = payload.to_string();
        let boundary = boundary(&payload, files);
        let mut body = Vec::new();
        let mut part = |head: &str, content: &[u8]| {
            body.extend_from_slice(
                format!("--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n").as_bytes(),
            );
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        };
        part(
            "name=\"payload_json\"\r\nContent-Type: application/json",
            payload.as_bytes(),
        );
        for (n, File { name, kind, content }) in files.iter().enumerate() {
            let head = format!("name=\"files[{n}]\"; filename=\"{name}\"\r\nContent-Type: {kind}");
            part(&head, content);
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        Self {
            kind: Some(format!("multipart/form-data; boundary={boundary}").into()),
            bytes: body.into(),
        }
    }
}

/// What stands between the parts, and in none of them.
fn boundary(payload: &str, files: &[File<'_>]) -> String {
    let holds = |content: &[u8], boundary: &str| {
        content
            .windows(boundary.len())
            .any(|part| part == boundary.as_bytes())
    };
    let mut boundary = String::from("katad-part");
    while holds(payload.as_bytes(), &boundary) || files.iter().any(|file| holds(file.content, &boundary)) {
        boundary.push('-');
    }
    boundary
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_content_ends_its_part() {
        let content = b"a\r\n--katad-part--\r\n--katad-part-\r\nb";
        let file = File {
            name: "a.txt",
            kind: "text/plain",
            content,
        };
        let body = Body::form(&json!({}), &[file]);
        assert_eq!(
            body.kind.as_deref(),
            Some("multipart/form-data; boundary=katad-part---")
        );
        let text = String::from_utf8(body.bytes.to_vec()).unwrap();
        assert_eq!(
            text.matches("--katad-part---").count(),
            3,
            "two parts and the end"
        );
    }
}
