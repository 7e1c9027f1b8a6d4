//! Cuts results that are too long for an agent. Outside the tool, inside whatever carries the result away.

use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use kata_perm::ToolCall;
use serde_json::{Value, json};
use tower::{Layer, Service};

use super::Error;
use crate::tool::ToolOutput;

/// What `{"truncated":true,"bytes":…,"text":""}` takes, with room for any number.
const ENVELOPE_BYTES: usize = 64;

/// Bounds results.
#[derive(Clone, Copy, Debug)]
pub struct BoundLayer {
    bytes: usize,
}

/// Passes a result on as it is, or what fits of it: `{"truncated": true, "bytes": n, "text": "its beginning"}`, where `n` is how
/// long it was.
#[derive(Clone, Copy, Debug)]
pub struct Bound<S> {
    inner: S,
    bytes: usize,
}

// === impl BoundLayer ===

impl BoundLayer {
    /// A result is at most `bytes` long, as JSON. A bound below 64 bytes cuts to no text at all.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self { bytes }
    }
}

impl<S> Layer<S> for BoundLayer {
    type Service = Bound<S>;

    fn layer(&self, inner: S) -> Bound<S> {
        Bound {
            inner,
            bytes: self.bytes,
        }
    }
}

// === impl Bound ===

impl<S> Service<ToolCall> for Bound<S>
where
    S: Service<ToolCall, Response = ToolOutput>,
    S::Error: Into<Error>,
    S::Future: Send + 'static,
{
    type Response = ToolOutput;
    type Error = Error;
    type Future = BoxFuture<'static, Result<ToolOutput, Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, call: ToolCall) -> Self::Future {
        let bytes = self.bytes;
        let run = self.inner.call(call);
        Box::pin(async move {
            let ToolOutput { content } = run.await.map_err(Into::into)?;
            Ok(ToolOutput::json(bounded(content, bytes)))
        })
    }
}

fn bounded(content: Value, bytes: usize) -> Value {
    let whole = content.to_string();
    if whole.len() <= bytes {
        return content;
    }
    let text = match &content {
        Value::String(text) => text.as_str(),
        _ => whole.as_str(),
    };
    let room = bytes.saturating_sub(ENVELOPE_BYTES);
    json!({"truncated": true, "bytes": whole.len(), "text": beginning(text, room)})
}

/// As much of a text as takes no more than `room` bytes inside a JSON string.
fn beginning(text: &str, room: usize) -> &str {
    let mut taken = 0;
    for (at, c) in text.char_indices() {
        taken += written_bytes(c);
        if taken > room {
            return &text[..at];
        }
    }
    text
}

/// What a character takes inside a JSON string, as serde_json writes it.
fn written_bytes(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        c => c.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tower::ServiceExt as _;
    use tower_test::mock;

    use super::*;
    use crate::sample;

    #[tokio::test]
    async fn a_result_over_the_bound_says_how_long_it_was_and_how_it_begins() {
        let (inner, mut handle) = mock::pair::<ToolCall, ToolOutput>();
        let service = BoundLayer::new(100).layer(inner);
        let (answer, ()) = tokio::join!(service.oneshot(sample::call()), async {
            let long = ToolOutput::json(json!(["é".repeat(1000)]));
            handle.next_request().await.unwrap().1.send_response(long);
        });
        let content = answer.unwrap().content;
        assert_eq!(
            (&content["truncated"], &content["bytes"]),
            (&json!(true), &json!(2004))
        );
        let text = content["text"].as_str().unwrap();
        assert!(text.starts_with("[\"éé"), "{text}");
    }

    #[test]
    fn a_result_within_the_bound_is_as_it_was() {
        let content = json!({"text": "x".repeat(100)});
        let bytes = content.to_string().len();
        assert_eq!(bounded(content.clone(), bytes), content);
        assert_ne!(bounded(content.clone(), bytes - 1), content);
    }

    proptest! {
        #[test]
        fn no_result_is_longer_than_its_bound(text in any::<String>(), times in 0_usize..40, bytes in 64_usize..2000, wrap: bool) {
            let text = text.repeat(times);
            let content = if wrap { json!([text]) } else { json!(text) };
            let cut = bounded(content.clone(), bytes);
            prop_assert!(cut.to_string().len() <= bytes);
            let whole = if wrap { content.to_string() } else { text };
            prop_assert!(cut == content || whole.starts_with(cut["text"].as_str().unwrap()));
        }
    }
}
