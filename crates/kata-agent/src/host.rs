//! The agent behind the host: turns go out through a seam that the binary joins to the wire.

use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use tower::Service;

use crate::{AgentError, Reply, Turn};

/// A turn that the host is to run.
#[derive(Debug)]
pub struct HostTurn {
    /// The turn.
    pub turn: Turn,
    /// Where its answer goes. Closed once nobody waits for it: the turn was cancelled or its deadline passed.
    pub answer: oneshot::Sender<Result<Reply, AgentError>>,
}

/// Hands turns to the host.
#[derive(Clone, Debug)]
pub struct Host {
    turns: mpsc::Sender<HostTurn>,
}

/// What the error text of a host's `message_processed` means: the one place where it is read. A busy host says
/// `… is already processing` (D12).
#[must_use]
pub fn classify_host_error(text: &str) -> AgentError {
    if text
        .trim_end()
        .trim_end_matches('.')
        .ends_with("is already processing")
    {
        AgentError::Busy(text.to_owned())
    } else {
        AgentError::Failed(text.to_owned())
    }
}

fn gone() -> AgentError {
    AgentError::Unavailable("the host that runs the agent is gone".into())
}

// === impl Host ===

impl Host {
    /// Hands turns to whoever holds the other end.
    #[must_use]
    pub fn new(turns: mpsc::Sender<HostTurn>) -> Self {
        Self { turns }
    }
}

impl Service<Turn> for Host {
    type Response = Reply;
    type Error = AgentError;
    type Future = BoxFuture<'static, Result<Reply, AgentError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), AgentError>> {
        // A full seam is waited for in the call, where the turn's deadline runs.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, turn: Turn) -> Self::Future {
        let turns = self.turns.clone();
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            turns.send(HostTurn { turn, answer }).await.map_err(|_| gone())?;
            answered.await.unwrap_or_else(|_| Err(gone()))
        })
    }
}

#[cfg(test)]
mod tests {
    use kata_perm::Role;
    use tower::ServiceExt as _;

    use super::*;

    fn turn() -> Turn {
        Turn::new(7, "ws_1", "work", "daemon-work-1", Role::Owner)
    }

    #[test]
    fn only_a_text_that_ends_in_the_busy_words_means_busy() {
        let is_busy = |text| matches!(classify_host_error(text), AgentError::Busy(_));
        assert!(is_busy("Session daemon-work-1 is already processing"));
        assert!(is_busy("Session is already processing.\n"));
        assert!(!is_busy(
            "is already processing was what it said before it failed"
        ));
        assert!(!is_busy(""));
    }

    #[tokio::test]
    async fn the_hosts_answer_is_the_reply() {
        let (turns, mut host) = mpsc::channel(1);
        let run = Host::new(turns).oneshot(turn());
        let answer = async {
            let asked: HostTurn = host.recv().await.unwrap();
            assert_eq!(asked.turn.message_id, 7);
            asked
                .answer
                .send(Ok(Reply {
                    text: "done".into(),
                    usage: None,
                    sent: false,
                }))
                .unwrap();
        };
        let (reply, ()) = tokio::join!(run, answer);
        assert_eq!(reply.unwrap().text, "done");
    }

    #[tokio::test]
    async fn a_run_that_is_dropped_closes_the_hosts_answer() {
        let (turns, mut host) = mpsc::channel(1);
        let mut run = Box::pin(Host::new(turns).oneshot(turn()));
        assert!(futures_util::poll!(&mut run).is_pending());
        let asked = host.recv().await.unwrap();
        assert!(!asked.answer.is_closed());
        drop(run);
        assert!(asked.answer.is_closed());
    }

    #[tokio::test]
    async fn a_host_that_is_gone_does_not_count_as_an_attempt() {
        let (turns, host) = mpsc::channel(1);
        drop(host);
        let lost = Host::new(turns).oneshot(turn()).await.unwrap_err();
        assert!(!lost.is_counted());

        let (turns, mut host) = mpsc::channel(1);
        let (lost, asked) = tokio::join!(Host::new(turns).oneshot(turn()), async {
            host.recv().await.map(drop)
        });
        assert!(asked.is_some());
        assert!(!lost.unwrap_err().is_counted());
    }
}
