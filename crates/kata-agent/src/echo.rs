//! An agent that says what it was told: for trying out a channel without an agent.

use std::task::{Context, Poll};

use futures_util::future::{self, BoxFuture, FutureExt as _};
use tower::Service;

use crate::{AgentError, Reply, Turn};

/// Answers with the content of the turn.
#[derive(Clone, Copy, Debug, Default)]
pub struct Echo;

// === impl Echo ===

impl Service<Turn> for Echo {
    type Response = Reply;
    type Error = AgentError;
    type Future = BoxFuture<'static, Result<Reply, AgentError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), AgentError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, turn: Turn) -> Self::Future {
        future::ready(Ok(Reply {
            text: turn.content,
            usage: None,
            sent: false,
        }))
        .boxed()
    }
}
