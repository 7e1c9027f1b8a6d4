//! The daemon at work, whoever started it: the store, the channels, the loops between the stacks.

mod absent;
mod channel;
mod channels;
mod cursors;
mod desired;
mod events;
pub(crate) mod ledger;
mod persist;
mod sends;
mod signs;
mod sleep;
mod spec;
mod turns;
mod upkeep;

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use kata_agent::Guard;
use kata_channel::{
    Clock, Timestamp,
    settings::{Backend, CatchUpMode},
};
use kata_plugin::{Announcements, Announcer, Plugins, Registrar};
use kata_store::{Away, ChannelId, ClaimedTurn, Store, Take, UnixMs};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

#[cfg(feature = "gmail")]
pub(crate) use self::spec::moved;
pub(crate) use self::{
    channel::Channel,
    channels::{Channels, Desired},
    desired::{Asked, Reader},
    events::{Events, fault},
    signs::Sign,
    spec::{OwnersOf, Refusal, Spec, Tokens, TokensOf},
    turns::share,
};
use crate::{
    agents::{AgentParts, Agents, StoreMemory},
    gate::{Approvals, Gatehouse},
    home::{DaemonConfig, Home},
    host::HostLink,
    pairing::Pairings,
    plugins::Services,
    tasks, tools,
    turn::{Complaints, OpenTurns, Slots},
};

/// D10: without a configuration the claim loop starts this long after `running`.
const PATIENCE: Duration = Duration::from_secs(1);
/// The lease of a turn that a host runs which says nothing of itself: the 0.7 app has no turn limit.
const LEASE_PLAIN: Duration = Duration::from_secs(60 * 60);
/// Every other lease.
const LEASE: Duration = Duration::from_secs(15 * 60);
/// Everything that the loops share.
#[derive(Debug)]
pub(crate) struct Daemon {
    pub(crate) home: Home,
    pub(crate) config: DaemonConfig,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) events: Events,
    pub(crate) plugins: Plugins,
    pub(crate) gate: Gatehouse,
    /// Strangers who were let in.
    pub(crate) pairings: Pairings,
    /// Tells the hooks that only look.
    pub(crate) announcer: Announcer,
    announcements: Mutex<Option<Announcements>>,
    pub(crate) services: Services,
    pub(crate) agents: Agents,
    /// The host, where one runs agents.
    pub(crate) host: Option<Arc<HostLink>>,
    pub(crate) channels: Channels,
    pub(crate) open_turns: OpenTurns,
    /// Rows under which this process has put a sign of life.
    pub(crate) signs: Mutex<HashSet<i64>>,
    pub(crate) slots: Slots,
    /// What was said about sessions that cannot be kept as they should.
    pub(crate) complaints: Complaints,
    pub(crate) started: Timestamp,
    /// When we began, or the machine woke up, whichever was later: Unix milliseconds.
    came_back: AtomicI64,
    /// Grows with every thaw.
    pub(crate) thawed: watch::Sender<u64>,
    /// Cancelled at the first sign of an end.
    pub(crate) stopping: CancellationToken,
    /// Turns that are running. The drain waits for them.
    pub(crate) turning: TaskTracker,
    /// Sends that are under way. The drain waits for them.
    pub(crate) sending: TaskTracker,
    /// All else: ends by itself once `stopping` is cancelled.
    pub(crate) tasks: TaskTracker,
}

/// What a daemon is made of, apart from what it makes itself.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) home: Home,
    pub(crate) config: DaemonConfig,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) events: Events,
    pub(crate) plugins: Plugins,
    /// What the tools for tasks were given.
    pub(crate) desk: tasks::Desk,
    pub(crate) host: Option<Arc<HostLink>>,
}

// === impl Daemon ===

impl Daemon {
    pub(crate) fn new(parts: Parts) -> Arc<Self> {
        let Parts {
            home,
            config,
            store,
            clock,
            events,
            plugins,
            desk,
            host,
        } = parts;
        let tracker = TaskTracker::new();
        let agents = Agents::new(AgentParts {
            default: config.agent.clone(),
            host: host.as_ref().map(|link| link.agent()),
            sessions: home.sessions(),
            guard: guard(),
            max_warm: config.max_warm_agents,
            memory: Arc::new(StoreMemory::new(store.clone())),
            tasks: tracker.clone(),
        });
        let gate = Gatehouse::new(&home);
        let policies = gate.policies.clone();
        let (announcer, announcements) = Announcer::new(plugins.registrar(), move |workspace, plugin| {
            policies.is_enabled(workspace.as_str(), plugin)
        });
        let open_turns = OpenTurns::default();
        desk.open(&store, &clock, &open_turns);
        Arc::new(Self {
            agents,
            channels: Channels::new(),
            pairings: Pairings::default(),
            open_turns,
            signs: Mutex::default(),
            complaints: Complaints::default(),
            slots: turns::slots(config.max_turns),
            started: clock.wall(),
            came_back: AtomicI64::new(clock.wall().as_millis()),
            thawed: watch::Sender::new(0),
            stopping: CancellationToken::new(),
            turning: TaskTracker::new(),
            sending: TaskTracker::new(),
            gate,
            announcer,
            announcements: Mutex::new(Some(announcements)),
            services: Services::default(),
            tasks: tracker,
            home,
            config,
            store,
            clock,
            events,
            plugins,
            host,
        })
    }

    /// What the plugins brought.
    pub(crate) fn registrar(&self) -> &Registrar {
        self.plugins.registrar()
    }

    /// Starts the loops. Each ends once [`stopping`](Self::stopping) is cancelled.
    pub(crate) fn start(self: &Arc<Self>) {
        self.spawn_critical(
            "outbox",
            sends::outbox_loop(Arc::clone(self), self.stopping.clone()),
        );
        self.spawn_critical("sleep", sleep::watch(Arc::clone(self), self.stopping.clone()));
        self.spawn_critical("upkeep", upkeep::run(Arc::clone(self), self.stopping.clone()));
        self.spawn_critical(
            "approvals",
            Approvals::expire(Arc::clone(self), self.stopping.clone()),
        );
        self.spawn_critical(
            "permissions",
            Gatehouse::watch(Arc::clone(self), self.stopping.clone()),
        );
        if let Some(news) = self
            .announcements
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        {
            self.spawn_critical("hooks", news.run(self.stopping.clone()));
        }
        self.spawn_critical("tools", tools::serve(Arc::clone(self), self.stopping.clone()));
        let this = Arc::clone(self);
        self.spawn_critical("turns", async move {
            this.configured().await;
            let stop = this.stopping.clone();
            turns::claim_loop(this, stop).await;
        });
        let this = Arc::clone(self);
        self.spawn_critical("tasks", async move {
            this.configured().await;
            let stop = this.stopping.clone();
            tasks::run(this, stop).await;
        });
    }

    /// D10: the first configuration, or a second after `running` if none came.
    async fn configured(&self) {
        let mut configured = self.channels.configurations();
        let _ = tokio::time::timeout(PATIENCE, configured.wait_for(|n| *n > 0)).await;
    }

    /// The channel of a claimed turn. One that is not configured is there for turns of tasks alone (D10).
    pub(crate) fn channel_of(self: &Arc<Self>, turn: &ClaimedTurn) -> Option<Arc<Channel>> {
        let is_tasks = turn.rows.iter().any(|row| row.metadata.contains_key("taskId"));
        self.channels
            .by_id(turn.channel)
            .or_else(|| is_tasks.then(|| absent::channel(self, turn)))
    }

    /// Runs a loop that must not end before the daemon does: if it panics or returns, the daemon drains, and its
    /// supervisor starts a new one.
    pub(crate) fn spawn_critical(
        self: &Arc<Self>,
        name: &'static str,
        run: impl Future<Output = ()> + Send + 'static,
    ) {
        let task = self.tasks.spawn(run);
        let stopping = self.stopping.clone();
        self.tasks.spawn(async move {
            let ended = task.await;
            if !stopping.is_cancelled() {
                tracing::error!(
                    task = name,
                    panicked = ended.is_err(),
                    "a loop ended that must not end; draining"
                );
                stopping.cancel();
            }
        });
    }

    /// Waits for a time on the wall clock; for ever without one.
    pub(crate) async fn due(&self, at: Option<Timestamp>) {
        match at {
            Some(at) => self.clock.sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    /// Messages that were given up because the daemon died too often with them: said where they were said.
    pub(crate) fn say_parked(self: &Arc<Self>, rows: Vec<i64>) {
        let daemon = Arc::clone(self);
        self.tasks.spawn(async move {
            for row in rows {
                let said = format!("message {row} could not be answered: the daemon ended in each of its attempts; retry_message brings it back");
                daemon.events.plugin_error("katad", &said).await;
                if let Err(error) = daemon.store.say_parked(row, Box::new(crate::replies::parked)).await {
                    tracing::warn!(msg = row, %error, "the notice could not be written");
                }
            }
        });
    }

    /// The machine slept, or its clock was set: one ordered reaction (promise 7). Lanes are held first, so that
    /// nothing is claimed past what the night brought; then every channel drops its connection, opens it again and
    /// reads from its cursors; the hold ends with that, or after 30 s.
    pub(crate) fn thaw(&self) {
        self.channels.hold_all();
        self.came_back
            .store(self.clock.wall().as_millis(), Ordering::Relaxed);
        self.thawed.send_modify(|n| *n += 1);
        self.channels.touch();
    }

    /// How long a turn of this channel may take (time awake).
    pub(crate) fn turn_limit(&self, channel: &Channel) -> Duration {
        let agent = &channel.spec.settings.agent;
        if let Some(set) = self.agents.deadline(agent) {
            return set;
        }
        if let Some(minutes) = self.config.lease_min {
            return Duration::try_from_secs_f64(minutes * 60.0).unwrap_or(LEASE_PLAIN);
        }
        let plain = self
            .host
            .as_ref()
            .is_some_and(|host| host.can() == crate::host::Capabilities::default());
        if self.agents.backend(agent) == Backend::Host && plain {
            LEASE_PLAIN
        } else {
            LEASE
        }
    }

    /// Channels in the order of a claim, each with how many of its waiting messages may become one turn (D14): as its
    /// settings say, but one where the host runs its agent and takes no more. A digest is one turn to everybody.
    pub(crate) fn coalesced(&self, order: Vec<ChannelId>) -> Vec<Take> {
        let host_takes_several = self.host.as_ref().is_some_and(|host| host.can().coalesce);
        let most = |channel: &Channel| {
            let settings = &channel.spec.settings;
            if self.agents.backend(&settings.agent) == Backend::Host && !host_takes_several {
                1
            } else {
                settings.coalesce.max
            }
        };
        let until = UnixMs(self.came_back.load(Ordering::Relaxed));
        let take = |id| {
            let channel = self.channels.by_id(id);
            let catch_up = channel.as_ref().map(|channel| &channel.spec.settings.catch_up);
            let digest = catch_up.filter(|it| it.mode == CatchUpMode::Digest);
            Take {
                channel: id,
                max_rows: channel.as_deref().map_or(1, most),
                digest: digest.map(|it| Away {
                    after: it.after(),
                    until,
                }),
            }
        };
        order.into_iter().map(take).collect()
    }

    /// Reads what is asked for: by `configure_channels`, or by the folder.
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader {
            plugins: self.registrar(),
            config: &self.config,
            with_host: self.host.is_some(),
        }
    }
}

/// How programs are kept from outliving us: by ourselves.
fn guard() -> Option<Guard> {
    match std::env::current_exe() {
        Ok(program) => Some(Guard {
            program,
            args: vec!["guard".into()],
        }),
        Err(error) => {
            tracing::warn!(%error, "agents outlive a daemon that is killed: where this program lies is not known");
            None
        }
    }
}

impl OwnersOf for DaemonConfig {
    fn owners(&self, workspace: &str, platform: &str) -> Vec<String> {
        Self::owners(self, workspace, platform)
    }
}
