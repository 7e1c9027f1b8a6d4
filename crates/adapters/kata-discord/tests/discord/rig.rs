//! Channels at a fake Discord, and a store that remembers what it was given.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use kata_channel::{
    Adapter, Admitted, ChannelError, ChannelKey, Clock, IdempotencyKey, Inbound, ManualClock, Outbound, Page,
    Place, Timestamp,
    drive::{Pulse, Sink},
    settings::{Filter, Settings},
};
use kata_discord::DiscordPlugin;
use kata_plugin::{ChannelContext, Plugin, Registrar, ToolSpec};
use kata_testkit::{
    PATIENCE,
    discord::{BOT_TOKEN, ChannelKind, FakeDiscord},
};
use serde_json::Map;
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
    time::timeout,
};
use tokio_util::task::TaskTracker;
use tower::{service_fn, util::BoxCloneSyncService};

/// Ada, and the channel she writes in.
pub(crate) const ADA: &str = "1001";
pub(crate) const GENERAL: &str = "2001";

/// A server with Ada in it, and a plugin to make channels with.
pub(crate) struct Rig {
    pub(crate) discord: FakeDiscord,
    pub(crate) time: ManualClock,
    registrar: Registrar,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        let discord = FakeDiscord::start().await;
        discord.add_user(ADA, "ada");
        discord.add_channel(GENERAL, "general", ChannelKind::Text);
        let mut registrar = Registrar::new();
        DiscordPlugin::new().register(&mut registrar).unwrap();
        Self {
            discord,
            time: ManualClock::at(Clock::system().wall()),
            registrar,
        }
    }

    /// Another process, which knows nothing.
    pub(crate) fn after_a_restart(self) -> Self {
        let mut registrar = Registrar::new();
        DiscordPlugin::new().register(&mut registrar).unwrap();
        Self { registrar, ..self }
    }

    pub(crate) fn registrar(&self) -> &Registrar {
        &self.registrar
    }

    pub(crate) fn context(&self, slug: &str, named: &[&str]) -> ChannelContext {
        let ids = named.iter().map(|&id| id.to_owned()).collect();
        ChannelContext {
            key: ChannelKey::new("w1", slug),
            filter: Filter {
                channel_ids: Some(ids),
                ..Filter::default()
            },
            settings: Settings::default(),
            owners: Vec::new(),
            poll_interval: None,
            token: Some(BOT_TOKEN.into()),
            app_token: None,
            endpoint: Some(self.discord.api_url().parse().unwrap()),
            clock: self.time.clock(),
            tasks: TaskTracker::new(),
        }
    }

    pub(crate) fn make(&self, context: ChannelContext) -> Arc<dyn Adapter> {
        (self.registrar.channel("discord").unwrap().make)(context).unwrap()
    }

    pub(crate) fn tools(&self) -> Vec<&ToolSpec> {
        self.registrar.tools().map(|tool| &tool.spec).collect()
    }

    /// A channel that knows who it is.
    pub(crate) async fn channel(&self, slug: &str, named: &[&str]) -> Arc<dyn Adapter> {
        self.connected(self.context(slug, named)).await
    }

    pub(crate) async fn connected(&self, context: ChannelContext) -> Arc<dyn Adapter> {
        let adapter = self.make(context);
        adapter.connect().await.unwrap();
        adapter
    }

    /// An answer to somebody in `place`.
    pub(crate) fn answer(&self, place: Place, key: &str, text: &str) -> Outbound {
        Outbound {
            channel: ChannelKey::new("w1", "support"),
            place,
            reply_to: None,
            text: text.into(),
            key: IdempotencyKey(key.into()),
            part: 1,
            of: 1,
            metadata: Map::new(),
            choices: Vec::new(),
            created_at: self.now(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.time.clock().wall()
    }
}

/// A subscription, and the store behind it.
pub(crate) struct Ear {
    heard: mpsc::UnboundedReceiver<Vec<Inbound>>,
    pub(crate) pulse: watch::Receiver<Pulse>,
    /// A commit takes a permit: there are plenty, until a test takes them away.
    pub(crate) commits: Arc<Semaphore>,
    /// The store takes nothing.
    pub(crate) full: Arc<AtomicBool>,
    /// Everybody is a stranger.
    pub(crate) refuses: Arc<AtomicBool>,
    ended: JoinSet<Result<(), ChannelError>>,
}

impl Ear {
    /// Subscribes, and waits until events flow.
    pub(crate) async fn open(adapter: &Arc<dyn Adapter>) -> Self {
        let mut ear = Self::attach(adapter);
        timeout(PATIENCE, ear.pulse.wait_for(|pulse| pulse.ready))
            .await
            .expect("ready in time")
            .unwrap();
        ear
    }

    pub(crate) fn attach(adapter: &Arc<dyn Adapter>) -> Self {
        let (tell, heard) = mpsc::unbounded_channel();
        let commits = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        let (full, refuses) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let (permits, is_full, refusing) = (commits.clone(), full.clone(), refuses.clone());
        let store = service_fn(move |page: Page| {
            let (tell, permits) = (tell.clone(), permits.clone());
            let (is_full, refusing) = (is_full.clone(), refusing.clone());
            async move {
                permits.acquire().await?.forget();
                if is_full.load(Ordering::Relaxed) {
                    return Err("the disk is full".into());
                }
                let count = page.messages.len();
                let _ = tell.send(page.messages);
                let refused = refusing.load(Ordering::Relaxed);
                Ok(Admitted {
                    new: if refused { 0 } else { count },
                    refused: if refused { count } else { 0 },
                    ..Admitted::default()
                })
            }
        });
        let (sink, pulse) = Sink::new(BoxCloneSyncService::new(store));
        let mut ended = JoinSet::new();
        let adapter = adapter.clone();
        ended.spawn(async move { adapter.push().expect("Discord pushes").subscribe(sink).await });
        Self {
            heard,
            pulse,
            commits,
            full,
            refuses,
            ended,
        }
    }

    /// The next commit.
    pub(crate) async fn page(&mut self) -> Vec<Inbound> {
        timeout(PATIENCE, self.heard.recv())
            .await
            .expect("a commit in time")
            .unwrap()
    }

    /// The next message of a person, when commits hold one each.
    pub(crate) async fn next(&mut self) -> Inbound {
        loop {
            let mut page = self.page().await;
            page.retain(|message| !message.sender.is_self);
            if !page.is_empty() {
                assert_eq!(page.len(), 1, "{page:?}");
                return page.remove(0);
            }
        }
    }

    /// How the subscription ended.
    pub(crate) async fn end(&mut self) -> Result<(), ChannelError> {
        timeout(PATIENCE, self.ended.join_next())
            .await
            .expect("an end in time")
            .unwrap()
            .unwrap()
    }
}
