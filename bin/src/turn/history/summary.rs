//! The summary of what no longer fits: the agent writes it, or, where it does not, plain rules do.

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use kata_agent::{Error, Reply, Turn};
use kata_perm::Role;
use kata_session::{Transcript, compaction::Cut};
use tower::{ServiceExt as _, util::BoxCloneSyncService};

use crate::daemon::Events;

/// The session in which a summary is written is none of the conversation's: what the agent keeps of it goes with it.
const SUFFIX: &str = "-summary";
/// A person waits for the turn that needs it.
const LONGEST: Duration = Duration::from_secs(2 * 60);

/// Writes summaries, and says where that went wrong.
#[derive(Clone)]
pub(crate) struct Summarise {
    agent: BoxCloneSyncService<Turn, Reply, Error>,
    limit: Duration,
    events: Events,
    complaints: Complaints,
}

/// So many complaints are remembered. One that comes after all were forgotten is said a second time.
const MOST_COMPLAINTS: usize = 1_000;

/// What was said about which session: a thing is said once, as far as that is remembered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Complaints(Arc<Mutex<HashSet<(String, &'static str)>>>);

/// The session key under which summaries of a session are written.
pub(crate) fn key_of(session_key: &str) -> String {
    format!("{session_key}{SUFFIX}")
}

// === impl Summarise ===

impl Summarise {
    /// `agent` writes them, each in a third of a turn's time at most.
    pub(crate) fn new(
        agent: BoxCloneSyncService<Turn, Reply, Error>,
        turn_limit: Duration,
        events: Events,
        complaints: Complaints,
    ) -> Self {
        Self {
            agent,
            limit: (turn_limit / 3).min(LONGEST),
            events,
            complaints,
        }
    }

    /// The transcript with a summary in the place of its oldest part. One attempt by the agent: what it wrote is taken or
    /// refused, and then rules write one that is never refused.
    pub(super) async fn compacted(&self, turn: &Turn, cut: &Cut) -> Option<Transcript> {
        if let Some(instruction) = cut.instruction() {
            match self.ask(turn, instruction).await {
                Ok(summary) => match cut.apply(&summary) {
                    Ok(after) => return Some(after),
                    Err(refused) => {
                        let why = format!(
                            "the agent's summary was refused: {refused}; one that was made without the agent stands in its place"
                        );
                        self.complain(turn, "refused", &why).await;
                    }
                },
                Err(error) => {
                    let why = format!(
                        "the agent wrote no summary: {error}; one that was made without it stands in its place"
                    );
                    self.complain(turn, "failed", &why).await;
                }
            }
        }
        let after = cut.apply(&cut.fallback());
        after
            .inspect_err(|error| tracing::error!(%error, "a summary by rules was refused"))
            .ok()
    }

    /// A run that may do nothing: it has passed no gate of its own.
    async fn ask(&self, turn: &Turn, instruction: String) -> Result<String, Error> {
        let asked = Turn {
            content: instruction.clone(),
            prompt: instruction,
            cancel: turn.cancel.child_token(),
            ..Turn::new(
                turn.message_id,
                turn.workspace.as_str(),
                turn.slug.as_str(),
                key_of(&turn.session_key),
                Role::Member,
            )
        };
        let run = self.agent.clone().oneshot(asked);
        match tokio::time::timeout(self.limit, run).await {
            Ok(reply) => Ok(reply?.text),
            Err(_) => Err(format!("it took longer than {} s", self.limit.as_secs()).into()),
        }
    }

    /// Tells the person at the desk, once a session.
    pub(super) async fn complain(&self, turn: &Turn, what: &'static str, why: &str) {
        if self.complaints.is_news(&turn.session_key, what) {
            let said = format!("session {}: {why}", turn.session_key);
            self.events.plugin_error(&turn.slug, &said).await;
        }
    }
}

impl fmt::Debug for Summarise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Summarise")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

// === impl Complaints ===

impl Complaints {
    fn is_news(&self, session_key: &str, what: &'static str) -> bool {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if said.len() >= MOST_COMPLAINTS {
            said.clear();
        }
        said.insert((session_key.to_owned(), what))
    }
}
