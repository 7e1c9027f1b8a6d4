//! Ends a turn that takes too long. Stands directly over the agent run, so that it counts the run and nothing else.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tower::{Layer, Service};

use crate::{AgentError, Error, Reply, Turn};

/// Gives each turn this long, counted in time awake (D16): a night asleep ends no turn, since the clock of the
/// runtime stands still in it. Where it does not (Windows) the turn is given back and tried again.
#[derive(Clone, Copy, Debug)]
pub struct TurnDeadlineLayer {
    limit: Duration,
}

/// Drops a run that passes its deadline, and says [`AgentError::Timeout`].
#[derive(Clone, Debug)]
pub struct TurnDeadline<S> {
    inner: S,
    limit: Duration,
}

// === impl TurnDeadlineLayer ===

impl TurnDeadlineLayer {
    /// Gives each turn `limit`.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self { limit }
    }
}

impl<S> Layer<S> for TurnDeadlineLayer {
    type Service = TurnDeadline<S>;

    fn layer(&self, inner: S) -> TurnDeadline<S> {
        TurnDeadline {
            inner,
            limit: self.limit,
        }
    }
}

// === impl TurnDeadline ===

impl<S> Service<Turn> for TurnDeadline<S>
where
    S: Service<Turn, Response = Reply>,
    S::Error: Into<Error>,
    S::Future: Send + 'static,
{
    type Response = Reply;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Reply, Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, turn: Turn) -> Self::Future {
        let (watch, limit) = (turn.watch.clone(), self.limit);
        let run = self.inner.call(turn);
        Box::pin(async move {
            tokio::select! {
                biased;
                ended = run => ended.map_err(Into::into),
                // D12: it stands still while the turn waits for a person.
                () = watch.passed(limit) => Err(AgentError::Timeout.into()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use kata_perm::Role;
    use tokio::time::Instant;
    use tower::ServiceExt as _;
    use tower_test::mock;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(900);

    fn turn() -> Turn {
        Turn::new(1, "ws_1", "work", "daemon-work-1", Role::Member)
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_agent_is_dropped_at_the_deadline() {
        let (agent, mut handle) = mock::pair::<Turn, Reply>();
        let start = Instant::now();
        let (ended, asked) = tokio::join!(
            TurnDeadlineLayer::new(LIMIT).layer(agent).oneshot(turn()),
            handle.next_request()
        );
        assert_eq!(ended.unwrap_err().downcast_ref(), Some(&AgentError::Timeout));
        assert_eq!(start.elapsed(), LIMIT);
        drop(asked);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_just_before_the_deadline_is_taken() {
        let (agent, mut handle) = mock::pair::<Turn, Reply>();
        let answer = async {
            let (_, reply) = handle.next_request().await.unwrap();
            tokio::time::sleep(LIMIT - Duration::from_millis(1)).await;
            reply.send_response(Reply {
                text: "just so".into(),
                usage: None,
                sent: false,
            });
        };
        let (ended, ()) = tokio::join!(TurnDeadlineLayer::new(LIMIT).layer(agent).oneshot(turn()), answer);
        assert_eq!(ended.unwrap().text, "just so");
    }

    #[tokio::test(start_paused = true)]
    async fn an_agents_own_error_passes_unchanged() {
        let (agent, mut handle) = mock::pair::<Turn, Reply>();
        let answer = async {
            let (_, reply) = handle.next_request().await.unwrap();
            reply.send_error(AgentError::Failed("no".into()));
        };
        let (ended, ()) = tokio::join!(TurnDeadlineLayer::new(LIMIT).layer(agent).oneshot(turn()), answer);
        assert_eq!(
            ended.unwrap_err().downcast_ref(),
            Some(&AgentError::Failed("no".into()))
        );
    }
}
