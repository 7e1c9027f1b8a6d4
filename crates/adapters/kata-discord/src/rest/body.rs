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
        let boundary = boundary();
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

/// What stands between the parts: nobody who writes a file knows it beforehand. At most 70 characters:
/// <https://datatracker.ietf.org/doc/html/rfc2046#section-5.1.1>.
fn boundary() -> String {
    format!("katad-{:032x}", rand::random::<u128>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_file_stands_in_the_form_byte_by_byte_behind_what_is_said_of_it() {
        let content = b"a\r\n--katad--\r\n\0\xff";
        let file = File {
            name: "a.bin",
            kind: "application/octet-stream",
            content,
        };
        let body = Body::form(&json!({"content": "x"}), &[file]);
        let kind = body.kind.unwrap();
        let (form, boundary) = kind.split_once("; boundary=").unwrap();
        assert_eq!(form, "multipart/form-data");
        assert!(boundary.len() <= 70);
        let head = |said: &str| format!("--{boundary}\r\nContent-Disposition: form-data; {said}\r\n\r\n");
        let mut wanted = head("name=\"payload_json\"\r\nContent-Type: application/json").into_bytes();
        wanted.extend_from_slice(b"{\"content\":\"x\"}\r\n");
        let of_file = "name=\"files[0]\"; filename=\"a.bin\"\r\nContent-Type: application/octet-stream";
        wanted.extend_from_slice(head(of_file).as_bytes());
        wanted.extend_from_slice(content);
        wanted.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        assert_eq!(body.bytes, wanted);
    }
}
