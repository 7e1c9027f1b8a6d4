//! One channel at work: its adapter, its stacks, its driver, and what is known of its state.

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use kata_channel::{
    Adapter, ChannelError, ChannelKey, Timestamp,
    drive::{DriveSettings, Driver, DriverEvent},
    egress::PaceLayer,
    ingress::Trigger,
    markdown,
};
use kata_ipc::event::ConnectionStatus as ChannelState;
use kata_plugin::MessageSendingHooks;
use kata_store::{ChannelId, Store};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    Daemon,
    cursors::StoreCursors,
    signs,
    spec::{Refusal, Spec},
};
use crate::{pairing, stack};

/// The lanes of a conversation wait for its reconcile this long at most (D3).
const HOLD: Duration = Duration::from_secs(30);
/// How long a stopped channel may take: disconnecting takes two seconds at most.
const STOP: Duration = Duration::from_millis(2500);
/// How often opening the channel in the store is tried again while the store cannot write.
const REOPEN: Duration = Duration::from_secs(2);

/// A channel that is configured: it may still be opening.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) spec: Arc<Spec>,
    channel: Arc<OnceLock<Arc<Channel>>>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

/// A channel that is open.
pub(crate) struct Channel {
    pub(crate) id: ChannelId,
    pub(crate) key: ChannelKey,
    pub(crate) spec: Arc<Spec>,
    pub(crate) adapter: Arc<dyn Adapter>,
    /// The pace of its sends, shared by all of them.
    pub(crate) pace: PaceLayer,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    status: ChannelState,
    error: Option<ChannelError>,
    hold_until: Option<Timestamp>,
    paused: bool,
    clock: kata_channel::Clock,
}

// === impl Running ===

impl Running {
    /// Makes the adapter at once, and opens the channel in a task of its own.
    pub(super) fn start(daemon: &Arc<Daemon>, spec: Spec) -> Result<Self, Refusal> {
        let adapter = spec.adapter(daemon.clock.clone(), daemon.tasks.clone())?;
        let trigger = Trigger::compile(spec.filter.patterns()).map_err(|e| Refusal {
            plugin_id: spec.key.slug.to_string(),
            error: format!("channel {:?}: {e}", spec.key.slug),
        })?;
        let stop = daemon.stopping.child_token();
        let spec = Arc::new(spec);
        let slot = Arc::new(OnceLock::new());
        let task = {
            let (daemon, spec, slot, stop) = (
                Arc::clone(daemon),
                Arc::clone(&spec),
                Arc::clone(&slot),
                stop.clone(),
            );
            daemon.tasks.clone().spawn(async move {
                let Some(opened) = open(&daemon.store, &spec.key, &stop).await else {
                    return;
                };
                let channel = Arc::new(Channel::new(&daemon, (opened.id, opened.paused), spec, adapter));
                // D3: after a connect the lanes wait for their reconcile.
                channel.hold();
                let _ = slot.set(Arc::clone(&channel));
                daemon.channels.touch();
                drive(&daemon, &channel, trigger, opened.first_configured, stop).await;
            })
        };
        Ok(Self {
            spec,
            channel: slot,
            stop,
            task,
        })
    }

    /// The channel, once it is open.
    pub(super) fn channel(&self) -> Option<Arc<Channel>> {
        self.channel.get().cloned()
    }

    /// Ends it: sockets closed, nothing new comes in.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        if tokio::time::timeout(STOP, self.task).await.is_err() {
            tracing::warn!(channel = %self.spec.key, "the channel did not disconnect in time");
        }
    }
}

/// Opens the channel's rows. A store that cannot write is asked again until it can.
async fn open(store: &Store, key: &ChannelKey, stop: &CancellationToken) -> Option<kata_store::Channel> {
    loop {
        match store.channel(key.workspace.as_str(), key.slug.as_str()).await {
            Ok(opened) => return Some(opened),
            Err(error) => tracing::error!(channel = %key, %error, "the channel cannot be opened yet"),
        }
        tokio::select! {
            () = stop.cancelled() => return None,
            () = tokio::time::sleep(REOPEN) => {}
        }
    }
}

async fn drive(
    daemon: &Arc<Daemon>,
    channel: &Arc<Channel>,
    trigger: Trigger,
    first_configured: kata_store::UnixMs,
    stop: CancellationToken,
) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = pairing::recall(daemon, channel) => {}
    }
    let ingress = stack::ingress(daemon, channel, trigger);
    let cursors = StoreCursors::new(
        daemon.store.clone(),
        channel.id,
        first_configured,
        daemon.clock.clone(),
    );
    let (events, heard) = mpsc::channel(64);
    let driver = Driver::new(
        Arc::clone(&channel.adapter),
        ingress,
        Arc::new(cursors),
        DriveSettings {
            poll_interval: channel.spec.poll_interval,
        },
        daemon.clock.clone(),
        daemon.thawed.subscribe(),
        events,
    );
    let listening = listen(daemon, channel, heard);
    let driving = driver.run(stop);
    // The driver drops its sender when it ends, and that ends the listening.
    tokio::join!(driving, listening);
    channel.set(ChannelState::Stopped, None);
    daemon
        .events
        .channel_status(channel, ChannelState::Stopped, None)
        .await;
}

/// What the driver says becomes state, and words for the host.
async fn listen(daemon: &Arc<Daemon>, channel: &Arc<Channel>, mut heard: mpsc::Receiver<DriverEvent>) {
    while let Some(event) = heard.recv().await {
        match event {
            DriverEvent::Connecting => channel.announce(daemon, ChannelState::Connecting, None).await,
            DriverEvent::Connected(identity) => {
                tracing::info!(channel = %channel.key, bot = %identity.name, "connected");
                channel.announce(daemon, ChannelState::Connected, None).await;
                let (daemon, channel) = (Arc::clone(daemon), Arc::clone(channel));
                daemon
                    .tasks
                    .clone()
                    .spawn(async move { signs::clear_left_over(&daemon, &channel).await });
            }
            DriverEvent::Recovered => channel.announce(daemon, ChannelState::Connected, None).await,
            // A refusal does not pass by itself: somebody must act.
            DriverEvent::Degraded(error @ ChannelError::Rejected(_)) | DriverEvent::Refused(error) => {
                channel.call_for_help(daemon, ChannelState::Degraded, error).await;
            }
            DriverEvent::AuthExpired(error) => {
                channel
                    .call_for_help(daemon, ChannelState::AuthExpired, error)
                    .await;
            }
            DriverEvent::Degraded(error) => {
                channel
                    .announce(daemon, ChannelState::Degraded, Some(error))
                    .await
            }
            DriverEvent::RateLimited(error) => {
                channel
                    .announce(daemon, ChannelState::RateLimited, Some(error))
                    .await;
            }
            DriverEvent::Warning(said) => {
                daemon.events.plugin_error(channel.key.slug.as_str(), &said).await;
            }
            DriverEvent::Holding => channel.hold(),
            DriverEvent::Reconciled => channel.release(),
            DriverEvent::Skipped { count } => {
                let said = format!(
                    "channel {:?}: {count} messages are older than the catch-up reaches back; they are recorded as skipped",
                    channel.key.slug
                );
                daemon.events.plugin_error(channel.key.slug.as_str(), &said).await;
            }
            DriverEvent::PlaceUnreadable { place, error } => {
                let said = format!("{}: {error}", place.conversation);
                daemon.events.plugin_error(channel.key.slug.as_str(), &said).await;
            }
        }
        daemon.channels.touch();
    }
}

// === impl Channel ===

impl Channel {
    pub(super) fn new(
        daemon: &Arc<Daemon>,
        (id, paused): (ChannelId, bool),
        spec: Arc<Spec>,
        adapter: Arc<dyn Adapter>,
    ) -> Self {
        Self {
            id,
            key: spec.key.clone(),
            pace: PaceLayer::new(spec.settings.quota.sends_per_second),
            spec,
            adapter,
            state: Mutex::new(State {
                status: ChannelState::Connecting,
                error: None,
                hold_until: None,
                paused,
                clock: daemon.clock.clone(),
            }),
        }
    }

    /// Its messages may become turns.
    pub(super) fn may_turn(&self) -> bool {
        let state = self.lock();
        !state.paused && state.hold_until.is_none_or(|until| until <= state.clock.wall())
    }

    /// Its answers may be sent. D21: with an expired token they wait for a new one.
    pub(super) fn may_send(&self) -> bool {
        let state = self.lock();
        !state.paused && state.status != ChannelState::AuthExpired
    }

    /// Its lanes wait for its reconcile.
    pub(super) fn hold(&self) {
        let mut state = self.lock();
        state.hold_until = Some(state.clock.wall() + HOLD);
    }

    /// When its hold ends by itself.
    pub(super) fn held_until(&self) -> Option<Timestamp> {
        let state = self.lock();
        state.hold_until.filter(|until| *until > state.clock.wall())
    }

    fn release(&self) {
        self.lock().hold_until = None;
    }

    /// Nothing is claimed and nothing is sent while it is paused; what arrives is kept.
    pub(crate) fn set_paused(&self, paused: bool) {
        self.lock().paused = paused;
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.lock().paused
    }

    /// What is known of it.
    pub(crate) fn status(&self) -> (ChannelState, Option<ChannelError>) {
        let state = self.lock();
        (state.status, state.error.clone())
    }

    /// The answer in the platform's markup, in parts that it takes.
    pub(crate) fn render(&self, markdown: &str) -> Vec<String> {
        let descriptor = self.adapter.descriptor();
        markdown::render(markdown, &descriptor.dialect, descriptor.length)
    }

    /// The hooks that look at its answers.
    pub(crate) fn message_sending(&self, daemon: &Daemon) -> MessageSendingHooks {
        let (policies, workspace) = (&daemon.gate.policies, self.key.workspace.as_str());
        daemon
            .registrar()
            .message_sending(|plugin| policies.is_enabled(workspace, plugin))
    }

    /// A send was refused because the token is no longer good.
    pub(super) async fn auth_expired(&self, daemon: &Daemon, error: &ChannelError) {
        if self.status().0 != ChannelState::AuthExpired {
            self.call_for_help(daemon, ChannelState::AuthExpired, error.clone())
                .await;
        }
    }

    /// A state that only a person can end: also a `plugin_error`, since that is all that 0.7 shows.
    async fn call_for_help(&self, daemon: &Daemon, status: ChannelState, error: ChannelError) {
        daemon
            .events
            .plugin_error(self.key.slug.as_str(), &error.to_string())
            .await;
        self.announce(daemon, status, Some(error)).await;
    }

    async fn announce(&self, daemon: &Daemon, status: ChannelState, error: Option<ChannelError>) {
        self.set(status, error.clone());
        daemon.events.channel_status(self, status, error.as_ref()).await;
    }

    fn set(&self, status: ChannelState, error: Option<ChannelError>) {
        let mut state = self.lock();
        state.status = status;
        state.error = error;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel")
            .field("id", &self.id)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
