//! One span a request, so that every log line below says which channel and message it is about.

use std::task::{Context, Poll};

use tower::{Layer, Service};
use tracing::{
    Span,
    instrument::{Instrument, Instrumented},
};

use crate::{inbound::Page, outbound::Outbound};

/// The names of log and span fields, and there are no others: what is found under one of them in one line is found under it in all.
pub const FIELDS: [&str; 7] = [
    "channel",
    "conversation",
    "msg",
    "turn",
    "tool",
    "attempt",
    "error",
];

/// A request that can say what it is about.
pub trait Traced {
    /// A span whose fields are among [`FIELDS`]. It names, it does not quote: no text of a message, no token.
    fn span(&self) -> Span;
}

impl Traced for Page {
    fn span(&self) -> Span {
        match self.messages.as_slice() {
            [] => tracing::info_span!("admit"),
            [one] => {
                tracing::info_span!("admit", channel = %one.channel, conversation = %one.place.conversation, msg = %one.id)
            }
            [first, ..] => {
                tracing::info_span!("admit", channel = %first.channel, conversation = %first.place.conversation)
            }
        }
    }
}

impl Traced for Outbound {
    fn span(&self) -> Span {
        tracing::info_span!("send", channel = %self.channel, conversation = %self.place.conversation, msg = %self.key)
    }
}

/// Puts a [`Spanned`] around a service. Outermost: every layer below logs inside its span.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpanLayer;

/// Runs each request in its own span.
#[derive(Clone, Copy, Debug)]
pub struct Spanned<S> {
    inner: S,
}

// === impl SpanLayer ===

impl<S> Layer<S> for SpanLayer {
    type Service = Spanned<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Spanned { inner }
    }
}

// === impl Spanned ===

impl<S, R> Service<R> for Spanned<S>
where
    S: Service<R>,
    R: Traced,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Instrumented<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let span = request.span();
        // Entered for the call as well: a layer may log before it returns its future.
        let future = span.in_scope(|| self.inner.call(request));
        future.instrument(span)
    }
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt;
    use tracing::{
        Event, Metadata, Subscriber,
        span::{Attributes, Id, Record},
    };

    use super::*;
    use crate::{
        id::{ChannelKey, Place},
        outbound::IdempotencyKey,
        time::Timestamp,
    };

    /// Listens to everything and keeps nothing: spans are switched off where nobody listens.
    struct Listener;

    impl Subscriber for Listener {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, _: &Event<'_>) {}

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    fn out() -> Outbound {
        Outbound {
            channel: ChannelKey::new("w1", "team"),
            place: Place::conversation("C1"),
            reply_to: None,
            text: "not for the log".into(),
            key: IdempotencyKey("k1".into()),
            part: 1,
            of: 1,
            metadata: serde_json::Map::new(),
            choices: Vec::new(),
            created_at: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn spans_use_the_listed_names_alone() {
        tracing::subscriber::with_default(Listener, || {
            for span in [out().span(), Page::pushed(Vec::new()).span()] {
                let metadata = span.metadata().expect("somebody listens");
                for field in metadata.fields() {
                    assert!(
                        FIELDS.contains(&field.name()),
                        "{field} is not among the listed names"
                    );
                }
            }
        });
    }

    #[tokio::test]
    async fn a_request_passes_through_its_span_unchanged() {
        let echo = tower::service_fn(async |out: Outbound| Ok::<_, std::convert::Infallible>(out));
        assert_eq!(SpanLayer.layer(echo).oneshot(out()).await, Ok(out()));
    }
}
