//! One agent run: what goes in and what comes out.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use kata_perm::{Policy, Role, gate::Authority};
use kata_session::{Said, life::SessionStats};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::{Stopwatch, gate::Ungated};

/// One agent run over one or more inbound messages of one session.
#[derive(Clone)]
pub struct Turn {
    /// The queue row: of several messages the newest one's (D14).
    pub message_id: i64,
    /// The workspace.
    pub workspace: String,
    /// The channel's folder name.
    pub slug: String,
    /// The session.
    pub session_key: String,
    /// What was said, as a reader on the platform sees it.
    pub content: String,
    /// The rendered channel prompt.
    pub prompt: String,
    /// The messages one by one, oldest first.
    pub messages: Vec<Said>,
    /// They piled up while nobody was there, and are given as one.
    pub is_digest: bool,
    /// What the adapter knows, under the names of the wire. Holds `responseUrl` and its like: never logged.
    pub metadata: Map<String, Value>,
    /// This attempt, from 1.
    pub attempt: u32,
    /// When the turn ends at the latest, in ISO 8601, if an end is known.
    pub deadline: Option<String>,
    /// Who caused it.
    pub role: Role,
    /// What it may do, as it was when the turn began: for an agent that wants to know beforehand.
    pub policy: Arc<Policy>,
    /// What decides each of its tool calls. Bound by the [gate](crate::TurnGateLayer); a turn that did not pass one may do
    /// nothing.
    pub authority: Arc<dyn Authority>,
    /// The time that it has used: its limits are counted with this.
    pub watch: Stopwatch,
    /// Ends the run, whoever runs it.
    pub cancel: CancellationToken,
    /// What was said before, for an agent that keeps its own context and has lost it.
    pub seed: Option<Arc<dyn Seed>>,
    /// How long the session has become, for a host that keeps its context.
    pub stats: Option<SessionStats>,
}

/// What was said before in a session. It is asked for when the agent's own session begins anew, and not before: most
/// turns need none of it.
#[async_trait]
pub trait Seed: fmt::Debug + Send + Sync {
    /// The prompt of this turn with what was said before in it. None: nothing was, or it cannot be had.
    async fn prompt(&self, turn: &Turn) -> Option<String>;
}

/// An agent's answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// The answer as Markdown. Empty = nothing is said.
    pub text: String,
    /// What the run used, in the agent's own words.
    pub usage: Option<Value>,
    /// It has reached its reader by a tool: it is remembered, and nothing of it is left to send. No agent says so.
    pub sent: bool,
}

// === impl Turn ===

impl Turn {
    /// The first attempt of a turn in which nothing was said yet, and which may do nothing yet.
    pub fn new(
        message_id: i64,
        workspace: impl Into<String>,
        slug: impl Into<String>,
        session_key: impl Into<String>,
        role: Role,
    ) -> Self {
        Self {
            message_id,
            workspace: workspace.into(),
            slug: slug.into(),
            session_key: session_key.into(),
            content: String::new(),
            prompt: String::new(),
            messages: Vec::new(),
            is_digest: false,
            metadata: Map::new(),
            attempt: 1,
            deadline: None,
            role,
            policy: Arc::default(),
            authority: Arc::new(Ungated),
            watch: Stopwatch::new(),
            cancel: CancellationToken::new(),
            seed: None,
            stats: None,
        }
    }
}

/// Names the turn and shows nothing that was said.
impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn")
            .field("message_id", &self.message_id)
            .field("workspace", &self.workspace)
            .field("slug", &self.slug)
            .field("session_key", &self.session_key)
            .field("attempt", &self.attempt)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}
