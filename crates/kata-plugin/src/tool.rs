//! What a tool is: a name, a schema, what it does to the world, and a handler.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use kata_channel::{ChannelKey, Place};
use kata_perm::ToolDefault;
use serde::Serialize;
use serde_json::Value;

/// A tool that a plugin brings.
#[derive(Clone)]
pub struct ToolSpec {
    /// Its name: the platform's and an underscore first (`slack_react`), `[a-z][a-z0-9_]{2,63}`. Unique in the daemon.
    pub name: &'static str,
    /// What it does, for the agent: one or two sentences.
    pub description: &'static str,
    /// What it takes: a JSON Schema of `type: object`. Inputs are validated against it before the gate.
    pub input: Value,
    /// Whether it runs where no rule of the workspace names it.
    pub default: ToolDefault,
    /// What it touches.
    pub effects: &'static [ToolEffect],
    /// Whether it may be called again when its outcome is not known.
    pub side_effect: SideEffect,
    /// Runs it.
    pub handler: Arc<dyn Tool>,
}

/// What a tool touches, for the people who write rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolEffect {
    /// Reads from the platform.
    Reads,
    /// Writes what others on the platform see.
    Writes,
    /// Deletes on the platform.
    Deletes,
    /// Changes the daemon's own state (a task).
    Daemon,
}

/// What a second call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SideEffect {
    /// There is none.
    None,
    /// The same as the first.
    Idempotent,
    /// It happens once more.
    EveryTime,
}

/// On whose behalf a tool runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToolContext {
    /// The channel of the turn.
    pub channel: ChannelKey,
    /// Where the turn's conversation is.
    pub place: Place,
    /// The session.
    pub session_key: String,
    /// The call is the turn's answer itself, and no step of the agent's: it happens once, however often it is tried.
    pub is_answer: bool,
}

/// What a tool says.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolOutput {
    /// For the agent: JSON, bounded by whoever calls.
    pub content: Value,
}

/// Why a tool did not do what it was asked. Each is one sentence for the agent; no secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ToolError {
    /// The input passed the schema and still makes no sense.
    #[error("{0}")]
    Input(String),
    /// It may not do that: the channel is not configured for it.
    #[error("{0}")]
    NotHere(String),
    /// The platform said no, or could not be reached.
    #[error("{0}")]
    Platform(String),
    /// It may or may not have happened.
    #[error("{0}")]
    Unknown(String),
    /// It took too long, and changes nothing.
    #[error("{0}")]
    Late(String),
    /// It broke down, and changes nothing.
    #[error("{0}")]
    Broken(String),
}

/// Runs calls of one tool.
#[async_trait]
pub trait Tool: Send + Sync + 'static {
    /// Runs one call. `input` fits the schema.
    ///
    /// # Cancel safety
    /// Past its deadline it is dropped: then what it does once may or may not have happened.
    ///
    /// # Errors
    /// As [`ToolError`].
    async fn call(&self, context: &ToolContext, input: Value) -> Result<ToolOutput, ToolError>;
}

// === impl ToolSpec ===

impl fmt::Debug for ToolSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolSpec")
            .field("name", &self.name)
            .field("default", &self.default)
            .finish_non_exhaustive()
    }
}

// === impl ToolContext ===

impl ToolContext {
    /// A turn of `channel` that answers at `place`.
    #[must_use]
    pub fn new(channel: ChannelKey, place: Place, session_key: impl Into<String>) -> Self {
        Self {
            channel,
            place,
            session_key: session_key.into(),
            is_answer: false,
        }
    }

    /// The same, for the call that is the turn's answer.
    #[must_use]
    pub fn answering(self) -> Self {
        Self {
            is_answer: true,
            ..self
        }
    }
}

// === impl ToolOutput ===

impl ToolOutput {
    /// Something as JSON.
    #[must_use]
    pub fn json(content: Value) -> Self {
        Self { content }
    }
}
