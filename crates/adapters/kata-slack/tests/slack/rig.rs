//! Channels at a fake Slack, and a store that remembers what it was given.

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
use kata_plugin::{ChannelContext, Plugin, Registrar, SetupError, ToolSpec};
use kata_slack::SlackPlugin;
use kata_testkit::{
    PATIENCE,
    slack::{APP_TOKEN, BOT_TOKEN, ChannelKind, FakeSlack},
};
use serde_json::Map;
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
    time::timeout,
};
use tokio_util::task::TaskTracker;
use tower::{service_fn, util::BoxCloneSyncService};

/// A workspace with Ada in it, and a plugin to make channels with.
pub(crate) struct Rig {
    pub(crate) slack: FakeSlack,
    pub(crate) time: ManualClock,
    registrar: Registrar,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        let slack = FakeSlack::start().await;
        slack.add_user("U1", "ada");
        slack.add_channel("C1", "general", ChannelKind::Public, &["U1"]);
        let mut registrar = Registrar::new();
        SlackPlugin::new().register(&mut registrar).unwrap();
        Self {
            slack,
            time: ManualClock::at(Clock::system().wall()),
            registrar,
        }
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
            app_token: Some(APP_TOKEN.into()),
            endpoint: Some(self.slack.api_url().parse().unwrap()),
            clock: self.time.clock(),
            tasks: TaskTracker::new(),
        }
    }

    pub(crate) fn make(&self, context: ChannelContext) -> Result<Arc<dyn Adapter>, SetupError> {
        (self.registrar.channel("slack").unwrap().make)(context)
    }

    pub(crate) fn tools(&self) -> Vec<&ToolSpec> {
        self.registrar.tools().map(|tool| &tool.spec).collect()
    }

    /// A channel that knows who it is.
    pub(crate) async fn channel(&self, slug: &str, named: &[&str]) -> Arc<dyn Adapter> {
        self.connected(self.context(slug, named)).await
    }

    pub(crate) async fn connected(&self, context: ChannelContext) -> Arc<dyn Adapter> {
        let adapter = self.make(context).unwrap();
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
    ended: JoinSet<Result<(), ChannelError>>,
}

impl Ear {
    /// Subscribes, and waits until events flow.
    pub(crate) async fn open(adapter: &Arc<dyn Adapter>) -> Self {
        let mut ear = Self::attach(adapter);
        timeout(PATIENCE, ear.pulse.wait_for(|pulse| pulse.ready))
            .await
            .expect("hello in time")
            .unwrap();
        ear
    }

    pub(crate) fn attach(adapter: &Arc<dyn Adapter>) -> Self {
        let (tell, heard) = mpsc::unbounded_channel();
        let (commits, full) = (
            Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
            Arc::new(AtomicBool::new(false)),
        );
        let (permits, refuses) = (commits.clone(), full.clone());
        let store = service_fn(move |page: Page| {
            let (tell, permits, refuses) = (tell.clone(), permits.clone(), refuses.clone());
            async move {
                permits.acquire().await?.forget();
                if refuses.load(Ordering::Relaxed) {
                    return Err("the disk is full".into());
                }
                let _ = tell.send(page.messages);
                Ok(Admitted::default())
            }
        });
        let (sink, pulse) = Sink::new(BoxCloneSyncService::new(store));
        let mut ended = JoinSet::new();
        let adapter = adapter.clone();
        ended.spawn(async move { adapter.push().expect("an app token").subscribe(sink).await });
        Self {
            heard,
            pulse,
            commits,
            full,
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

    /// The next message, when commits hold one each.
    pub(crate) async fn next(&mut self) -> Inbound {
        let mut page = self.page().await;
        assert_eq!(page.len(), 1, "{page:?}");
        page.remove(0)
    }

    pub(crate) fn heard_nothing(&mut self) -> bool {
        self.heard.try_recv().is_err()
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
