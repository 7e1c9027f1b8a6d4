//! The agent of a channel, whichever it is: the innermost service of the TURN stack.

use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tower::Service;

use crate::{AcpAgent, AgentError, CommandAgent, Echo, Error, Host, Reply, Turn};

/// One of the back ends, chosen by a channel's settings.
#[derive(Clone, Debug)]
pub enum AgentRun {
    /// The host runs the agent.
    Host(Host),
    /// A program that speaks the Agent Client Protocol is the agent.
    Acp(AcpAgent),
    /// A program is the agent.
    Command(CommandAgent),
    /// There is none.
    Echo(Echo),
}

// === impl AgentRun ===

impl Service<Turn> for AgentRun {
    type Response = Reply;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Reply, Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match self {
            Self::Host(host) => host.poll_ready(cx),
            Self::Acp(acp) => acp.poll_ready(cx),
            Self::Command(command) => command.poll_ready(cx),
            Self::Echo(echo) => echo.poll_ready(cx),
        }
        .map_err(Error::from)
    }

    fn call(&mut self, turn: Turn) -> Self::Future {
        let cancel = turn.cancel.clone();
        let run = match self {
            Self::Host(host) => host.call(turn),
            Self::Acp(acp) => acp.call(turn),
            Self::Command(command) => command.call(turn),
            Self::Echo(echo) => echo.call(turn),
        };
        Box::pin(async move {
            // CANCEL: to cancel a run is to drop it, so that no back end has to watch for it.
            let ended = cancel.run_until_cancelled(run).await;
            ended.unwrap_or(Err(AgentError::Cancelled)).map_err(Error::from)
        })
    }
}

#[cfg(test)]
mod tests {
    use kata_perm::Role;
    use tokio::sync::mpsc;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_cancelled_turn_ends_and_lets_go_of_the_host() {
        let (turns, mut host) = mpsc::channel(1);
        let turn = Turn::new(1, "ws_1", "work", "daemon-work-1", Role::Owner);
        let cancel = turn.cancel.clone();
        let stop = async {
            let asked = host.recv().await.unwrap();
            cancel.cancel();
            asked
        };
        let (ended, asked) = tokio::join!(AgentRun::Host(Host::new(turns)).oneshot(turn), stop);
        assert_eq!(ended.unwrap_err().downcast_ref(), Some(&AgentError::Cancelled));
        assert!(asked.answer.is_closed());
    }

    #[tokio::test]
    async fn echo_says_what_it_was_told() {
        let turn = Turn {
            content: "hello".into(),
            ..Turn::new(1, "ws_1", "work", "daemon-work-1", Role::Member)
        };
        assert_eq!(AgentRun::Echo(Echo).oneshot(turn).await.unwrap().text, "hello");
    }
}
