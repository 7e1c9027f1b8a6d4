//! Shows the hooks what became of each call that ran. Outside limit and timeout, so that they see what timed out too.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use kata_perm::ToolCall;
use tower::{Layer, Service};

use super::{Error, asked};
use crate::{
    hook::{AfterToolCall, Outcome},
    tool::{ToolContext, ToolOutput},
};

/// Puts hooks after each call.
#[derive(Clone)]
pub struct AfterToolCallLayer {
    hooks: Arc<[Arc<dyn AfterToolCall>]>,
    context: Arc<ToolContext>,
}

/// Tells the hooks in their order, before the result goes on. They change nothing of it.
#[derive(Clone)]
pub struct AfterToolCallService<S> {
    inner: S,
    layer: AfterToolCallLayer,
}

// === impl AfterToolCallLayer ===

impl AfterToolCallLayer {
    /// Tells `hooks` of each call that is made in `context`.
    #[must_use]
    pub fn new(hooks: impl Into<Arc<[Arc<dyn AfterToolCall>]>>, context: Arc<ToolContext>) -> Self {
        Self {
            hooks: hooks.into(),
            context,
        }
    }

    async fn tell(&self, call: &ToolCall, outcome: Outcome<'_>) {
        for hook in &*self.hooks {
            let Err(why) = asked(hook.after(&self.context, call, outcome)).await else {
                continue;
            };
            tracing::warn!(
                hook = hook.name(),
                tool = call.tool,
                error = why,
                "a hook could not look at a tool call"
            );
        }
    }
}

impl<S> Layer<S> for AfterToolCallLayer {
    type Service = AfterToolCallService<S>;

    fn layer(&self, inner: S) -> AfterToolCallService<S> {
        AfterToolCallService {
            inner,
            layer: self.clone(),
        }
    }
}

impl fmt::Debug for AfterToolCallLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hooks: Vec<_> = self.hooks.iter().map(|hook| hook.name()).collect();
        f.debug_struct("AfterToolCallLayer")
            .field("hooks", &hooks)
            .finish_non_exhaustive()
    }
}

// === impl AfterToolCallService ===

impl<S> Service<ToolCall> for AfterToolCallService<S>
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
        let layer = self.layer.clone();
        let run = self.inner.call(call.clone());
        Box::pin(async move {
            let outcome = run.await.map_err(Into::into);
            let seen = match &outcome {
                Ok(output) => Outcome::Done(output),
                Err(error) => Outcome::Failed(&**error),
            };
            layer.tell(&call, seen).await;
            outcome
        })
    }
}

impl<S: fmt::Debug> fmt::Debug for AfterToolCallService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AfterToolCallService")
            .field("inner", &self.inner)
            .field("layer", &self.layer)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::{future, sync::Mutex};

    use async_trait::async_trait;
    use serde_json::json;
    use tower::ServiceExt as _;
    use tower_test::mock;

    use super::*;
    use crate::{sample, tool::ToolError};

    /// Notes what it saw, and then ends as it was told: some never do.
    struct Hook(Option<Result<(), String>>, Arc<Mutex<Vec<String>>>);

    #[async_trait]
    impl AfterToolCall for Hook {
        fn name(&self) -> &str {
            "witness"
        }

        async fn after(&self, _: &ToolContext, call: &ToolCall, outcome: Outcome<'_>) -> Result<(), String> {
            let outcome = match outcome {
                Outcome::Done(output) => output.content.to_string(),
                Outcome::Failed(error) => error.to_string(),
            };
            self.1.lock().unwrap().push(format!("{}: {outcome}", call.tool));
            match self.0.clone() {
                Some(ends) => ends,
                None => future::pending().await,
            }
        }
    }

    /// What becomes of a call that ends so, and what its hooks saw.
    async fn call(
        ends: Vec<Option<Result<(), String>>>,
        run: Result<ToolOutput, ToolError>,
    ) -> (Result<ToolOutput, Error>, Vec<String>) {
        let seen = Arc::<Mutex<Vec<_>>>::default();
        let hooks: Vec<Arc<dyn AfterToolCall>> = ends
            .into_iter()
            .map(|ends| Arc::new(Hook(ends, Arc::clone(&seen))) as _)
            .collect();
        let (inner, mut handle) = mock::pair::<ToolCall, ToolOutput>();
        let service = AfterToolCallLayer::new(hooks, sample::context()).layer(inner);
        let (answer, ()) = tokio::join!(service.oneshot(sample::call()), async {
            let (_, respond) = handle.next_request().await.unwrap();
            match run {
                Ok(output) => respond.send_response(output),
                Err(error) => respond.send_error(error),
            }
        });
        let seen = seen.lock().unwrap().clone();
        (answer, seen)
    }

    #[tokio::test]
    async fn every_hook_sees_the_call_and_its_outcome() {
        let done = Ok(ToolOutput::json(json!({"n": 1})));
        let (answer, seen) = call(vec![Some(Ok(())), Some(Ok(()))], done).await;
        assert_eq!(answer.unwrap().content, json!({"n": 1}));
        assert_eq!(seen, ["slack_echo: {\"n\":1}"; 2]);
    }

    #[tokio::test]
    async fn a_failed_call_is_seen_and_stays_the_same_failure() {
        let failed = ToolError::Platform("Slack said no".into());
        let (answer, seen) = call(vec![Some(Ok(()))], Err(failed.clone())).await;
        assert_eq!(*answer.unwrap_err().downcast::<ToolError>().unwrap(), failed);
        assert_eq!(seen, ["slack_echo: Slack said no"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hook_that_fails_or_hangs_changes_nothing() {
        let ends = vec![Some(Err("no".into())), None, Some(Ok(()))];
        let (answer, seen) = call(ends, Ok(ToolOutput::json(json!(1)))).await;
        assert_eq!(answer.unwrap().content, json!(1));
        assert_eq!(seen.len(), 3, "those behind it are told all the same");
    }
}
