//! The channels that run, and the difference to those that should (`configure_channels`).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::future;
use kata_channel::{ChannelKey, Slug, Timestamp, WorkspaceId};
use kata_store::ChannelId;
use tokio::sync::watch;

use crate::gate::Gatehouse;

use super::{
    Daemon,
    channel::{Channel, Running},
    spec::{Refusal, Spec},
};

/// Every channel that is configured, running or starting.
#[derive(Debug)]
pub(crate) struct Channels {
    running: Mutex<BTreeMap<ChannelKey, Running>>,
    changed: watch::Sender<()>,
    /// One configuration at a time; a newer one makes an older one that still waits pointless.
    configuring: tokio::sync::Mutex<()>,
    newest: AtomicU64,
    configurations: watch::Sender<u64>,
}

/// Channels whose rows may be claimed now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Eligible {
    pub(crate) channels: Vec<ChannelId>,
    /// How many channels are configured in all.
    pub(crate) configured: usize,
}

/// What `configure_channels` asks for, read and checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Desired {
    pub(crate) specs: Vec<Spec>,
    pub(crate) refusals: Vec<Refusal>,
    pub(crate) plugins: BTreeSet<&'static str>,
    /// The workspaces that are named, each with the ids of its enabled plugins.
    pub(crate) workspaces: Vec<(String, Vec<String>)>,
}

// === impl Desired, Channels ===

impl Desired {
    /// One more channel; a second one of the same name is refused.
    pub(crate) fn add(&mut self, spec: Spec) {
        if self.specs.iter().any(|known| known.key == spec.key) {
            let slug = spec.key.slug.to_string();
            let error = format!(
                "channel {slug:?} is configured twice in workspace {:?}; the first one is used",
                spec.key.workspace
            );
            self.refusals.push(Refusal {
                plugin_id: slug,
                error,
            });
        } else {
            self.specs.push(spec);
        }
    }
}

impl Channels {
    pub(crate) fn new() -> Self {
        Self {
            running: Mutex::default(),
            changed: watch::Sender::new(()),
            configuring: tokio::sync::Mutex::default(),
            newest: AtomicU64::new(0),
            configurations: watch::Sender::new(0),
        }
    }

    /// Changes whenever a channel comes, goes, is held or released.
    pub(crate) fn changed(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// To be called after each change that makes a channel's rows claimable, or no longer so.
    pub(crate) fn touch(&self) {
        self.changed.send_replace(());
    }

    /// Counts configurations that were carried out (D10, D24).
    pub(crate) fn configurations(&self) -> watch::Receiver<u64> {
        self.configurations.subscribe()
    }

    /// Channels whose waiting messages may become turns now.
    pub(crate) fn claimable(&self) -> Eligible {
        self.eligible(|c| c.may_turn())
    }

    /// Channels whose answers may be sent now.
    pub(crate) fn sendable(&self) -> Eligible {
        self.eligible(|c| c.may_send())
    }

    fn eligible(&self, may: impl Fn(&Channel) -> bool) -> Eligible {
        let running = self.lock();
        let channels = running
            .values()
            .filter_map(Running::channel)
            .filter(|c| may(c))
            .map(|c| c.id)
            .collect();
        Eligible {
            channels,
            configured: running.len(),
        }
    }

    /// The channels whose rows are not anybody's (D10): those that are configured. None while one of them is opening, since
    /// its id is not known yet.
    pub(crate) fn configured(&self) -> Option<Vec<ChannelId>> {
        let running = self.lock();
        running.values().map(|r| Some(r.channel()?.id)).collect()
    }

    /// When the next hold ends by itself, if one does.
    pub(crate) fn next_release(&self) -> Option<Timestamp> {
        self.all().iter().filter_map(|c| c.held_until()).min()
    }

    /// The running channel with this id.
    pub(crate) fn by_id(&self, id: ChannelId) -> Option<Arc<Channel>> {
        self.lock()
            .values()
            .filter_map(Running::channel)
            .find(|c| c.id == id)
    }

    /// The running channel with this name.
    pub(crate) fn by_key(&self, workspace: &str, slug: &str) -> Option<Arc<Channel>> {
        self.lock()
            .get(&ChannelKey {
                workspace: WorkspaceId::from(workspace),
                slug: Slug::from(slug),
            })?
            .channel()
    }

    /// All running channels, by name.
    pub(crate) fn all(&self) -> Vec<Arc<Channel>> {
        self.lock().values().filter_map(Running::channel).collect()
    }

    /// The number of a configuration, in the order in which they came.
    pub(crate) fn next_configuration(&self) -> u64 {
        self.newest.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Makes what runs equal to what is desired. An unchanged channel is not touched; a changed one restarts alone.
    /// Calls are carried out one after the other, and one that was overtaken by a newer one does nothing.
    pub(crate) async fn configure(daemon: &Arc<Daemon>, number: u64, desired: Desired) {
        let this = &daemon.channels;
        let _one_at_a_time = this.configuring.lock().await;
        if number < this.newest.load(Ordering::SeqCst) || daemon.stopping.is_cancelled() {
            return;
        }
        // Before anything can run by them.
        Gatehouse::configure(daemon, desired.workspaces).await;
        for refusal in &desired.refusals {
            daemon
                .events
                .plugin_error(&refusal.plugin_id, &refusal.error)
                .await;
        }
        for plugin in &desired.plugins {
            daemon.events.plugin_loaded(plugin).await;
        }
        future::join_all(this.superseded(&desired.specs).into_iter().map(Running::stop)).await;
        // In the order of the configuration: of two channels that exclude each other the second one is refused (D5).
        for spec in desired.specs {
            this.start(daemon, spec).await;
        }
        this.configurations.send_modify(|n| *n += 1);
        this.touch();
    }

    /// Takes out what is not wanted any more, or not as it is.
    fn superseded(&self, wanted: &[Spec]) -> Vec<Running> {
        let mut running = self.lock();
        let keep = |r: &Running| wanted.iter().any(|spec| *spec == *r.spec);
        let gone: Vec<ChannelKey> = running
            .iter()
            .filter(|(_, r)| !keep(r))
            .map(|(key, _)| key.clone())
            .collect();
        gone.iter().filter_map(|key| running.remove(key)).collect()
    }

    async fn start(&self, daemon: &Arc<Daemon>, spec: Spec) {
        if self.lock().contains_key(&spec.key) {
            return;
        }
        let key = spec.key.clone();
        match Running::start(daemon, spec) {
            Ok(running) => {
                self.lock().insert(key, running);
            }
            Err(refusal) => {
                daemon
                    .events
                    .plugin_error(&refusal.plugin_id, &refusal.error)
                    .await
            }
        }
    }

    /// Stops every channel; none starts after this. Each disconnects within two seconds.
    pub(crate) async fn stop_all(&self) {
        let all = std::mem::take(&mut *self.lock());
        future::join_all(all.into_values().map(Running::stop)).await;
    }

    /// The lanes of every channel wait for its reconcile (D3).
    pub(crate) fn hold_all(&self) {
        for channel in self.all() {
            channel.hold();
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ChannelKey, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
