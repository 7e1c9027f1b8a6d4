//! What can be seen of a service from outside.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::{Health, Service};

/// Where a service stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ServiceState {
    /// It is about to run.
    Starting,
    /// It runs.
    Running,
    /// It failed, and is started again after a pause.
    BackingOff,
    /// It failed too often in a row, and is not started again.
    Parked,
    /// It was stopped.
    Stopped,
}

/// A service, as it stands.
#[derive(Clone)]
#[non_exhaustive]
pub struct ServiceStatus {
    /// Where it stands.
    pub state: ServiceState,
    /// How often it failed in a row.
    pub failures: u32,
    /// How often it panicked since it was first started.
    pub panics: u32,
    /// Why it failed the last time, as a sentence.
    pub error: Option<String>,
    /// The one that runs.
    running: Option<Arc<dyn Service>>,
}

// === impl ServiceStatus ===

impl ServiceStatus {
    pub(super) fn new() -> Self {
        Self {
            state: ServiceState::Starting,
            failures: 0,
            panics: 0,
            error: None,
            running: None,
        }
    }

    /// From starting or backing off.
    pub(super) fn runs(&mut self, service: Arc<dyn Service>) {
        self.state = ServiceState::Running;
        self.running = Some(service);
    }

    /// From any state to one in which nothing runs.
    pub(super) fn rests(&mut self, state: ServiceState) {
        self.state = state;
        self.running = None;
    }

    /// Whether it does what it is there for: as the service says while it runs; never while it is backing off or parked.
    #[must_use]
    pub fn health(&self) -> Health {
        match (self.state, &self.running) {
            (ServiceState::Running, Some(service)) => asked(&**service),
            (ServiceState::BackingOff | ServiceState::Parked, _) => Health::Unhealthy {
                reason: self.error.clone().unwrap_or_default(),
            },
            _ => Health::Healthy,
        }
    }
}

/// Whoever asks must not pay for a service that breaks down when it is asked.
fn asked(service: &dyn Service) -> Health {
    catch_unwind(AssertUnwindSafe(|| service.health())).unwrap_or_else(|_| Health::Unhealthy {
        reason: "it broke down when it was asked".to_owned(),
    })
}

impl fmt::Debug for ServiceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceStatus")
            .field("state", &self.state)
            .field("failures", &self.failures)
            .field("panics", &self.panics)
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}
