//! Ends a call that takes too long. Inside the limit, so that waiting for a slot is no part of it; inside the gate, so that a
//! person who takes minutes is not either.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use kata_perm::ToolCall;
use tower::{Layer, Service};

use super::Error;
use crate::{
    registered::{RegisteredTool, ToolSet},
    tool::{ToolError, ToolOutput},
};

/// Gives each call the same time.
#[derive(Clone, Debug)]
pub struct ToolTimeoutLayer {
    tools: ToolSet,
    limit: Duration,
}

/// Drops a call at its end. What was dropped may have been done: where the tool changes anything, the error says so, and the
/// agent can look before it calls again.
#[derive(Clone, Debug)]
pub struct ToolTimeout<S> {
    inner: S,
    tools: ToolSet,
    limit: Duration,
}

// === impl ToolTimeoutLayer ===

impl ToolTimeoutLayer {
    /// A call of one of `tools` ends `limit` after it began at the latest.
    #[must_use]
    pub fn new(tools: ToolSet, limit: Duration) -> Self {
        Self { tools, limit }
    }
}

impl<S> Layer<S> for ToolTimeoutLayer {
    type Service = ToolTimeout<S>;

    fn layer(&self, inner: S) -> ToolTimeout<S> {
        ToolTimeout {
            inner,
            tools: self.tools.clone(),
            limit: self.limit,
        }
    }
}

// === impl ToolTimeout ===

impl<S> Service<ToolCall> for ToolTimeout<S>
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
        let name = call.tool.clone();
        let may_have_happened = self
            .tools
            .get(&name)
            .is_some_and(RegisteredTool::may_have_happened);
        let limit = self.limit;
        let run = tokio::time::timeout(limit, self.inner.call(call));
        Box::pin(async move {
            match run.await {
                Ok(outcome) => outcome.map_err(Into::into),
                Err(_) if may_have_happened => Err(ToolError::Unknown(format!(
                    "{name} did not end within {limit:?}; it may or may not have been done"
                ))
                .into()),
                Err(_) => Err(ToolError::Late(format!("{name} did not end within {limit:?}")).into()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tower::ServiceExt as _;
    use tower_test::mock::{self, Handle, Mock};

    use super::*;
    use crate::{
        sample,
        tool::{SideEffect, ToolSpec},
    };

    const LIMIT: Duration = Duration::from_secs(60);

    fn layered(
        side_effect: SideEffect,
    ) -> (
        ToolTimeout<Mock<ToolCall, ToolOutput>>,
        Handle<ToolCall, ToolOutput>,
    ) {
        let spec = ToolSpec {
            side_effect,
            ..sample::spec(sample::Echo)
        };
        let (inner, handle) = mock::pair();
        (
            ToolTimeoutLayer::new(sample::set([spec]), LIMIT).layer(inner),
            handle,
        )
    }

    async fn late(side_effect: SideEffect) -> ToolError {
        let (service, mut handle) = layered(side_effect);
        let (answer, _asked) = tokio::join!(service.oneshot(sample::call()), handle.next_request());
        *answer.unwrap_err().downcast::<ToolError>().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_call_that_changes_something_may_have_been_done() {
        assert!(matches!(late(SideEffect::EveryTime).await, ToolError::Unknown(_)));
        assert!(matches!(
            late(SideEffect::Idempotent).await,
            ToolError::Unknown(_)
        ));
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_call_that_changes_nothing_is_only_late() {
        assert!(matches!(late(SideEffect::None).await, ToolError::Late(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_ends_in_time_passes_as_it_is() {
        let (service, mut handle) = layered(SideEffect::EveryTime);
        let (answer, ()) = tokio::join!(service.oneshot(sample::call()), async {
            let (_, respond) = handle.next_request().await.unwrap();
            tokio::time::sleep(LIMIT - Duration::from_millis(1)).await;
            respond.send_response(ToolOutput::json(json!(1)));
        });
        assert_eq!(answer.unwrap().content, json!(1));
    }
}
