//! Questions, grants, and what the gate wrote down. Times are ISO 8601.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An item of `query` `approvals`: a question to a person.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalView {
    /// The approval's row.
    pub approval_id: i64,
    /// The short code that an answer in the conversation names.
    pub code: String,
    /// Where it is on its way.
    pub state: ApprovalState,
    /// The session's workspace.
    pub workspace_id: String,
    /// The slug of the channel in whose conversation it stands; none where only the host is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<String>,
    /// Which session asks.
    pub session_key: String,
    /// The queue row of the turn that waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<i64>,
    /// The tool it wants to call.
    pub tool: String,
    /// With which arguments: bounded, secrets masked.
    pub input: Value,
    /// The rule that asks.
    pub rule: String,
    /// Why it is asked.
    pub reason: String,
    /// Who caused the turn, by the platform's name or id.
    pub requester: String,
    /// When it was asked.
    pub requested_at: String,
    /// When it is too late.
    pub expires_at: String,
    /// When it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<String>,
    /// Who decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why, where whoever decided said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// Where a question is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
pub enum ApprovalState {
    /// It waits for an answer.
    #[serde(rename = "open")]
    Open,
    /// This call was allowed.
    #[serde(rename = "allowed_once")]
    AllowedOnce,
    /// This tool with these arguments was allowed in this conversation, for an hour.
    #[serde(rename = "allowed_1h")]
    AllowedHour,
    /// Somebody said no.
    #[serde(rename = "denied")]
    Denied,
    /// Nobody answered in time.
    #[serde(rename = "expired")]
    Expired,
    /// The turn ended without needing the answer.
    #[serde(rename = "withdrawn")]
    Withdrawn,
}

/// An item of `query` `grants`: what lets a tool be called that no rule allows for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrantView {
    /// The grant's row, for `revoke_grant`.
    pub grant_id: i64,
    /// Where it comes from.
    pub source: GrantSource,
    /// Whether it is in force.
    pub state: GrantState,
    /// Whose it is.
    pub workspace_id: String,
    /// The slug of the only channel in which it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<String>,
    /// The only conversation in which it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
    /// The session in which it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_key: Option<String>,
    /// The tool; of a rule in the file, its patterns as they stand there.
    pub tool: String,
    /// The digest of the only call that it lets through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The rule in the file that it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The approval that it was minted from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_id: Option<i64>,
    /// How often it lets a call through; none = as often as asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<u64>,
    /// How often it did.
    pub used: u64,
    /// Since when it is there.
    pub created_at: String,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
}

/// Where a grant comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantSource {
    /// A person's answer.
    Approval,
    /// A rule in `daemon-permissions.json` that ends, or is good for so many calls.
    File,
}

/// Whether a grant is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantState {
    /// It is.
    Live,
    /// Its time is over.
    Expired,
    /// Its uses are spent.
    Spent,
    /// It was revoked, or its rule is gone.
    Revoked,
}

/// An item of `query` `audit`: a row of the chain.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditView {
    /// The row.
    pub audit_id: i64,
    /// When it was written.
    pub at: String,
    /// What it is about.
    pub kind: AuditKind,
    /// The workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<String>,
    /// The channel's slug.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<String>,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_key: Option<String>,
    /// The queue row of the turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<i64>,
    /// The tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The digest of tool and arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What was decided: of a verdict `allow`, `deny`, `ask`; of an answer `allow_once`, `allow_1h`, `deny`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// The rule that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The role of who caused the turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Who decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The grant that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<i64>,
    /// The approval that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval_id: Option<i64>,
    /// From whom and what the turn was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Value>,
    /// The row's link in the chain, in hexadecimal.
    pub hash: String,
}

/// What a row of the audit is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditKind {
    /// A verdict of the gate.
    Verdict,
    /// A person was asked.
    Asked,
    /// A person answered.
    Answered,
    /// A person answered who may not.
    AnswerRefused,
    /// Nobody answered in time.
    Expired,
    /// The turn ended without needing the answer.
    Withdrawn,
    /// A grant came into being.
    Granted,
    /// A grant was revoked.
    Revoked,
    /// The rule behind a grant is gone from the file.
    GrantEnded,
    /// A sender was let in to a channel.
    Paired,
    /// A sender who was let in was put out again.
    Unpaired,
    /// At a start the head file said other than the chain.
    HeadDisputed,
}
