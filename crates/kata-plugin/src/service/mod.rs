//! Services: what a plugin keeps running in each workspace that has it.

mod status;
mod supervisor;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use kata_channel::{Clock, WorkspaceId};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Span;

pub use self::{
    status::{ServiceState, ServiceStatus},
    supervisor::{ServiceEnd, Supervision, Supervisor},
};
use crate::state::PluginState;

/// A service that a plugin brings.
#[derive(Clone)]
pub struct ServiceSpec {
    /// Its name: the platform's and an underscore first (`irc_presence`). Unique in the daemon.
    pub name: &'static str,
    /// Makes one.
    pub make: ServiceFactory,
}

/// Makes a service. Opens nothing: that is for [`Service::run`]. Called anew for each start, so that one that broke down leaves
/// nothing behind but what is in its [`PluginState`].
pub type ServiceFactory = Arc<dyn Fn() -> Arc<dyn Service> + Send + Sync>;

/// A service, and the plugin that brought it.
#[derive(Clone, Debug)]
pub struct RegisteredService {
    /// The plugin it comes from.
    pub plugin: &'static str,
    /// The service.
    pub spec: ServiceSpec,
}

/// Runs beside the channels, once in each workspace in which its plugin is enabled.
#[async_trait]
pub trait Service: Send + Sync + 'static {
    /// Runs until `context.stop` is cancelled, and returns within two seconds of that. To return earlier is a failure, whatever
    /// is returned: it is started again, after a pause that grows.
    ///
    /// # Cancel safety
    /// Dropped at its next `await` if it does not stop in time.
    ///
    /// # Errors
    /// Why it cannot go on, as a sentence; no secrets.
    async fn run(&self, context: ServiceContext) -> Result<(), String>;

    /// Whether it does what it is there for. Asked while it runs, by whoever looks; it must not wait.
    fn health(&self) -> Health {
        Health::Healthy
    }
}

/// What a service says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It does what it is there for.
    Healthy,
    /// It runs, and does not.
    Unhealthy {
        /// Why, as a sentence for the person at the desk; no secrets.
        reason: String,
    },
}

/// All that a service is given.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServiceContext {
    /// The workspace for which it runs.
    pub workspace: WorkspaceId,
    /// What the plugin keeps there.
    pub state: PluginState,
    /// Cancelled when it is to stop.
    pub stop: CancellationToken,
    /// Where time comes from.
    pub clock: Clock,
    /// Where its own tasks are tracked: the daemon's end waits for them, so they end with `stop`.
    pub tasks: TaskTracker,
}

// === impl ServiceSpec ===

impl fmt::Debug for ServiceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceSpec")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

// === impl ServiceContext ===

impl ServiceContext {
    /// In the workspace of `state`.
    #[must_use]
    pub fn new(state: PluginState, stop: CancellationToken, clock: Clock, tasks: TaskTracker) -> Self {
        Self {
            workspace: state.workspace().clone(),
            state,
            stop,
            clock,
            tasks,
        }
    }

    /// A span that names plugin and workspace. The service runs in it; tasks that it spawns are put into it by the service.
    #[must_use]
    pub fn span(&self) -> Span {
        self.state.span()
    }
}
