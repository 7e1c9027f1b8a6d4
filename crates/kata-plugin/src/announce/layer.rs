//! The layers around a commit: what it made of a page is told to the hooks that look. They stand above the store and below all
//! that decides, so a hook hears of new rows only, each once, and never of what could not be stored (D1).

use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use kata_channel::{Admitted, Page};
use tower::{Layer, Service};

use super::Announcer;
use crate::hook::{Received, Session};

/// What a commit made of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// What the driver is told.
    pub admitted: Admitted,
    /// The sessions that began with it.
    pub sessions: Vec<Session>,
    /// The messages that are new and wait for a turn.
    pub messages: Vec<Received>,
}

/// Tells the `session_start` hooks. Under [`MessageReceivedLayer`]: a session is told of before its first message.
#[derive(Clone, Debug)]
pub struct SessionStartLayer {
    announcer: Announcer,
}

/// See [`SessionStartLayer`].
#[derive(Clone, Debug)]
pub struct SessionStartService<S> {
    inner: S,
    announcer: Announcer,
}

/// Tells the `message_received` hooks. To those above it a page is counted and no more.
#[derive(Clone, Debug)]
pub struct MessageReceivedLayer {
    announcer: Announcer,
}

/// See [`MessageReceivedLayer`].
#[derive(Clone, Debug)]
pub struct MessageReceivedService<S> {
    inner: S,
    announcer: Announcer,
}

// === impl SessionStartLayer ===

impl SessionStartLayer {
    /// By `announcer`, which does not wait.
    #[must_use]
    pub fn new(announcer: Announcer) -> Self {
        Self { announcer }
    }
}

impl<S> Layer<S> for SessionStartLayer {
    type Service = SessionStartService<S>;

    fn layer(&self, inner: S) -> SessionStartService<S> {
        SessionStartService {
            inner,
            announcer: self.announcer.clone(),
        }
    }
}

// === impl SessionStartService ===

impl<S> Service<Page> for SessionStartService<S>
where
    S: Service<Page, Response = Stored>,
    S::Future: Send + 'static,
{
    type Response = Stored;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Stored, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, page: Page) -> Self::Future {
        let (storing, announcer) = (self.inner.call(page), self.announcer.clone());
        Box::pin(async move {
            let mut stored = storing.await?;
            for session in stored.sessions.drain(..) {
                announcer.session_start(session);
            }
            Ok(stored)
        })
    }
}

// === impl MessageReceivedLayer ===

impl MessageReceivedLayer {
    /// By `announcer`, which does not wait.
    #[must_use]
    pub fn new(announcer: Announcer) -> Self {
        Self { announcer }
    }
}

impl<S> Layer<S> for MessageReceivedLayer {
    type Service = MessageReceivedService<S>;

    fn layer(&self, inner: S) -> MessageReceivedService<S> {
        MessageReceivedService {
            inner,
            announcer: self.announcer.clone(),
        }
    }
}

// === impl MessageReceivedService ===

impl<S> Service<Page> for MessageReceivedService<S>
where
    S: Service<Page, Response = Stored>,
    S::Future: Send + 'static,
{
    type Response = Admitted;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Admitted, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, page: Page) -> Self::Future {
        let (storing, announcer) = (self.inner.call(page), self.announcer.clone());
        Box::pin(async move {
            let stored = storing.await?;
            for message in stored.messages {
                announcer.message_received(message);
            }
            Ok(stored.admitted)
        })
    }
}
