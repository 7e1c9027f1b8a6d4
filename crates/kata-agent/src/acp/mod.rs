//! Any agent that speaks the [Agent Client Protocol](https://agentclientprotocol.com/) on its stdin and stdout.
//!
//! A session has one process, which is kept between its turns. A task [holds](warm) it; a [session] stands on a
//! [connection]; what the agent asks for is met by the [turn that is open](open): [permission], [files]. Terminals are not
//! offered: an agent that wants to run something asks for permission and runs it itself.

mod answer;
mod client;
mod complaints;
mod connection;
mod files;
mod limits;
mod model;
mod open;
mod permission;
mod session;
mod settings;
#[cfg(test)]
mod tests;
mod tool;
mod warm;

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;

pub use self::settings::{AcpSettings, SessionMemory, ToolServer, ToolsFor};
use self::{
    connection::Launch,
    warm::{Job, Pool},
};
use crate::{AgentError, Reply, Turn};

/// The agents of all channels that run, one process a session. Clones are handles on the same ones.
#[derive(Clone, Debug)]
pub struct AcpAgents(Arc<Pool>);

/// Runs turns by one channel's settings.
///
/// A turn that is dropped is cancelled; an agent that does not end it within 2 s is ended itself. An agent is ended by
/// SIGTERM to its process group, and SIGKILL 2 s later.
#[derive(Clone, Debug)]
pub struct AcpAgent {
    settings: Arc<AcpSettings>,
    agents: AcpAgents,
}

// === impl AcpAgents ===

impl AcpAgents {
    /// At most `max_warm` agents are kept between turns: of more the one that is idle longest is stopped. Everything
    /// runs on `tasks`; before those are waited for, the agents are to be [shut down](Self::shut_down).
    #[must_use]
    pub fn new(max_warm: usize, tasks: TaskTracker) -> Self {
        Self::starting(max_warm, tasks, Arc::new(connection::launch))
    }

    /// An agent by `settings`. Of a session whose agent was started by other ones a new one is started.
    #[must_use]
    pub fn agent(&self, settings: AcpSettings) -> AcpAgent {
        AcpAgent {
            settings: Arc::new(settings),
            agents: self.clone(),
        }
    }

    /// Stops every agent, for the end of the daemon; there will be no other. Takes 2 s at most.
    ///
    /// # Cancel safety
    /// Cancel safe: the agents are stopped all the same.
    pub async fn shut_down(&self) {
        self.0.shut_down().await;
    }

    fn starting(max_warm: usize, tasks: TaskTracker, launch: Launch) -> Self {
        Self(Arc::new(Pool::new(max_warm, tasks, launch)))
    }
}

// === impl AcpAgent ===

impl Service<Turn> for AcpAgent {
    type Response = Reply;
    type Error = AgentError;
    type Future = BoxFuture<'static, Result<Reply, AgentError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), AgentError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, turn: Turn) -> Self::Future {
        let (settings, pool) = (Arc::clone(&self.settings), Arc::clone(&self.agents.0));
        Box::pin(async move {
            let (reply, answered) = oneshot::channel();
            let dropped = CancellationToken::new();
            // CANCEL: the agent's task lives on when this future is dropped, and hears of it by this.
            let _dropped = dropped.clone().drop_guard();
            pool.give(Job {
                turn,
                settings,
                reply,
                dropped,
            })?;
            let lost = |_| Err(AgentError::Dead("the agent was lost".into()));
            answered.await.unwrap_or_else(lost)
        })
    }
}
