//! One agent run: what goes in and what comes out.

use std::{fmt, sync::Arc};

use kata_perm::{Policy, Role, gate::Authority};
use kata_session::Said;
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
}

/// An agent's answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// The answer as Markdown. Empty = nothing is said.
    pub text: String,
    /// What the run used, in the agent's own words.
    pub usage: Option<Value>,
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
            metadata: Map::new(),
            attempt: 1,
            deadline: None,
            role,
            policy: Arc::default(),
            authority: Arc::new(Ungated),
            watch: Stopwatch::new(),
            cancel: CancellationToken::new(),
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
