//! The core events' fields: what the Kata 0.7 app expects, and our optional additions to them.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// `status_changed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusChanged {
    /// The state.
    pub status: DaemonStatus,
    /// With `error`: what is wrong and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The daemon's version.
    pub version: String,
    /// The protocol's version.
    pub protocol: u32,
    /// The daemon's process id.
    pub pid: u32,
    /// What the daemon can do beyond the core.
    pub capabilities: Vec<String>,
}

/// The daemon's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DaemonStatus {
    /// The first line.
    Starting,
    /// Commands are served. Never said once a stop was seen: it makes the 0.7 app hang its own quit.
    Running,
    /// A graceful end has begun.
    Stopping,
    /// The last line.
    Stopped,
    /// It cannot run.
    Error,
}

/// `message_received`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageReceived {
    /// The channel's slug.
    pub channel_id: String,
    /// The platform's id of the message.
    pub message_id: String,
    /// The channel's workspace.
    pub workspace_id: String,
}

/// `process_message`: a turn for the host's agent, ended by `message_processed`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProcessMessage {
    /// The queue row; of several coalesced messages the newest's.
    pub message_id: i64,
    /// The channel's slug.
    pub channel_id: String,
    /// The channel's workspace.
    pub workspace_id: String,
    /// The session; the 0.7 app finds its own by this as a title.
    pub session_key: String,
    /// The text as a reader on the platform sees it.
    pub content: String,
    /// `sessionKey`, `workspaceId`, and what the adapter knows.
    pub metadata: Map<String, Value>,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// The rendered channel prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// The messages, oldest first, when several are one turn.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<TurnMessage>,
    /// The compiled daemon policy for this turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Value>,
    /// When the turn is given up. ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
    /// How long the session has become, for a host that compacts the context that it keeps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_stats: Option<SessionStats>,
}

/// How long a session has become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionStats {
    /// Tokens of what was said in it: an estimate.
    pub tokens: u64,
    /// Messages of people, this turn's among them.
    pub messages: u64,
    /// Turns that were answered.
    pub turns: u64,
    /// The channel's `session.maxTokens`, if it is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// One of several messages that are one turn.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TurnMessage {
    /// Its text as a reader on the platform sees it.
    pub content: String,
    /// What is known of it: the platform's `messageId`, `sender`, `senderName`, `role`, `sentAt`, `files`.
    pub metadata: Map<String, Value>,
}

/// `message_sent`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageSent {
    /// The channel's slug.
    pub channel_id: String,
    /// The answer's row, a string here as in 0.7.
    #[serde(serialize_with = "as_string")]
    #[schemars(with = "String")]
    pub message_id: i64,
    /// The channel's workspace.
    pub workspace_id: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn as_string<S: serde::Serializer>(id: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

/// `plugin_loaded`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginLoaded {
    /// Which plugin.
    pub plugin_id: String,
}

/// `plugin_error`: all that the 0.7 app shows a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginError {
    /// A plugin, an adapter's name, a channel's slug, or the `type` of a command that failed.
    pub plugin_id: String,
    /// One sentence: what is wrong and what to do.
    pub error: String,
}

/// `task_fired`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskFired {
    /// The task's row.
    pub task_id: i64,
    /// Whose task it is.
    pub workspace_id: String,
}
