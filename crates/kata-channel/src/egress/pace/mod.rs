//! Keeps to the channel's own quota and to the pauses the platform asks for. Under retry: every attempt pays. Over the timeout:
//! waiting for a slot is no part of an attempt.

mod conversations;
mod quota;
#[cfg(test)]
mod tests;

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::time::Instant;
use tower::{Layer, Service};

use self::{conversations::Conversations, quota::SendQuota};
use super::PATIENCE;
use crate::{
    error::{ChannelError, Error, SendError, cause_ref},
    id::ConversationId,
    outbound::{Outbound, Receipt},
};

/// Puts a [`Pace`] around a service. All services of one layer, and all their clones, share one memory: make one layer a channel.
#[derive(Clone, Debug)]
pub struct PaceLayer {
    shared: Arc<Shared>,
}

/// Sends as fast as the platform lets us: freely until it says otherwise, then no sooner than it asked, and slower in that conversation
/// for a while.
///
/// A wait of a few seconds happens in `call`. A longer one is answered at once with `RateLimited` (effect None) and the time that
/// is left: the queue can hold a part for an hour, memory should not.
///
/// It is no order: two parts that wait may leave in either order. Order is the outbox claim's doing (D17).
#[derive(Clone, Debug)]
pub struct Pace<S> {
    inner: S,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    quota: Option<SendQuota>,
    conversations: Mutex<Conversations>,
}

/// Why a part cannot leave yet, and for how long.
#[derive(Debug)]
struct NotYet {
    what: String,
    wait: Duration,
}

// === impl PaceLayer ===

impl PaceLayer {
    /// A memory without a bad experience. `sends_per_second` is the channel's own quota (`settings.quota.sendsPerSecond`); none, or a
    /// number that is not positive, is no quota.
    #[must_use]
    pub fn new(sends_per_second: Option<f64>) -> Self {
        let quota = sends_per_second.and_then(SendQuota::per_second);
        Self {
            shared: Arc::new(Shared {
                quota,
                conversations: Mutex::default(),
            }),
        }
    }
}

impl<S> Layer<S> for PaceLayer {
    type Service = Pace<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Pace {
            inner,
            shared: self.shared.clone(),
        }
    }
}

// === impl Pace ===

impl<S> Service<Outbound> for Pace<S>
where
    S: Service<Outbound, Response = Receipt> + Clone + Send + 'static,
    S::Error: Into<Error>,
    S::Future: Send,
{
    type Response = Receipt;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Receipt, Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, out: Outbound) -> Self::Future {
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let shared = self.shared.clone();
        Box::pin(async move {
            let conversation = out.place.conversation.clone();
            shared.slot(&conversation).await?;
            let outcome = inner.call(out).await.map_err(Into::into);
            shared.learn(&conversation, &outcome);
            outcome
        })
    }
}

// === impl Shared ===

impl Shared {
    /// Waits for a slot and takes it.
    async fn slot(&self, conversation: &ConversationId) -> Result<(), SendError> {
        let patience_ends = Instant::now() + PATIENCE;
        loop {
            let now = Instant::now();
            let Err(NotYet { what, wait }) = self.try_slot(conversation, now) else {
                return Ok(());
            };
            if now + wait > patience_ends {
                return Err(SendError::none(ChannelError::RateLimited {
                    what,
                    retry_after: Some(wait),
                }));
            }
            tokio::time::sleep(wait).await;
        }
    }

    fn try_slot(&self, conversation: &ConversationId, now: Instant) -> Result<(), NotYet> {
        let mut conversations = self.lock();
        if let Some(wait) = conversations.wait(conversation, now) {
            return Err(NotYet {
                what: format!("conversation {conversation}"),
                wait,
            });
        }
        if let Some(wait) = self.quota.as_ref().and_then(SendQuota::wait) {
            return Err(NotYet {
                what: "sending faster than the channel's sendsPerSecond".to_owned(),
                wait,
            });
        }
        conversations.sent(conversation, now);
        Ok(())
    }

    fn learn(&self, conversation: &ConversationId, outcome: &Result<Receipt, Error>) {
        match outcome {
            Ok(_) => self.lock().passed(conversation),
            Err(error) => {
                if let Some(ChannelError::RateLimited { retry_after, .. }) = cause_ref(&**error) {
                    self.lock().limited(conversation, *retry_after, Instant::now());
                }
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Conversations> {
        self.conversations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
