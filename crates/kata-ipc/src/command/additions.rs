//! The fields of the commands that the 0.7 app does not know.

use crate::{event::view::MessageState, field};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `query`: answered by a page of `{items, nextCursor?}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Query {
    /// Which view.
    pub what: QueryWhat,
    /// Only what belongs to this workspace.
    #[serde(default)]
    pub workspace_id: Option<String>,
    /// Only what belongs to this channel.
    #[serde(default)]
    pub slug: Option<String>,
    /// Only what belongs to this session.
    #[serde(default)]
    pub session_key: Option<String>,
    /// Only this row.
    #[serde(default, deserialize_with = "field::optional_integer")]
    pub message_id: Option<i64>,
    /// Only this approval, also when it is closed; of the audit only what it is about.
    #[serde(default, deserialize_with = "field::optional_integer")]
    pub approval_id: Option<i64>,
    /// Only this task.
    #[serde(default, deserialize_with = "field::optional_integer")]
    pub task_id: Option<i64>,
    /// Only rows in this state.
    #[serde(default)]
    pub state: Option<MessageState>,
    /// At most so many items.
    #[serde(default, deserialize_with = "field::optional_integer")]
    pub limit: Option<u32>,
    /// The `nextCursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// Which view a query asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueryWhat {
    /// The daemon itself.
    Status,
    /// The configured channels.
    Channels,
    /// Rows that wait, run or are parked, in and out.
    Queue,
    /// Every row that is kept.
    Messages,
    /// The sessions.
    Sessions,
    /// The scheduled tasks.
    Tasks,
    /// The approvals that wait.
    Approvals,
    /// The grants that are in force.
    Grants,
    /// Who was let in, and who has a code.
    Pairings,
    /// What the gate decided.
    Audit,
    /// The plugins.
    Plugins,
    /// The plugins' tools.
    Tools,
}

/// `retry_message`, `discard_message`, `cancel_turn`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct MessageRef {
    /// The queue row.
    #[serde(deserialize_with = "field::integer")]
    pub message_id: i64,
}

/// `cancel_task`, `pause_task`, `resume_task`, `run_task`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TaskRef {
    /// The task's row.
    #[serde(deserialize_with = "field::integer")]
    pub task_id: i64,
}

/// `pause_channel`, `resume_channel`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ChannelRef {
    /// The workspace; a slug alone is not unique.
    pub workspace_id: String,
    /// The channel in it.
    pub slug: String,
}

/// `reset_session`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SessionRef {
    /// The workspace.
    pub workspace_id: String,
    /// The session in it.
    pub session_key: String,
}

/// `set_session_title`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SessionTitle {
    /// The workspace.
    pub workspace_id: String,
    /// The session in it.
    pub session_key: String,
    /// What people are to call it. Empty: nothing.
    pub title: String,
}

/// `check_tool`.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CheckTool {
    /// Whose permissions hold.
    pub workspace_id: String,
    /// The session that wants to call it.
    #[serde(default)]
    pub session_key: Option<String>,
    /// The turn that wants to call it.
    #[serde(default, deserialize_with = "field::optional_integer")]
    pub message_id: Option<i64>,
    /// The tool's name; case counts.
    pub tool: String,
    /// Its arguments.
    pub input: Value,
}

/// `call_tool`.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CallTool {
    /// The session that calls it.
    pub session_key: String,
    /// The tool's name; case counts.
    pub tool: String,
    /// Its arguments.
    pub input: Value,
}

/// `resolve_approval`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ResolveApproval {
    /// The approval's row.
    #[serde(deserialize_with = "field::integer")]
    pub approval_id: i64,
    /// What was decided.
    pub decision: Decision,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
}

/// `revoke_grant`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct GrantRef {
    /// The grant's row.
    #[serde(deserialize_with = "field::integer")]
    pub grant_id: i64,
}

/// What a person decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Decision {
    /// This call.
    #[serde(rename = "allow_once")]
    AllowOnce,
    /// This tool with these arguments in this conversation, for an hour.
    #[serde(rename = "allow_1h")]
    AllowHour,
    /// No.
    #[serde(rename = "deny")]
    Deny,
}

/// `pair_sender`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PairSender {
    /// The workspace.
    pub workspace_id: String,
    /// The channel in it.
    pub slug: String,
    /// The code that the sender was shown.
    pub code: String,
}

/// `unpair_sender`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PairingRef {
    /// The pairing.
    #[serde(deserialize_with = "field::integer")]
    pub pairing_id: i64,
}
