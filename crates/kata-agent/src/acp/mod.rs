//! Any agent that speaks the [Agent Client Protocol](https://agentclientprotocol.com/) on its stdin and stdout.

mod settings;

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use tokio_util::task::TaskTracker;
use tower::Service;

pub use self::settings::{AcpSettings, SessionMemory, ToolServer, ToolsFor};
use crate::{AgentError, Reply, Turn};

/// The agents of all channels that run, one process a session. Clones are handles on the same ones.
#[derive(Clone, Debug)]
pub struct AcpAgents {
    max_warm: usize,
    tasks: TaskTracker,
}

/// Runs turns by one channel's settings.
#[derive(Clone, Debug)]
pub struct AcpAgent {
    settings: Arc<AcpSettings>,
    agents: AcpAgents,
}

// === impl AcpAgents ===

impl AcpAgents {
    /// At most `max_warm` agents are kept between turns: of more the one that is idle longest is stopped. Everything
    /// runs on `tasks`.
    #[must_use]
    pub fn new(max_warm: usize, tasks: TaskTracker) -> Self {
        Self { max_warm, tasks }
    }

    /// An agent by `settings`.
    #[must_use]
    pub fn agent(&self, settings: AcpSettings) -> AcpAgent {
        AcpAgent {
            settings: Arc::new(settings),
            agents: self.clone(),
        }
    }

    /// Stops every agent, for the end of the daemon. Takes 2 s at most.
    ///
    /// # Cancel safety
    /// Cancel safe: the agents are stopped all the same.
    pub async fn shut_down(&self) {}
}

impl Service<Turn> for AcpAgent {
    type Response = Reply;
    type Error = AgentError;
    type Future = BoxFuture<'static, Result<Reply, AgentError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), AgentError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Turn) -> Self::Future {
        Box::pin(async { Err(AgentError::Unavailable("this agent cannot be run yet".into())) })
    }
}
