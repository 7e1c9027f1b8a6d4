//! Tells the hooks that only look what has happened: one thing after the other, and nobody waits for them.

mod layer;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;
use kata_channel::{ChannelKey, WorkspaceId};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use self::layer::{
    MessageReceivedLayer, MessageReceivedService, SessionStartLayer, SessionStartService, Stored,
};
use crate::{
    hook::{Hook, MessageReceived, Received, Session, SessionStart},
    layer::asked,
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
    /// [`HOOK`](crate::layer::HOOK) is logged; those behind it are told all the same.
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
    if let Err(why) = asked(looks).await {
        tracing::warn!(hook, channel = %news.channel(), error = why, "a hook could not look at {news}");
    }
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
