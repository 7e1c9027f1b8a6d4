//! Asks before an answer leaves, where its channel sends none by itself (`replyMode: approve`). Under the turn's gate, which
//! binds who is asked; over the deadline: the agent's time is over, and a person may take minutes.
//!
//! What is asked about is a tool call like any other, with the whole text in it: rules may grant it, it is recorded, and it is
//! the tool that sends. Where the answer is no, or nobody answers, the answer goes the usual way of its channel, which sends
//! nothing either: it is a draft. So is one that is too long for the tool, which shows all that it sends.
//!
//! An earlier attempt of the turn may have died between the sending and its commit. So what has gone out is looked up before
//! anybody runs or is asked again.

use std::{
    mem,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use kata_agent::{Error, Reply, Turn};
use kata_channel::{Adapter, ChannelError, MessageId};
use kata_perm::ToolCall;
use tower::{Layer, Service, ServiceExt as _};

use crate::stack::ToolStack;

/// Asks on behalf of one turn.
#[derive(Clone)]
pub(crate) struct ByLeaveLayer {
    adapter: Arc<dyn Adapter>,
    tools: Option<ToolStack>,
}

/// See [`ByLeaveLayer`].
#[derive(Clone)]
pub(crate) struct ByLeave<S> {
    inner: S,
    layer: ByLeaveLayer,
}

// === impl ByLeaveLayer ===

impl ByLeaveLayer {
    /// `tools` = the turn's own; without them nothing is asked.
    pub(crate) fn new(adapter: Arc<dyn Adapter>, tools: Option<ToolStack>) -> Self {
        Self { adapter, tools }
    }

    /// The call by which an answer to this turn is sent, if the channel sends none without leave.
    fn call(&self, turn: &Turn) -> Option<Question> {
        let answered = &turn.messages.last()?.message_id;
        let (tool, input) = self.adapter.by_leave(answered, &turn.metadata)?;
        Some(Question {
            adapter: Arc::clone(&self.adapter),
            answered: answered.as_str().into(),
            metadata: turn.metadata.clone(),
            tools: self.tools.clone()?,
            tool,
            input,
        })
    }
}

impl<S> Layer<S> for ByLeaveLayer {
    type Service = ByLeave<S>;

    fn layer(&self, inner: S) -> ByLeave<S> {
        ByLeave {
            inner,
            layer: self.clone(),
        }
    }
}

// === impl ByLeave ===

impl<S> Service<Turn> for ByLeave<S>
where
    S: Service<Turn, Response = Reply, Error = Error> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Reply;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Reply, Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, turn: Turn) -> Self::Future {
        let question = self.layer.call(&turn);
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            let Some(question) = question else {
                return inner.call(turn).await;
            };
            let may_ask = match question.has_left().await {
                Ok(Some(reply)) => return Ok(reply),
                Ok(None) => true,
                Err(why) => {
                    tracing::warn!(
                        "an answer will be no more than a draft: whether it has gone out is not known: {why}"
                    );
                    false
                }
            };
            let reply = inner.call(turn).await?;
            match may_ask && !reply.text.trim().is_empty() {
                true => Ok(question.put(reply).await),
                false => Ok(reply),
            }
        })
    }
}

/// A call that waits for its text.
struct Question {
    adapter: Arc<dyn Adapter>,
    answered: MessageId,
    metadata: serde_json::Map<String, serde_json::Value>,
    tools: ToolStack,
    tool: &'static str,
    input: serde_json::Map<String, serde_json::Value>,
}

impl Question {
    /// What an earlier attempt has sent.
    async fn has_left(&self) -> Result<Option<Reply>, ChannelError> {
        let text = self.adapter.left(&self.answered, &self.metadata).await?;
        Ok(text.map(|text| Reply {
            text,
            sent: true,
            ..Reply::default()
        }))
    }

    /// Sent: nothing of it is left to send. Not sent: the answer as it was.
    async fn put(mut self, reply: Reply) -> Reply {
        self.input.insert("body".into(), reply.text.as_str().into());
        let call = ToolCall::new(self.tool, self.input.into());
        match self.tools.oneshot(call).await {
            Ok(_) => Reply { sent: true, ..reply },
            Err(why) => {
                tracing::info!(tool = self.tool, "an answer is not sent: {why}");
                reply
            }
        }
    }
}
