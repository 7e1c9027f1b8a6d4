//! Hooks that look, on a clock that leaps.

use std::{
    future,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use kata_channel::{Admitted, Error, Page, Place, Role, Sender, Timestamp};
use tokio::{sync::Notify, task::JoinHandle};
use tower::{ServiceBuilder, ServiceExt as _, service_fn};

use super::*;
use crate::layer::HOOK;

/// What a hook does when it has looked.
#[derive(Clone, Copy)]
enum Does {
    Go,
    Fail,
    Panic,
    Hang,
}

/// What hooks saw, in order.
#[derive(Clone, Default)]
struct Seen(Arc<(Mutex<Vec<String>>, Notify)>);

struct Witness(&'static str, Does, Seen);

impl Seen {
    fn note(&self, what: String) {
        let mut seen = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(what);
        self.0.1.notify_one();
    }

    async fn first(&self, n: usize) -> Vec<String> {
        loop {
            let seen = self.0.0.lock().unwrap().clone();
            if seen.len() >= n {
                return seen;
            }
            self.0.1.notified().await;
        }
    }
}

impl Witness {
    async fn look(&self, what: String) -> Result<(), String> {
        self.2.note(format!("{} {what}", self.0));
        match self.1 {
            Does::Go => Ok(()),
            Does::Fail => Err("no connection".into()),
            Does::Panic => panic!("in a hook"),
            Does::Hang => future::pending().await,
        }
    }
}

#[async_trait]
impl MessageReceived for Witness {
    fn name(&self) -> &str {
        self.0
    }

    async fn received(&self, message: &Received) -> Result<(), String> {
        self.look(message.text.clone()).await
    }
}

#[async_trait]
impl SessionStart for Witness {
    fn name(&self) -> &str {
        self.0
    }

    async fn started(&self, session: &Session) -> Result<(), String> {
        self.look(session.session_key.clone()).await
    }
}

fn message(workspace: &str, text: &str) -> Received {
    Received {
        channel: ChannelKey::new(workspace, "team"),
        place: Place::conversation("C1"),
        id: "1".into(),
        sender: Sender {
            id: "U1".into(),
            name: None,
            is_bot: false,
            is_self: false,
        },
        role: Role::Member,
        text: text.into(),
        sent_at: Timestamp::from_millis(0),
    }
}

fn session(workspace: &str, key: &str) -> Session {
    Session {
        channel: ChannelKey::new(workspace, "team"),
        place: Place::conversation("C1"),
        session_key: key.into(),
    }
}

/// Hooks that do this, in this order; `w1` has the plugin `kata-a` alone.
fn hooks(does: &[(&'static str, &'static str, Does)]) -> (Announcer, Announcements, Seen) {
    let (mut registrar, seen) = (Registrar::new(), Seen::default());
    for &(plugin, name, does) in does {
        let witness = || Arc::new(Witness(name, does, seen.clone()));
        registrar.hook_message_received(plugin, witness());
        registrar.hook_session_start(plugin, witness());
    }
    let is_enabled = |workspace: &WorkspaceId, plugin| workspace.as_str() != "w1" || plugin == "kata-a";
    let (announcer, announcements) = Announcer::new(&registrar, is_enabled);
    (announcer, announcements, seen)
}

fn run(announcements: Announcements, stop: &CancellationToken) -> JoinHandle<()> {
    #[expect(clippy::disallowed_methods, reason = "a test's runtime ends with the test")]
    tokio::spawn(announcements.run(stop.clone()))
}

#[tokio::test(start_paused = true)]
async fn hooks_are_told_in_their_order_of_one_thing_after_the_other() {
    let (announcer, announcements, seen) =
        hooks(&[("kata-a", "first", Does::Go), ("kata-b", "second", Does::Go)]);
    announcer.session_start(session("w2", "s1"));
    announcer.message_received(message("w2", "hello"));
    run(announcements, &CancellationToken::new());
    assert_eq!(
        seen.first(4).await,
        ["first s1", "second s1", "first hello", "second hello"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_plugin_hears_nothing_of_workspaces_without_it() {
    let (announcer, announcements, seen) =
        hooks(&[("kata-b", "other", Does::Go), ("kata-a", "ours", Does::Go)]);
    announcer.message_received(message("w1", "hello"));
    announcer.session_start(session("w1", "s1"));
    announcer.message_received(message("w2", "bye"));
    run(announcements, &CancellationToken::new());
    assert_eq!(
        seen.first(4).await,
        ["ours hello", "ours s1", "other bye", "ours bye"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_fails_panics_or_hangs_stops_nothing() {
    let (announcer, announcements, seen) = hooks(&[
        ("kata-a", "fails", Does::Fail),
        ("kata-a", "panics", Does::Panic),
        ("kata-a", "hangs", Does::Hang),
        ("kata-a", "goes", Does::Go),
    ]);
    announcer.message_received(message("w1", "x"));
    announcer.session_start(session("w1", "s"));
    let before = tokio::time::Instant::now();
    run(announcements, &CancellationToken::new());
    assert_eq!(
        seen.first(8).await,
        [
            "fails x", "panics x", "hangs x", "goes x", "fails s", "panics s", "hangs s", "goes s"
        ]
    );
    assert_eq!(
        before.elapsed(),
        HOOK * 2,
        "each of the two that hang has its time"
    );
}

#[tokio::test(start_paused = true)]
async fn who_says_it_never_waits_and_what_is_too_much_is_not_told() {
    let (announcer, announcements, seen) = hooks(&[("kata-a", "a", Does::Go)]);
    for n in 0..WAITING + 10 {
        announcer.message_received(message("w1", &n.to_string()));
    }
    drop(announcer);
    run(announcements, &CancellationToken::new()).await.unwrap();
    assert_eq!(seen.first(0).await.len(), WAITING);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_daemon_waits_for_no_hook() {
    let (announcer, announcements, seen) = hooks(&[("kata-a", "hangs", Does::Hang)]);
    announcer.message_received(message("w1", "x"));
    let stop = CancellationToken::new();
    let running = run(announcements, &stop);
    seen.first(1).await;
    let before = tokio::time::Instant::now();
    stop.cancel();
    running.await.unwrap();
    assert_eq!(before.elapsed(), std::time::Duration::ZERO);
    // Said to nobody: harmless.
    announcer.message_received(message("w1", "y"));
}

#[test]
fn what_is_shown_holds_no_way_to_answer_in_anothers_name() {
    let metadata = serde_json::json!({"responseUrl": "https://example.com/secret"});
    let inbound = kata_channel::Inbound {
        channel: ChannelKey::new("w1", "team"),
        place: Place::conversation("C1"),
        id: "1".into(),
        order: kata_channel::OrderKey(1),
        kind: kata_channel::Kind::Message,
        sender: message("w1", "").sender,
        text: kata_channel::Text::plain("hello"),
        mentions_us: false,
        is_direct: false,
        sent_at: Timestamp::from_millis(0),
        attachments: Vec::new(),
        metadata: metadata.as_object().unwrap().clone(),
        role: Role::Member,
        disposition: kata_channel::Disposition::Turn,
        not_before: None,
    };
    let shown = Received::from(&inbound);
    assert_eq!(shown, message("w1", "hello"));
    assert!(!format!("{shown:?}").contains("secret"));
}

/// What a commit says about a page with this message in a session that began with it.
fn stored() -> Stored {
    Stored {
        admitted: Admitted {
            new: 1,
            known: 2,
            refused: 3,
            skipped: 4,
        },
        sessions: vec![session("w2", "s1")],
        messages: vec![message("w2", "hello")],
    }
}

#[tokio::test(start_paused = true)]
async fn the_layers_tell_of_what_a_commit_made_new_a_session_before_its_message() {
    let (announcer, announcements, seen) = hooks(&[("kata-a", "a", Does::Go)]);
    let stack = ServiceBuilder::new()
        .layer(MessageReceivedLayer::new(announcer.clone()))
        .layer(SessionStartLayer::new(announcer))
        .service(service_fn(|_: Page| future::ready(Ok::<_, Error>(stored()))));
    let admitted = stack.oneshot(Page::pushed(Vec::new())).await.unwrap();
    assert_eq!(
        admitted,
        stored().admitted,
        "those above learn what they learned before"
    );
    run(announcements, &CancellationToken::new());
    assert_eq!(seen.first(2).await, ["a s1", "a hello"]);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_stored_is_told_to_nobody() {
    let (announcer, announcements, seen) = hooks(&[("kata-a", "a", Does::Go)]);
    let stack = ServiceBuilder::new()
        .layer(MessageReceivedLayer::new(announcer.clone()))
        .layer(SessionStartLayer::new(announcer))
        .service(service_fn(|_: Page| {
            future::ready(Err::<Stored, Error>("the disk is full".into()))
        }));
    assert!(stack.oneshot(Page::pushed(Vec::new())).await.is_err());
    run(announcements, &CancellationToken::new()).await.unwrap();
    assert!(seen.first(0).await.is_empty());
}
