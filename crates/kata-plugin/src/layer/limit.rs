//! So many calls of a session at once. Inside the gate, over the timeout: a call that waits for a slot has its whole time
//! before it.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use kata_perm::ToolCall;
use tokio::sync::Semaphore;
use tower::{
    Layer, Service, ServiceExt as _,
    limit::{ConcurrencyLimit, GlobalConcurrencyLimitLayer},
};

use super::Error;
use crate::tool::ToolOutput;

/// One for a session: all stacks that are made with it, or with a clone of it, share its slots.
#[derive(Clone, Debug)]
pub struct ToolLimitLayer {
    shared: GlobalConcurrencyLimitLayer,
}

/// Lets a call wait for a slot once it is called, and not before: tower's own limit takes the slot in `poll_ready`, and a gate
/// outside would hold it for as long as a person thinks.
#[derive(Clone, Debug)]
pub struct ToolLimit<S> {
    inner: ConcurrencyLimit<S>,
}

// === impl ToolLimitLayer ===

impl ToolLimitLayer {
    /// At most `calls` at once.
    #[must_use]
    pub fn new(calls: usize) -> Self {
        let slots = Arc::new(Semaphore::new(calls));
        Self {
            shared: GlobalConcurrencyLimitLayer::with_semaphore(slots),
        }
    }
}

impl<S> Layer<S> for ToolLimitLayer {
    type Service = ToolLimit<S>;

    fn layer(&self, inner: S) -> ToolLimit<S> {
        ToolLimit {
            inner: self.shared.layer(inner),
        }
    }
}

// === impl ToolLimit ===

impl<S> Service<ToolCall> for ToolLimit<S>
where
    S: Service<ToolCall, Response = ToolOutput> + Clone + Send + 'static,
    S::Error: Into<Error>,
    S::Future: Send + 'static,
{
    type Response = ToolOutput;
    type Error = Error;
    type Future = BoxFuture<'static, Result<ToolOutput, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: ToolCall) -> Self::Future {
        let inner = self.inner.clone();
        Box::pin(async move { inner.oneshot(call).await.map_err(Into::into) })
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, task::Poll};

    use futures_util::poll;
    use serde_json::json;
    use tower_test::mock;

    use super::*;
    use crate::sample;

    #[tokio::test]
    async fn two_stacks_of_a_session_share_its_slots() {
        let limit = ToolLimitLayer::new(1);
        let (inner, mut handle) = mock::pair::<ToolCall, ToolOutput>();
        handle.allow(2);
        let (one, other) = (limit.layer(inner.clone()), limit.clone().layer(inner));
        let mut first = pin!(one.oneshot(sample::call()));
        assert!(poll!(&mut first).is_pending());
        let (_, respond) = handle.next_request().await.unwrap();
        let mut second = pin!(other.oneshot(sample::call()));
        assert!(poll!(&mut second).is_pending());
        assert!(
            poll!(pin!(handle.next_request())).is_pending(),
            "it waits for the slot"
        );
        respond.send_response(ToolOutput::json(json!(1)));
        assert!(matches!(poll!(&mut first), Poll::Ready(Ok(_))));
        assert!(poll!(&mut second).is_pending());
        let (_, respond) = handle.next_request().await.unwrap();
        respond.send_response(ToolOutput::json(json!(2)));
        assert!(matches!(poll!(&mut second), Poll::Ready(Ok(_))));
    }

    #[tokio::test]
    async fn a_stack_that_is_ready_holds_no_slot() {
        let limit = ToolLimitLayer::new(1);
        let (inner, mut handle) = mock::pair::<ToolCall, ToolOutput>();
        handle.allow(1);
        // As the gate does while a person is asked.
        let mut asking = limit.layer(inner.clone());
        asking.ready().await.unwrap();
        let (answer, ()) = tokio::join!(limit.layer(inner).oneshot(sample::call()), async {
            handle
                .next_request()
                .await
                .unwrap()
                .1
                .send_response(ToolOutput::json(json!(1)));
        });
        answer.unwrap();
    }
}
