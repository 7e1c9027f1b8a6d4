//! The example plugin and one that hooks into everything, in a daemon: enabled in one workspace, and not in another.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use kata_agent::Stopwatch;
use kata_channel::{
    ChannelKey, Clock,
    settings::{AgentSettings, Backend, Filter, SessionSettings, Settings},
};
use kata_example::{Board, BoardPlugin};
use kata_ipc::{Event, event::view};
use kata_perm::{ToolCall, gate};
use kata_plugin::{
    AfterToolCall, Before, BeforeToolCall, Draft, MessageReceived, MessageSending, Outcome, Plugin, Plugins,
    Received, Registrar, RegistrationError, Sending, Service, ServiceContext, ServiceSpec, Session,
    SessionStart, ToolContext,
};
use kata_store::{ClaimedRow, ClaimedTurn, UnixMs};
use serde_json::json;
use tokio::sync::mpsc;
use tower::ServiceExt as _;

use crate::{
    daemon::{Channels, Daemon, Desired, Events, Parts, Spec},
    gate::{Docket, Standing},
    home::{DaemonConfig, Home},
    open, plugins, query, stack,
    tasks::Desk,
    tools,
    turn::Slot,
};

/// The workspace that has the plugins, and the one that has none.
const WITH: &str = "with";
const WITHOUT: &str = "without";
const WATCH: &str = "kata-watch";

/// What the hooks saw, in order.
#[derive(Clone, Debug, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn note(&self, what: impl Into<String>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(what.into());
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Hooks into everything, and brings a service that panics whenever it is started.
#[derive(Debug)]
struct Watch(Seen);

struct Panics;

#[async_trait]
impl Service for Panics {
    async fn run(&self, _: ServiceContext) -> Result<(), String> {
        panic!("in a service")
    }
}

impl Plugin for Watch {
    fn id(&self) -> &'static str {
        WATCH
    }

    fn name(&self) -> &'static str {
        "Watch"
    }

    fn version(&self) -> &'static str {
        "1.0.0"
    }

    fn register(&self, to: &mut Registrar) -> Result<(), RegistrationError> {
        let hook = || Arc::new(self.0.clone());
        to.hook_message_received(WATCH, hook());
        to.hook_session_start(WATCH, hook());
        to.hook_message_sending(WATCH, hook());
        to.hook_before_tool_call(WATCH, hook());
        to.hook_after_tool_call(WATCH, hook());
        let service = ServiceSpec {
            name: "watch_panics",
            make: Arc::new(|| Arc::new(Panics) as Arc<dyn Service>),
        };
        to.register_service(WATCH, service)
    }
}

#[async_trait]
impl MessageReceived for Seen {
    fn name(&self) -> &str {
        WATCH
    }

    async fn received(&self, message: &Received) -> Result<(), String> {
        self.note(format!("received {}", message.text));
        Ok(())
    }
}

#[async_trait]
impl SessionStart for Seen {
    fn name(&self) -> &str {
        WATCH
    }

    async fn started(&self, session: &Session) -> Result<(), String> {
        self.note(format!("session in {}", session.channel.workspace));
        Ok(())
    }
}

#[async_trait]
impl MessageSending for Seen {
    fn name(&self) -> &str {
        WATCH
    }

    async fn sending(&self, draft: &mut Draft) -> Result<Sending, String> {
        self.note(format!("sending {}", draft.text));
        draft.text.push('!');
        Ok(Sending::Go)
    }
}

#[async_trait]
impl BeforeToolCall for Seen {
    fn name(&self) -> &str {
        WATCH
    }

    async fn before(&self, _: &ToolContext, call: &ToolCall) -> Result<Before, String> {
        self.note(format!("before {}", call.tool));
        Ok(Before::Go)
    }
}

#[async_trait]
impl AfterToolCall for Seen {
    fn name(&self) -> &str {
        WATCH
    }

    async fn after(&self, _: &ToolContext, call: &ToolCall, _: Outcome<'_>) -> Result<(), String> {
        self.note(format!("after {}", call.tool));
        Ok(())
    }
}

struct Scene {
    daemon: Arc<Daemon>,
    board: Board,
    seen: Seen,
    heard: mpsc::Receiver<Event>,
    _folder: tempfile::TempDir,
}

impl Scene {
    /// A daemon with the board in both workspaces; what it brings beside it is in one.
    async fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (board, seen) = (Board::default(), Seen::default());
        let (home, config, clock) = (Home::at(folder.path()), DaemonConfig::default(), Clock::system());
        let opened = open::store(&home, &config, &clock).unwrap();
        let (events, heard) = mpsc::channel(1024);
        let plugins = Plugins::new([
            Arc::new(BoardPlugin::new(board.clone())) as _,
            Arc::new(Watch(seen.clone())) as _,
        ]);
        let daemon = Daemon::new(Parts {
            home,
            config,
            store: opened.store,
            clock,
            events: Events::inside(events),
            plugins: plugins.unwrap(),
            desk: Desk::default(),
            host: None,
        });
        Self {
            daemon,
            board,
            seen,
            heard,
            _folder: folder,
        }
    }

    async fn configure(&self, channels: &[&str]) {
        let mut desired = Desired::default();
        let both = vec!["kata-board".to_owned(), WATCH.to_owned()];
        desired.workspaces = vec![(WITH.to_owned(), both), (WITHOUT.to_owned(), Vec::new())];
        for workspace in channels {
            desired.add(self.spec(workspace));
        }
        let number = self.daemon.channels.next_configuration();
        Channels::configure(&self.daemon, number, desired).await;
    }

    fn spec(&self, workspace: &str) -> Spec {
        Spec {
            key: ChannelKey::new(workspace, "board"),
            kind: self.daemon.registrar().channel("board").unwrap().clone(),
            filter: Filter::default(),
            session: SessionSettings::default(),
            settings: Settings {
                agent: AgentSettings {
                    backend: Some(Backend::Echo),
                    ..AgentSettings::default()
                },
                ..Settings::default()
            },
            poll_interval: None,
            token: None,
            app_token: None,
            owners: vec!["ada".to_owned()],
            advice: None,
        }
    }

    /// The next event that `picks` something of.
    async fn hear<T>(&mut self, picks: impl Fn(Event) -> Option<T>) -> T {
        loop {
            if let Some(picked) = picks(self.heard.recv().await.unwrap()) {
                return picked;
            }
        }
    }

    /// Calls a tool in a turn of the workspace's channel.
    async fn call(&self, workspace: &str) -> Result<serde_json::Value, String> {
        let channel = self.daemon.channels.by_key(workspace, "board").unwrap();
        let turn = turn(&channel.key, channel.id);
        let slots = &self.daemon.slots;
        let slot = Slot::new(slots.acquire().await, channel.id, &slots.ledger());
        let standing = Standing::of(&self.daemon, &channel, &turn, &slot, &Stopwatch::new());
        let docket = Arc::new(Docket::of_turn(&self.daemon, &turn, standing.clone()));
        let call = ToolCall::new("board_read", json!({"limit": 1}));
        let said = stack::tool(&self.daemon, &docket, &standing).oneshot(call).await;
        said.map(|output| output.content)
            .map_err(|error| error.to_string())
    }

    async fn is_allowed(&self, workspace: &str) -> bool {
        let docket = Docket::without_a_turn(&self.daemon, workspace);
        let call = ToolCall::new("board_read", json!({"limit": 1}));
        gate::decide(&docket, &call).await.unwrap().is_allowed()
    }

    fn tools(&self, workspace: &str) -> Vec<String> {
        tools::of_workspace(&self.daemon, workspace)
            .map(|tool| tool.name)
            .collect()
    }
}

fn turn(key: &ChannelKey, channel: kata_store::ChannelId) -> ClaimedTurn {
    let row = ClaimedRow {
        id: 1,
        platform_id: None,
        content: "hello".into(),
        prompt: "hello".into(),
        sender: Some("ada".into()),
        role: Some("owner".into()),
        sent_at: UnixMs(0),
        metadata: serde_json::Map::new(),
        has_files: false,
    };
    ClaimedTurn {
        id: 1,
        channel,
        workspace: key.workspace.to_string(),
        slug: key.slug.to_string(),
        session_key: "daemon-board-1".into(),
        conversation: "board".into(),
        thread: None,
        attempt: 1,
        is_digest: false,
        rows: vec![row],
    }
}

#[tokio::test]
async fn each_hook_sees_what_passes_in_its_place() {
    let mut scene = Scene::set().await;
    scene.daemon.start();
    scene.configure(&[WITH]).await;
    scene.board.pin("ada", "hello");
    scene
        .hear(|event| matches!(event, Event::MessageSent(_)).then_some(()))
        .await;
    let answer = scene.board.lines().pop().unwrap();
    assert_eq!(
        (&*answer.author, &*answer.text),
        ("kata", "hello!"),
        "a hook has changed it"
    );
    let mut seen = scene.seen.all();
    // Nobody waits for those that look: what they saw stands anywhere before or after the answer.
    seen.sort();
    assert_eq!(seen, ["received hello", "sending hello", "session in with"]);

    scene.call(WITH).await.unwrap();
    assert_eq!(scene.seen.all()[3..], ["before board_read", "after board_read"]);
    scene.daemon.stopping.cancel();
}

#[tokio::test]
async fn where_a_plugin_is_not_enabled_nothing_of_it_exists() {
    let scene = Scene::set().await;
    // The channel runs in both, to have a turn there: what a config asks for is refused elsewhere (`daemon/spec.rs`).
    scene.configure(&[WITH, WITHOUT]).await;
    let daemon = &scene.daemon;

    assert_eq!(scene.tools(WITH), ["board_read"]);
    assert!(scene.tools(WITHOUT).is_empty());
    assert!(scene.is_allowed(WITH).await);
    assert!(!scene.is_allowed(WITHOUT).await);
    scene.call(WITH).await.unwrap();
    let refused = scene.call(WITHOUT).await.unwrap_err();
    assert_eq!(refused, "there is no tool \"board_read\" here");
    assert_eq!(
        scene.seen.all(),
        ["before board_read", "after board_read"],
        "of one call"
    );

    let act = |workspace| plugins::act(daemon, "kata-board", Some(workspace), "count", None);
    assert!(act(WITH).await.is_ok());
    let refused = format!("{:?}", act(WITHOUT).await.unwrap_err());
    assert!(refused.contains("not_found"), "{refused}");

    let sending = |workspace: &str| {
        let channel = daemon.channels.by_key(workspace, "board").unwrap();
        channel.message_sending(daemon).len()
    };
    assert_eq!((sending(WITH), sending(WITHOUT)), (1, 0));

    let services = daemon.services.statuses();
    assert_eq!(services.len(), 2);
    assert!(services.iter().all(|(name, _)| name.workspace == WITH));
    daemon.stopping.cancel();
}

#[tokio::test(start_paused = true)]
async fn a_service_that_keeps_panicking_is_parked_said_once_and_seen_from_outside() {
    let mut scene = Scene::set().await;
    scene.configure(&[]).await;
    let said = scene
        .hear(|event| match event {
            Event::PluginError(error) if error.plugin_id == WATCH => Some(error.error),
            _ => None,
        })
        .await;
    assert!(
        said.contains("watch_panics of kata-watch is parked in workspace \"with\""),
        "{said}"
    );

    let listed = query::running_plugins(&scene.daemon);
    let watch = listed.iter().find(|plugin| plugin.plugin_id == WATCH).unwrap();
    assert_eq!(watch.is_healthy, Some(false));
    let service = &watch.services[0];
    assert_eq!(
        (
            service.state,
            service.failures,
            service.panics,
            service.is_healthy
        ),
        (view::ServiceState::Parked, 5, 5, false)
    );
    let board = listed
        .iter()
        .find(|plugin| plugin.plugin_id == "kata-board")
        .unwrap();
    assert_eq!(board.is_healthy, Some(true), "the others do not suffer");
    scene.daemon.stopping.cancel();
    tokio::time::timeout(Duration::from_secs(60), scene.daemon.tasks.wait())
        .await
        .ok();
}

#[test]
fn every_tool_of_this_build_has_a_schema_that_compiles() {
    let plugins = plugins::all(&Desk::default()).unwrap();
    assert!(plugins.registrar().tools().count() > 0);
    assert_eq!(plugins.registrar().verify(), Ok(()));
}
