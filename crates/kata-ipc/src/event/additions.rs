//! The fields of the events that the 0.7 app does not know. Times are ISO 8601.

use crate::{codec::BadLine, command::Decision};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// `channel_status`, on every change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelStatus {
    /// The channel's slug.
    pub channel_id: String,
    /// The channel's workspace.
    pub workspace_id: String,
    /// How its connection is.
    pub status: ConnectionStatus,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ChannelFault>,
}

/// How a channel's connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionStatus {
    /// On its way.
    Connecting,
    /// Good.
    Connected,
    /// Something does not work; it goes on by itself.
    Degraded,
    /// The credential is refused; a person must act.
    AuthExpired,
    /// The platform asked for a pause.
    RateLimited,
    /// Off.
    Stopped,
}

/// Why a channel's connection is not good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelFault {
    /// A stable word.
    pub code: String,
    /// One sentence: what is wrong and what to do.
    pub message: String,
    /// When the platform will listen again. Milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// `message_failed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageFailed {
    /// The row, inbound or outbound.
    pub message_id: i64,
    /// The channel's slug.
    pub channel_id: String,
    /// The channel's workspace.
    pub workspace_id: String,
    /// Which attempt failed, from 1.
    pub attempt: u32,
    /// Why.
    pub error: String,
    /// When it is tried again; none means that it is parked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<String>,
}

/// `session_started`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionStarted {
    /// The session.
    pub session_key: String,
    /// Its workspace.
    pub workspace_id: String,
    /// Its channel's slug.
    pub channel_id: String,
    /// Why, if not for a first message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `session_ended`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionEnded {
    /// The session.
    pub session_key: String,
    /// Its workspace.
    pub workspace_id: String,
    /// Its channel's slug.
    pub channel_id: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `tool_call`: every verdict of the gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToolCall {
    /// Which session wants to call it.
    pub session_key: String,
    /// The tool's name.
    pub tool: String,
    /// What the gate says.
    pub verdict: Verdict,
    /// The rule that decided.
    pub rule: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The session's workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<String>,
    /// The queue row of the turn that wants to call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<i64>,
    /// The grant that allowed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<i64>,
    /// The approval that stands behind it: asked for, or answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval_id: Option<i64>,
}

/// What the permission gate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Go on.
    Allow,
    /// No.
    Deny,
    /// A person must say.
    Ask,
}

/// `approval_requested`: a person is asked about one call. A host answers with `resolve_approval`, or leaves it to the
/// conversation, where the same question stands.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalRequested {
    /// The approval's row.
    pub approval_id: i64,
    /// Which session asks.
    pub session_key: String,
    /// The tool it wants to call.
    pub tool: String,
    /// With which arguments: bounded, secrets masked.
    pub input: Value,
    /// When it is too late.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The session's workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<String>,
    /// The slug of the channel in whose conversation the question stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<String>,
    /// The queue row of the turn that waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<i64>,
    /// The short code that an answer in the conversation names (`yes 7Q4`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why it is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The rule that asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Who caused the turn, by the platform's name or id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requester: Option<String>,
    /// What `resolve_approval` may say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<Decision>,
}

/// `approval_resolved`: a question is closed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalResolved {
    /// The approval's row.
    pub approval_id: i64,
    /// Which session asked.
    pub session_key: String,
    /// The tool it wanted to call.
    pub tool: String,
    /// With which arguments: bounded, secrets masked.
    pub input: Value,
    /// What a person decided; none when nobody did, which is no denial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// How it was closed.
    pub outcome: ApprovalOutcome,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who decided, by the platform's name or id; none for the host itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The session's workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<String>,
}

/// How a question was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
pub enum ApprovalOutcome {
    /// This call was allowed.
    #[serde(rename = "allowed_once")]
    AllowedOnce,
    /// This tool with these arguments was allowed in this conversation, for an hour.
    #[serde(rename = "allowed_1h")]
    AllowedHour,
    /// Somebody said no.
    #[serde(rename = "denied")]
    Denied,
    /// Nobody answered in time. This is no denial.
    #[serde(rename = "expired")]
    Expired,
    /// The turn ended without needing the answer.
    #[serde(rename = "withdrawn")]
    Withdrawn,
}

impl ApprovalOutcome {
    /// What a person decided; none when nobody did.
    #[must_use]
    pub fn decision(self) -> Option<Decision> {
        match self {
            Self::AllowedOnce => Some(Decision::AllowOnce),
            Self::AllowedHour => Some(Decision::AllowHour),
            Self::Denied => Some(Decision::Deny),
            Self::Expired | Self::Withdrawn => None,
        }
    }
}

impl From<Decision> for ApprovalOutcome {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::AllowOnce => Self::AllowedOnce,
            Decision::AllowHour => Self::AllowedHour,
            Decision::Deny => Self::Denied,
        }
    }
}

/// `pairing_requested`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PairingRequested {
    /// The channel's slug.
    pub channel_id: String,
    /// The channel's workspace.
    pub workspace_id: String,
    /// Who asks, by the platform's id.
    pub sender: String,
    /// The code for `pair_sender`.
    pub code: String,
    /// When the code is void.
    pub expires_at: String,
}

/// `qr_code`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct QrCode {
    /// The channel's slug.
    pub channel_id: String,
    /// The channel's workspace.
    pub workspace_id: String,
    /// What the code says.
    pub data: String,
}

/// `protocol_error`. Its `requestId` is that of the line, in [`Outgoing`](super::Outgoing).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProtocolError {
    /// Why the line could not be taken. Nothing of its contents.
    pub reason: String,
    /// The line's `type`, if it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command_type: Option<String>,
}

impl From<BadLine> for super::Outgoing {
    fn from(bad: BadLine) -> Self {
        let event = ProtocolError {
            reason: bad.reason.to_string(),
            command_type: bad.command_type,
        };
        Self::caused_by(bad.request_id, event)
    }
}
