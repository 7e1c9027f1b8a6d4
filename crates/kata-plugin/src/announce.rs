//! Tells the hooks that only look what has happened: one thing after the other, and nobody waits for them.

use std::{fmt, panic::AssertUnwindSafe, sync::Arc};

use futures_util::{FutureExt as _, future::BoxFuture};
use kata_channel::{ChannelKey, WorkspaceId};
use tokio::{sync::mpsc, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    hook::{Hook, MessageReceived, Received, Session, SessionStart},
    layer::HOOK,
    registrar::Registrar,
};

/// So much may wait to be told. What comes on top of it is not told: hooks are no store, and memory is bounded.
const WAITING: usize = 1024;

/// Says what has happened. It never waits, so that nothing does that calls it after its commit (D1). Clones say it to the same
/// hooks, in one order.
#[derive(Clone, Debug)]
pub struct Announcer {
    queue: mpsc::Sender<News>,
}

/// What was said, on its way to the hooks.
pub struct Announcements {
    queue: mpsc::Receiver<News>,
    message_received: Vec<Hook<dyn MessageReceived>>,
    session_start: Vec<Hook<dyn SessionStart>>,
    is_enabled: Arc<IsEnabled>,
}

/// Whether a workspace has a plugin.
type IsEnabled = dyn Fn(&WorkspaceId, &'static str) -> bool + Send + Sync;

#[derive(Debug)]
enum News {
    Received(Received),
    Session(Session),
}

// === impl Announcer ===

impl Announcer {
    /// To the hooks that `registrar` has. Those of a plugin that is not enabled in a workspace hear nothing of it.
    #[must_use]
    pub fn new(
        registrar: &Registrar,
        is_enabled: impl Fn(&WorkspaceId, &'static str) -> bool + Send + Sync + 'static,
    ) -> (Self, Announcements) {
        let (queue, waiting) = mpsc::channel(WAITING);
        let announcements = Announcements {
            queue: waiting,
            message_received: registrar.message_received().to_vec(),
            session_start: registrar.session_start().to_vec(),
            is_enabled: Arc::new(is_enabled),
        };
        (Self { queue }, announcements)
    }

    /// A message came in, was new, and is stored.
    pub fn message_received(&self, message: impl Into<Received>) {
        self.say(News::Received(message.into()));
    }

    /// A session begins.
    pub fn session_start(&self, session: Session) {
        self.say(News::Session(session));
    }

    fn say(&self, news: News) {
        if let Err(mpsc::error::TrySendError::Full(news)) = self.queue.try_send(news) {
            tracing::warn!(
                channel = %news.channel(),
                "{WAITING} messages and sessions wait for the hooks; this one is not shown to them"
            );
        }
    }
}

// === impl Announcements ===

impl Announcements {
    /// Tells the hooks until `stop` is cancelled, or all announcers are gone. A hook that fails, panics or takes more than
    /// [`HOOK`] is logged; those behind it are told all the same.
    ///
    /// # Cancel safety
    /// Dropping it forgets what was not told.
    pub async fn run(mut self, stop: CancellationToken) {
        let tell = async {
            while let Some(news) = self.queue.recv().await {
                self.tell(&news).await;
            }
        };
        // What was not told by then is not worth a slower end.
        stop.run_until_cancelled_owned(tell).await;
    }

    async fn tell(&self, news: &News) {
        let workspace = &news.channel().workspace;
        match news {
            News::Received(message) => {
                for Hook { hook, .. } in self.enabled(&self.message_received, workspace) {
                    look(hook.name(), news, hook.received(message)).await;
                }
            }
            News::Session(session) => {
                for Hook { hook, .. } in self.enabled(&self.session_start, workspace) {
                    look(hook.name(), news, hook.started(session)).await;
                }
            }
        }
    }

    fn enabled<'a, H: ?Sized>(
        &'a self,
        hooks: &'a [Hook<H>],
        workspace: &'a WorkspaceId,
    ) -> impl Iterator<Item = &'a Hook<H>> {
        hooks
            .iter()
            .filter(move |hook| (self.is_enabled)(workspace, hook.plugin))
    }
}

async fn look(hook: &str, news: &News, looks: BoxFuture<'_, Result<(), String>>) {
    let why = match timeout(HOOK, AssertUnwindSafe(looks).catch_unwind()).await {
        Ok(Ok(Ok(()))) => return,
        Ok(Ok(Err(why))) => why,
        Ok(Err(_)) => "it broke down".to_owned(),
        Err(_) => format!("it did not end within {HOOK:?}"),
    };
    tracing::warn!(hook, channel = %news.channel(), error = why, "a hook could not look at {news}");
}

impl fmt::Debug for Announcements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Announcements")
            .field("message_received", &self.message_received)
            .field("session_start", &self.session_start)
            .finish_non_exhaustive()
    }
}

// === impl News ===

impl News {
    fn channel(&self) -> &ChannelKey {
        match self {
            Self::Received(message) => &message.channel,
            Self::Session(session) => &session.channel,
        }
    }
}

/// Names it, and quotes nothing.
impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Received(message) => write!(f, "the message {}", message.id),
            Self::Session(session) => write!(f, "the session {}", session.session_key),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future,
        sync::{Mutex, PoisonError},
    };

    use async_trait::async_trait;
    use kata_channel::{Place, Role, Sender, Timestamp};
    use tokio::{sync::Notify, task::JoinHandle};

    use super::*;

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
}
