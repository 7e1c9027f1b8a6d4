//! What was said before, for agents that do not remember it by themselves. Under the gate, since a summary is a run too;
//! under the deadline, since it is written in the turn's own time; over the agent, which reads it.

mod summary;

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use kata_agent::{AgentError, Error, Reply, Seed, Turn};
use kata_channel::{ChannelKey, Place, Timestamp};
use kata_session::{
    Entry, Prompt, Speaker, Transcript,
    compaction::{Limits, Plan, plan},
    estimate,
    life::SessionStats,
};
use kata_store::{ChannelId, Compaction, KeptEntry, NewEntry, Store, StoreError, UnixMs};
use tower::{Layer, Service};

pub(crate) use self::summary::{Complaints, Summarise, key_of};
use crate::agents::Remembers;

/// Gives each turn of a session what its agent does not know of it.
#[derive(Clone, Debug)]
pub(crate) struct HistoryLayer {
    past: Arc<Past>,
    remembers: Remembers,
}

/// See [`HistoryLayer`].
#[derive(Clone, Debug)]
pub(crate) struct History<S> {
    inner: S,
    layer: HistoryLayer,
}

/// The past of one session, as it is to be told.
#[derive(Debug)]
pub(crate) struct Past {
    pub(crate) store: Store,
    pub(crate) channel: ChannelId,
    pub(crate) platform: &'static str,
    pub(crate) key: ChannelKey,
    pub(crate) place: Place,
    /// The setting, if there is one.
    pub(crate) max_tokens: Option<u64>,
    pub(crate) limits: Limits,
    pub(crate) summarise: Summarise,
}

/// A transcript with the numbers of its entries.
struct Told {
    ids: Vec<i64>,
    transcript: Transcript,
}

// === impl HistoryLayer ===

impl HistoryLayer {
    pub(crate) fn new(past: Past, remembers: Remembers) -> Self {
        Self {
            past: Arc::new(past),
            remembers,
        }
    }

    async fn give(&self, turn: &mut Turn) -> Result<(), Error> {
        match self.remembers {
            Remembers::Nothing => {}
            Remembers::ByTheHost => turn.stats = self.past.stats(turn).await,
            // Asked for by the agent when its own session begins anew, and not before.
            Remembers::UntilLost => turn.seed = Some(Arc::clone(&self.past) as Arc<dyn Seed>),
            Remembers::WhatItIsTold => {
                if let Some(prompt) = self.past.prompt_of(turn).await? {
                    turn.prompt = prompt;
                }
            }
        }
        Ok(())
    }
}

impl<S> Layer<S> for HistoryLayer {
    type Service = History<S>;

    fn layer(&self, inner: S) -> History<S> {
        History {
            inner,
            layer: self.clone(),
        }
    }
}

// === impl History ===

impl<S> Service<Turn> for History<S>
where
    S: Service<Turn, Response = Reply, Error = Error> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Reply;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Reply, Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut turn: Turn) -> Self::Future {
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let layer = self.layer.clone();
        Box::pin(async move {
            let cancel = turn.cancel.clone();
            let given = cancel.run_until_cancelled(layer.give(&mut turn)).await;
            given.unwrap_or_else(|| Err(AgentError::Cancelled.into()))?;
            inner.call(turn).await
        })
    }
}

// === impl Past ===

impl Past {
    /// A host that is not told how long a session is goes on all the same.
    async fn stats(&self, turn: &Turn) -> Option<SessionStats> {
        let session = self.store.session(self.channel, &turn.session_key).await;
        let session = session.inspect_err(
            |error| tracing::warn!(turn = turn.message_id, %error, "a session cannot be looked up"),
        );
        session.ok().flatten().map(|session| SessionStats {
            tokens: session.tokens,
            messages: session.messages,
            turns: session.turns,
            limit: self.max_tokens,
        })
    }

    /// The prompt of this turn with what was said before. None: nothing was, or there is no room for any of it.
    async fn prompt_of(&self, turn: &Turn) -> Result<Option<String>, Error> {
        let kept = self.store.transcript(self.channel, &turn.session_key).await;
        let told = Told::from(kept.map_err(unreadable)?);
        if told.transcript.is_empty() {
            return Ok(None);
        }
        let Some(history) = self.fitting(turn, told).await else {
            return Ok(None);
        };
        let prompt =
            Prompt::new(self.platform, &self.key, &self.place, &turn.messages).with_history(&history);
        Ok(Some(prompt.as_digest(turn.is_digest).render()))
    }

    /// The transcript, compacted if it and the prompt would be too long together.
    async fn fitting(&self, turn: &Turn, told: Told) -> Option<Transcript> {
        match plan(&told.transcript, &self.limits, estimate(&turn.prompt)) {
            Plan::Fits => Some(told.transcript),
            Plan::Over => {
                let why = format!(
                    "this message alone leaves no room for what was said before within {} tokens, and was given to the agent without it; \
                     session.maxTokens raises the limit",
                    self.limits.tokens()
                );
                self.summarise.complain(turn, "over", &why).await;
                None
            }
            Plan::Compact(cut) => {
                let after = self.summarise.compacted(turn, &cut).await?;
                self.keep(turn, &told.ids[..cut.folded().len()], &after).await;
                Some(after)
            }
        }
    }

    /// Writes the compaction down. The turn goes on with it even where that fails: the old transcript is whole, and the
    /// next turn compacts it again.
    async fn keep(&self, turn: &Turn, folded: &[i64], after: &Transcript) {
        let Some(summary) = after.entries().first() else {
            return;
        };
        let compaction = Compaction {
            channel: self.channel,
            session_key: turn.session_key.clone(),
            folded: folded.to_vec(),
            summary: new_entry(summary),
            tokens: after.tokens(),
        };
        match self.store.compact(compaction).await {
            Ok(true) => {
                tracing::info!(
                    turn = turn.message_id,
                    folded = folded.len(),
                    tokens = after.tokens(),
                    "the transcript was compacted"
                );
            }
            Ok(false) => tracing::warn!(
                turn = turn.message_id,
                "the transcript changed while it was compacted"
            ),
            Err(error) => tracing::warn!(turn = turn.message_id, %error, "a compaction was not written down"),
        }
    }
}

#[async_trait]
impl Seed for Past {
    async fn prompt(&self, turn: &Turn) -> Option<String> {
        match self.prompt_of(turn).await {
            Ok(prompt) => prompt,
            Err(error) => {
                tracing::warn!(turn = turn.message_id, %error, "the agent's new session begins without what was said before");
                None
            }
        }
    }
}

fn unreadable(error: StoreError) -> Error {
    AgentError::Failed(format!("what was said before cannot be read: {error}")).into()
}

// === impl Told ===

impl From<Vec<KeptEntry>> for Told {
    fn from(kept: Vec<KeptEntry>) -> Self {
        Self {
            ids: kept.iter().map(|kept| kept.id).collect(),
            transcript: kept.into_iter().map(|kept| entry(kept.entry)).collect(),
        }
    }
}

fn entry(kept: NewEntry) -> Entry {
    Entry {
        speaker: match kept.speaker {
            kata_store::Speaker::People => Speaker::People,
            kata_store::Speaker::Agent => Speaker::Agent,
            kata_store::Speaker::Summary => Speaker::Summary,
        },
        name: kept.name,
        text: kept.text,
        at: Timestamp::from_millis(kept.at.0),
        tokens: kept.tokens,
    }
}

/// An entry, as the store keeps it.
pub(super) fn new_entry(entry: &Entry) -> NewEntry {
    NewEntry {
        speaker: match entry.speaker {
            Speaker::People => kata_store::Speaker::People,
            Speaker::Agent => kata_store::Speaker::Agent,
            Speaker::Summary => kata_store::Speaker::Summary,
        },
        name: entry.name.clone(),
        text: entry.text.clone(),
        at: UnixMs(entry.at.as_millis()),
        tokens: entry.tokens,
    }
}

#[cfg(test)]
mod tests;
