//! Shows each call to the hooks, which may stop it. Inside the gate: a hook sees what is allowed, and cannot allow.

use std::{
    fmt, mem,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use kata_perm::ToolCall;
use tower::{Layer, Service};

use super::{Error, asked};
use crate::{
    hook::{Before, BeforeToolCall},
    tool::{ToolContext, ToolOutput},
};

/// Puts hooks before each call.
#[derive(Clone)]
pub struct BeforeToolCallLayer {
    hooks: Arc<[Arc<dyn BeforeToolCall>]>,
    context: Arc<ToolContext>,
}

/// Asks the hooks in their order; the first that stops a call ends it. One that fails, panics or is late stops it too.
#[derive(Clone)]
pub struct BeforeToolCallService<S> {
    inner: S,
    layer: BeforeToolCallLayer,
}

/// A hook stopped the call. Only this layer makes one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{tool} was stopped by the hook {hook}: {reason}")]
pub struct Blocked {
    tool: String,
    hook: String,
    reason: String,
}

// === impl BeforeToolCallLayer ===

impl BeforeToolCallLayer {
    /// Asks `hooks` about each call that is made in `context`.
    #[must_use]
    pub fn new(hooks: impl Into<Arc<[Arc<dyn BeforeToolCall>]>>, context: Arc<ToolContext>) -> Self {
        Self {
            hooks: hooks.into(),
            context,
        }
    }

    async fn ask(&self, call: &ToolCall) -> Result<(), Blocked> {
        for hook in &*self.hooks {
            let reason = match asked(hook.before(&self.context, call)).await {
                Ok(Before::Go) => continue,
                Ok(Before::Block { reason }) => reason,
                Err(why) => format!("it could not look at the call: {why}"),
            };
            return Err(Blocked {
                tool: call.tool.clone(),
                hook: hook.name().to_owned(),
                reason,
            });
        }
        Ok(())
    }
}

impl<S> Layer<S> for BeforeToolCallLayer {
    type Service = BeforeToolCallService<S>;

    fn layer(&self, inner: S) -> BeforeToolCallService<S> {
        BeforeToolCallService {
            inner,
            layer: self.clone(),
        }
    }
}

impl fmt::Debug for BeforeToolCallLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hooks: Vec<_> = self.hooks.iter().map(|hook| hook.name()).collect();
        f.debug_struct("BeforeToolCallLayer")
            .field("hooks", &hooks)
            .finish_non_exhaustive()
    }
}

// === impl BeforeToolCallService ===

impl<S> Service<ToolCall> for BeforeToolCallService<S>
where
    S: Service<ToolCall, Response = ToolOutput> + Clone + Send + 'static,
    S::Error: Into<Error>,
    S::Future: Send,
{
    type Response = ToolOutput;
    type Error = Error;
    type Future = BoxFuture<'static, Result<ToolOutput, Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, call: ToolCall) -> Self::Future {
        let clone = self.inner.clone();
        // The clone is not ready; the one that was polled is.
        let mut inner = mem::replace(&mut self.inner, clone);
        let layer = self.layer.clone();
        Box::pin(async move {
            layer.ask(&call).await?;
            inner.call(call).await.map_err(Into::into)
        })
    }
}

impl<S: fmt::Debug> fmt::Debug for BeforeToolCallService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BeforeToolCallService")
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
    use crate::sample;

    /// Says what it was told to say, and notes that it was asked.
    struct Hook(
        &'static str,
        Option<Result<Before, String>>,
        Arc<Mutex<Vec<&'static str>>>,
    );

    #[async_trait]
    impl BeforeToolCall for Hook {
        fn name(&self) -> &str {
            self.0
        }

        async fn before(&self, _: &ToolContext, _: &ToolCall) -> Result<Before, String> {
            self.2.lock().unwrap().push(self.0);
            match self.1.clone() {
                Some(said) => said,
                None => future::pending().await,
            }
        }
    }

    /// What becomes of a call before hooks that say this, and which of them were asked.
    async fn call(
        says: Vec<Option<Result<Before, String>>>,
    ) -> (Result<ToolOutput, Error>, Vec<&'static str>) {
        let asked = Arc::<Mutex<Vec<_>>>::default();
        let named = ["first", "second"].into_iter().zip(says);
        let hooks: Vec<Arc<dyn BeforeToolCall>> = named
            .map(|(name, said)| Arc::new(Hook(name, said, Arc::clone(&asked))) as _)
            .collect();
        let (inner, mut handle) = mock::pair::<ToolCall, ToolOutput>();
        let service = BeforeToolCallLayer::new(hooks, sample::context()).layer(inner);
        let (answer, ()) = tokio::join!(service.oneshot(sample::call()), async {
            if let Some((_, respond)) = handle.next_request().await {
                respond.send_response(ToolOutput::json(json!(1)));
            }
        });
        let asked = asked.lock().unwrap().clone();
        (answer, asked)
    }

    fn go() -> Option<Result<Before, String>> {
        Some(Ok(Before::Go))
    }

    fn sentence(answer: Result<ToolOutput, Error>) -> String {
        answer.unwrap_err().downcast::<Blocked>().unwrap().to_string()
    }

    #[tokio::test]
    async fn a_call_that_no_hook_stops_runs() {
        let (answer, asked) = call(vec![go(), go()]).await;
        assert_eq!(answer.unwrap().content, json!(1));
        assert_eq!(asked, ["first", "second"]);
    }

    #[tokio::test]
    async fn the_first_hook_that_stops_a_call_ends_it() {
        let block = Before::Block {
            reason: "the office is closed".into(),
        };
        let (answer, asked) = call(vec![Some(Ok(block)), go()]).await;
        assert_eq!(
            sentence(answer),
            "slack_echo was stopped by the hook first: the office is closed"
        );
        assert_eq!(asked, ["first"]);
    }

    #[tokio::test]
    async fn a_hook_that_fails_stops_the_call() {
        let (answer, _) = call(vec![go(), Some(Err("no connection".into()))]).await;
        assert_eq!(
            sentence(answer),
            "slack_echo was stopped by the hook second: it could not look at the call: no connection"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_hook_that_is_late_stops_the_call() {
        let (answer, _) = call(vec![None, go()]).await;
        assert_eq!(
            sentence(answer),
            "slack_echo was stopped by the hook first: it could not look at the call: it did not answer within 5s"
        );
    }
}
