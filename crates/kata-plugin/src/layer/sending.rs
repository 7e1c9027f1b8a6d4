//! Shows each answer to the hooks before it is rendered (D17): they may change it, and stop it.

use std::{
    fmt, mem,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use tower::{Layer, Service};

use super::{Error, asked};
use crate::hook::{Draft, MessageSending, Sending};

/// Puts hooks before each answer.
#[derive(Clone)]
pub struct MessageSendingLayer {
    hooks: Arc<[Arc<dyn MessageSending>]>,
}

/// Asks the hooks in their order, each about the text as the one before left it; the first that stops an answer ends it. One
/// that fails, panics or is late stops it too: what could not be looked at is not said.
#[derive(Clone)]
pub struct MessageSendingService<S> {
    inner: S,
    layer: MessageSendingLayer,
}

/// A hook stopped the answer. Only this layer makes one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("withheld by the hook {hook}: {reason}")]
pub struct Withheld {
    hook: String,
    reason: String,
}

// === impl MessageSendingLayer ===

impl MessageSendingLayer {
    /// Asks `hooks` about each answer.
    #[must_use]
    pub fn new(hooks: impl Into<Arc<[Arc<dyn MessageSending>]>>) -> Self {
        Self { hooks: hooks.into() }
    }

    async fn ask(&self, draft: &mut Draft) -> Result<(), Withheld> {
        for hook in &*self.hooks {
            let reason = match asked(hook.sending(draft)).await {
                Ok(Sending::Go) => continue,
                Ok(Sending::Cancel { reason }) => reason,
                Err(why) => format!("it could not look at the answer: {why}"),
            };
            return Err(Withheld {
                hook: hook.name().to_owned(),
                reason,
            });
        }
        Ok(())
    }
}

impl<S> Layer<S> for MessageSendingLayer {
    type Service = MessageSendingService<S>;

    fn layer(&self, inner: S) -> MessageSendingService<S> {
        MessageSendingService {
            inner,
            layer: self.clone(),
        }
    }
}

impl fmt::Debug for MessageSendingLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hooks: Vec<_> = self.hooks.iter().map(|hook| hook.name()).collect();
        f.debug_struct("MessageSendingLayer")
            .field("hooks", &hooks)
            .finish()
    }
}

// === impl MessageSendingService ===

impl<S> Service<Draft> for MessageSendingService<S>
where
    S: Service<Draft> + Clone + Send + 'static,
    S::Error: Into<Error>,
    S::Future: Send,
{
    type Response = S::Response;
    type Error = Error;
    type Future = BoxFuture<'static, Result<S::Response, Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, mut draft: Draft) -> Self::Future {
        let clone = self.inner.clone();
        // The clone is not ready; the one that was polled is.
        let mut inner = mem::replace(&mut self.inner, clone);
        let layer = self.layer.clone();
        Box::pin(async move {
            layer.ask(&mut draft).await?;
            inner.call(draft).await.map_err(Into::into)
        })
    }
}

impl<S: fmt::Debug> fmt::Debug for MessageSendingService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageSendingService")
            .field("inner", &self.inner)
            .field("layer", &self.layer)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, future};

    use async_trait::async_trait;
    use kata_channel::{ChannelKey, Place};
    use tower::{ServiceExt as _, service_fn};

    use super::*;

    #[derive(Clone, Copy)]
    enum Does {
        Add(&'static str),
        Cancel,
        Fail,
        Panic,
        Hang,
    }

    struct Hook(Does);

    #[async_trait]
    impl MessageSending for Hook {
        fn name(&self) -> &str {
            "censor"
        }

        async fn sending(&self, draft: &mut Draft) -> Result<Sending, String> {
            match self.0 {
                Does::Add(text) => draft.text.push_str(text),
                Does::Cancel => {
                    return Ok(Sending::Cancel {
                        reason: "not for them".into(),
                    });
                }
                Does::Fail => return Err("no dictionary".into()),
                Does::Panic => panic!("in a hook"),
                Does::Hang => future::pending().await,
            }
            Ok(Sending::Go)
        }
    }

    /// What is rendered of the answer "a".
    async fn rendered(does: &[Does]) -> Result<String, String> {
        let hooks: Vec<Arc<dyn MessageSending>> =
            does.iter().map(|does| Arc::new(Hook(*does)) as _).collect();
        let render = service_fn(|draft: Draft| future::ready(Ok::<_, Infallible>(draft.text)));
        let draft = Draft {
            channel: ChannelKey::new("w", "team"),
            place: Place::conversation("C1"),
            text: "a".into(),
        };
        let answer = MessageSendingLayer::new(hooks).layer(render).oneshot(draft).await;
        answer.map_err(|error| error.downcast::<Withheld>().unwrap().to_string())
    }

    #[tokio::test]
    async fn hooks_change_an_answer_in_their_order_before_it_is_rendered() {
        assert_eq!(
            rendered(&[Does::Add("b"), Does::Add("c")]).await.as_deref(),
            Ok("abc")
        );
        assert_eq!(rendered(&[]).await.as_deref(), Ok("a"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_hook_that_cancels_fails_breaks_down_or_hangs_stops_the_answer_by_name() {
        for (does, reason) in [
            (Does::Cancel, "not for them"),
            (Does::Fail, "it could not look at the answer: no dictionary"),
            (Does::Panic, "it could not look at the answer: it broke down"),
            (
                Does::Hang,
                "it could not look at the answer: it did not answer within 5s",
            ),
        ] {
            let why = rendered(&[Does::Add("b"), does, Does::Add("never")])
                .await
                .unwrap_err();
            assert_eq!(why, format!("withheld by the hook censor: {reason}"));
        }
    }
}
