//! What a query answers: a page of items, one shape a `what`. Times are ISO 8601.

mod approval;
mod pairing;
mod task;
mod tool;

pub use approval::{ApprovalState, ApprovalView, AuditKind, AuditView, GrantSource, GrantState, GrantView};
pub use pairing::{PairingState, PairingView};
pub use task::{FireState, FireView, TaskCreator, TaskState, TaskView};
pub use tool::{PluginView, ServiceState, ServiceView, SideEffect, ToolDefault, ToolEffect, ToolView};

use super::{ChannelFault, ConnectionStatus, DaemonStatus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One page of a view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The `cursor` of the next page; none means that this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// `query` `status`: the daemon itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DaemonView {
    /// Its state.
    pub status: DaemonStatus,
    /// Its version.
    pub version: String,
    /// The protocol's version.
    pub protocol: u32,
    /// Its process id.
    pub pid: u32,
    /// When it started.
    pub started_at: String,
    /// Turns that run.
    pub turns_open: u32,
    /// Turns that may run at once.
    pub turns_max: u32,
    /// Inbound rows that wait for a turn.
    pub inbound_waiting: u64,
    /// Outbound rows that wait to be sent.
    pub outbound_waiting: u64,
    /// Rows that were given up, in and out, until `retry_message` or `discard_message`.
    pub parked: u64,
}

/// An item of `query` `channels`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelView {
    /// The channel's workspace.
    pub workspace_id: String,
    /// The channel's slug.
    pub channel_id: String,
    /// Its platform.
    pub adapter: String,
    /// How its connection is.
    pub status: ConnectionStatus,
    /// Why it is not good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ChannelFault>,
    /// Whether `pause_channel` holds.
    pub paused: bool,
    /// Inbound rows that wait for a turn.
    pub waiting: u64,
}

/// An item of `query` `queue` and `messages`: a row, inbound or outbound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageView {
    /// The row.
    pub message_id: i64,
    /// Whether it came in or goes out.
    pub direction: Direction,
    /// The channel's workspace; none for a row of the 0.7 daemon that names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<String>,
    /// The channel's slug.
    pub channel_id: String,
    /// Its session, once that is decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_key: Option<String>,
    /// Where it is on its way.
    pub state: MessageState,
    /// Attempts so far.
    pub attempt: u32,
    /// When it was stored.
    pub created_at: String,
    /// It is not touched before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// When it was done or parked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// Why its last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the platform.
    In,
    /// To the platform.
    Out,
}

/// Where a row is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// It waits for its turn or its sending.
    Waiting,
    /// It is in a turn, or being sent.
    Processing,
    /// Done.
    Processed,
    /// Given up, until `retry_message` or `discard_message`.
    Parked,
}

/// An item of `query` `sessions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    /// The session.
    pub session_key: String,
    /// Its workspace.
    pub workspace_id: String,
    /// Its channel's slug.
    pub channel_id: String,
    /// The platform's conversation.
    pub conversation: String,
    /// The thread in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// How often the conversation had been reset before it.
    pub resets: u32,
    /// Messages that came.
    pub messages: u64,
    /// Turns that were answered.
    pub turns: u64,
    /// When its first message came.
    pub started_at: String,
    /// When its last message came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_message_at: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// Why it ended: `reset`, `retention` or `stateless`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_reason: Option<String>,
    /// What it is up to.
    pub state: SessionState,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Tokens of what was said since the last compaction: an estimate.
    pub tokens: u64,
    /// Tokens that its agent reported to have read, in all; absent if it reports none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Tokens that its agent reported to have written, in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// How often its transcript was compacted.
    pub compactions: u64,
}

/// What a session is up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// Somebody talked in it not long ago.
    Active,
    /// Nobody did for half an hour, or for `settings.agent.idleMin`.
    Idle,
    /// It is over.
    Ended,
}
