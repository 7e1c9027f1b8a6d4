//! Calls the tool. Innermost.

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::{BoxFuture, FutureExt as _};
use kata_perm::ToolCall;
use tower::Service;

use super::Error;
use crate::{
    registered::{RegisteredTool, ToolSet},
    tool::{ToolContext, ToolError, ToolOutput},
};

/// A name that nobody knows is repeated up to this length: it may be anything.
const NAMED_CHARS: usize = 64;

/// Calls tools by name, on behalf of one session.
#[derive(Clone, Debug)]
pub struct Tools {
    tools: ToolSet,
    context: Arc<ToolContext>,
}

/// There is no such tool.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no tool {name:?} here")]
pub struct UnknownTool {
    name: String,
}

// === impl Tools ===

impl Tools {
    /// Calls `tools` on behalf of the session in `context`.
    #[must_use]
    pub fn new(tools: ToolSet, context: Arc<ToolContext>) -> Self {
        Self { tools, context }
    }
}

impl Service<ToolCall> for Tools {
    type Response = ToolOutput;
    type Error = Error;
    type Future = BoxFuture<'static, Result<ToolOutput, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: ToolCall) -> Self::Future {
        let (tools, context) = (self.tools.clone(), Arc::clone(&self.context));
        Box::pin(async move {
            let tool = tools
                .get(&call.tool)
                .ok_or_else(|| UnknownTool::new(&call.tool))?;
            let run = tool.spec.handler.call(&context, call.input);
            // A handler that panics costs its own call. It shares nothing with others but what it locks itself.
            match AssertUnwindSafe(run).catch_unwind().await {
                Ok(outcome) => Ok(outcome?),
                Err(_) => Err(broken(tool).into()),
            }
        })
    }
}

/// The panic itself stands in the log, where the process's panic hook put it.
fn broken(tool: &RegisteredTool) -> ToolError {
    let name = tool.spec.name;
    if tool.may_have_happened() {
        ToolError::Unknown(format!(
            "{name} broke down inside the daemon; it may or may not have been done"
        ))
    } else {
        ToolError::Broken(format!("{name} broke down inside the daemon"))
    }
}

// === impl UnknownTool ===

impl UnknownTool {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.chars().take(NAMED_CHARS).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use serde_json::{Value, json};
    use tower::ServiceExt as _;

    use super::*;
    use crate::{
        sample,
        tool::{SideEffect, Tool, ToolSpec},
    };

    /// Says who calls it.
    struct Who;

    #[async_trait]
    impl Tool for Who {
        async fn call(&self, context: &ToolContext, _: Value) -> Result<ToolOutput, ToolError> {
            Ok(ToolOutput::json(json!(context.session_key)))
        }
    }

    struct Panics;

    #[async_trait]
    impl Tool for Panics {
        async fn call(&self, _: &ToolContext, _: Value) -> Result<ToolOutput, ToolError> {
            panic!("in a tool")
        }
    }

    fn tools(specs: impl IntoIterator<Item = ToolSpec>) -> Tools {
        Tools::new(sample::set(specs), sample::context())
    }

    #[tokio::test]
    async fn a_call_reaches_the_tool_of_its_name_with_its_context() {
        let who = ToolSpec {
            name: "slack_who",
            ..sample::spec(Who)
        };
        let tools = tools([sample::spec(sample::Echo), who]);
        let call = |name| tools.clone().oneshot(ToolCall::new(name, json!({"text": "hi"})));
        assert_eq!(call("slack_who").await.unwrap().content, json!("daemon-team-1"));
        assert_eq!(call("slack_echo").await.unwrap().content, json!({"text": "hi"}));
        assert!(call("slack_none").await.unwrap_err().is::<UnknownTool>());
    }

    #[tokio::test]
    async fn a_tool_that_panics_costs_its_own_call() {
        let call = |side_effect| async move {
            let spec = ToolSpec {
                side_effect,
                ..sample::spec(Panics)
            };
            let tools = tools([spec]);
            let call = ToolCall::new("slack_echo", Value::Null);
            let error = tools.oneshot(call).await.unwrap_err();
            *error.downcast::<ToolError>().unwrap()
        };
        assert!(matches!(call(SideEffect::None).await, ToolError::Broken(_)));
        assert!(matches!(call(SideEffect::EveryTime).await, ToolError::Unknown(_)));
    }

    #[test]
    fn a_name_that_nobody_knows_is_not_repeated_without_end() {
        let error = UnknownTool::new(&"\u{202e}x".repeat(1000)).to_string();
        assert!(error.len() < 1000 && !error.contains('\u{202e}'), "{error}");
    }
}
