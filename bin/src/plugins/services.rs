//! The services of plugins: one of each in every workspace that has its plugin.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use kata_plugin::{RegisteredService, ServiceContext, ServiceEnd, ServiceStatus, Supervision, Supervisor};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::daemon::Daemon;

/// The services that run. They end with the daemon.
#[derive(Debug, Default)]
pub(crate) struct Services(Mutex<HashMap<Name, Running>>);

/// A service in a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) plugin: &'static str,
    pub(crate) service: &'static str,
    pub(crate) workspace: String,
}

#[derive(Debug)]
struct Running {
    stop: CancellationToken,
    status: watch::Receiver<ServiceStatus>,
}

// === impl Services ===

impl Services {
    /// Makes what runs equal to what the configured workspaces have.
    pub(crate) fn configure(&self, daemon: &Arc<Daemon>) {
        let wanted = wanted(daemon);
        let mut running = self.lock();
        running.retain(|name, service| {
            let stays = wanted.contains_key(name);
            if !stays {
                service.stop.cancel();
            }
            stays
        });
        for (name, service) in wanted {
            running
                .entry(name.clone())
                .or_insert_with(|| start(daemon, name, service));
        }
    }

    /// How each of them stands.
    pub(crate) fn statuses(&self) -> Vec<(Name, ServiceStatus)> {
        let status = |(name, service): (&Name, &Running)| (name.clone(), service.status.borrow().clone());
        self.lock().iter().map(status).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Name, Running>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wanted(daemon: &Daemon) -> HashMap<Name, RegisteredService> {
    let places = daemon.gate.policies.places();
    let services = daemon.registrar().services();
    services
        .flat_map(|service| {
            let having = places
                .iter()
                .filter(|place| place.plugins.contains(service.plugin));
            having.map(|place| {
                let name = Name {
                    plugin: service.plugin,
                    service: service.spec.name,
                    workspace: place.id.clone(),
                };
                (name, service.clone())
            })
        })
        .collect()
}

fn start(daemon: &Arc<Daemon>, name: Name, service: RegisteredService) -> Running {
    let stop = daemon.stopping.child_token();
    let state = super::state(daemon, name.plugin, &name.workspace);
    let context = ServiceContext::new(state, stop.clone(), daemon.clock.clone(), daemon.tasks.clone());
    let supervisor = Supervisor::new(service, context, Supervision::default());
    let status = supervisor.status();
    let events = daemon.events.clone();
    daemon.tasks.spawn(async move {
        match supervisor.run().await {
            ServiceEnd::Stopped => {}
            ServiceEnd::Parked { reason } => events.plugin_error(name.plugin, &reason).await,
        }
    });
    Running { stop, status }
}
