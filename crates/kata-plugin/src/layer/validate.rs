//! Refuses calls of tools that are not there, and inputs that do not fit. Outermost: a person is not asked about a call that
//! could not run.

use std::task::{Context, Poll};

use futures_util::future::{self, BoxFuture, FutureExt as _};
use kata_perm::ToolCall;
use tower::{Layer, Service};

use super::{Error, UnknownTool};
use crate::{registered::ToolSet, schema::Misfit, tool::ToolOutput};

/// Validates calls.
#[derive(Clone, Debug)]
pub struct ValidateLayer {
    tools: ToolSet,
}

/// Looks at each call before the wrapped service sees it.
#[derive(Clone, Debug)]
pub struct Validate<S> {
    inner: S,
    tools: ToolSet,
}

/// The input does not fit the tool's schema. Says where and what is expected, and nothing of the input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the input of {tool} does not fit its schema: {misfit}")]
pub struct Invalid {
    tool: &'static str,
    misfit: Misfit,
}

// === impl ValidateLayer ===

impl ValidateLayer {
    /// Lets calls of `tools` through whose input fits.
    #[must_use]
    pub fn new(tools: ToolSet) -> Self {
        Self { tools }
    }
}

impl<S> Layer<S> for ValidateLayer {
    type Service = Validate<S>;

    fn layer(&self, inner: S) -> Validate<S> {
        Validate {
            inner,
            tools: self.tools.clone(),
        }
    }
}

// === impl Validate ===

impl<S> Validate<S> {
    fn check(&self, call: &ToolCall) -> Result<(), Error> {
        let tool = self
            .tools
            .get(&call.tool)
            .ok_or_else(|| UnknownTool::new(&call.tool))?;
        tool.check(&call.input).map_err(|misfit| {
            let tool = tool.spec.name;
            Invalid { tool, misfit }.into()
        })
    }
}

impl<S> Service<ToolCall> for Validate<S>
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
        if let Err(refused) = self.check(&call) {
            return future::ready(Err(refused)).boxed();
        }
        let run = self.inner.call(call);
        Box::pin(async move { run.await.map_err(Into::into) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tower::ServiceExt as _;
    use tower_test::mock;

    use super::*;
    use crate::sample;

    /// What becomes of a call when nothing behind the layer answers it.
    async fn refused(tool: &str, input: Value) -> Error {
        let (inner, mut handle) = mock::pair::<ToolCall, ToolOutput>();
        handle.allow(1);
        let tools = sample::set([sample::spec(sample::Echo)]);
        let service = ValidateLayer::new(tools).layer(inner);
        let refused = service.oneshot(ToolCall::new(tool, input)).await.unwrap_err();
        assert!(handle.next_request().await.is_none(), "nothing was passed on");
        refused
    }

    #[tokio::test]
    async fn a_tool_that_is_not_there_is_refused() {
        for name in ["slack_echo2", "Slack_echo", ""] {
            assert!(
                refused(name, json!({"text": "x"})).await.is::<UnknownTool>(),
                "{name}"
            );
        }
    }

    #[tokio::test]
    async fn an_input_that_does_not_fit_never_reaches_the_gate() {
        let error = refused("slack_echo", json!({"text": 7})).await;
        assert!(error.is::<Invalid>());
        assert_eq!(
            error.to_string(),
            "the input of slack_echo does not fit its schema: at /text: expected string"
        );
        assert!(refused("slack_echo", Value::Null).await.is::<Invalid>());
    }

    #[tokio::test]
    async fn a_call_that_fits_passes_as_it_is() {
        let (inner, mut handle) = mock::pair::<ToolCall, ToolOutput>();
        let service = ValidateLayer::new(sample::set([sample::spec(sample::Echo)])).layer(inner);
        let call = ToolCall::new("slack_echo", json!({"text": "hi"}));
        let (answer, seen) = tokio::join!(service.oneshot(call.clone()), async {
            let (seen, respond) = handle.next_request().await.unwrap();
            respond.send_response(ToolOutput::json(json!(1)));
            seen
        });
        assert_eq!((answer.unwrap().content, seen), (json!(1), call));
    }
}
