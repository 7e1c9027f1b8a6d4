//! `result`: the one answer to a command that carries a `requestId`.

use super::{
    Verdict,
    view::{
        ApprovalView, AuditView, ChannelView, DaemonView, GrantView, MessageView, Page, PairingView,
        PluginView, SessionView, TaskView, ToolView,
    },
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// `result`. Either data or a failure: the constructors make no other.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Answer {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Data>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Failure>,
}

impl Answer {
    /// Done, and there is nothing more to say.
    #[must_use]
    pub fn done() -> Self {
        Self {
            ok: true,
            data: None,
            error: None,
        }
    }

    /// Done, with what was asked for.
    #[must_use]
    pub fn with(data: impl Into<Data>) -> Self {
        Self {
            ok: true,
            data: Some(data.into()),
            error: None,
        }
    }

    /// Not done.
    #[must_use]
    pub fn failed(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            ok: false,
            data: None,
            error: Some(Failure {
                code: code.into(),
                message: message.into(),
            }),
        }
    }
}

/// Why a command was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Failure {
    /// A stable word.
    pub code: String,
    /// One sentence.
    pub message: String,
}

/// What an answer holds; which one follows from the command.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Data {
    /// To `query` `status`: one item.
    Daemon(Page<DaemonView>),
    /// To `query` `channels`.
    Channels(Page<ChannelView>),
    /// To `query` `queue` and `messages`.
    Messages(Page<MessageView>),
    /// To `query` `sessions`.
    Sessions(Page<SessionView>),
    /// To `query` `approvals`.
    Approvals(Page<ApprovalView>),
    /// To `query` `grants`.
    Grants(Page<GrantView>),
    /// To `query` `pairings`.
    Pairings(Page<PairingView>),
    /// To `pair_sender` and `unpair_sender`.
    Pairing(PairingView),
    /// To `query` `audit`.
    Audit(Page<AuditView>),
    /// To `query` `plugins`.
    Plugins(Page<PluginView>),
    /// To `query` `tools`.
    Tools(Page<ToolView>),
    /// To `query` `tasks`.
    Tasks(Page<TaskView>),
    /// To `schedule_task`.
    Task(TaskArmed),
    /// To `check_tool`.
    Verdict(ToolVerdict),
    /// What a tool or a plugin said, as it said it.
    Json(Value),
}

/// The answer to `schedule_task`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskArmed {
    /// The task's row.
    pub task_id: i64,
    /// When it fires first. ISO 8601.
    pub next_run_at: String,
}

/// The answer to `check_tool`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToolVerdict {
    /// What the gate says.
    pub verdict: Verdict,
    /// The rule that decided.
    pub rule: String,
    /// Why.
    pub reason: String,
    /// With `ask`: the approval that was opened. `approval_resolved` says how it ended; the host then asks again, and a
    /// "yes" has become `allow`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval_id: Option<i64>,
}

/// Makes `Data` from what it holds, so that `Answer::with` takes either.
macro_rules! data_from {
    ($($variant:ident($held:ty),)+) => {
        $(impl From<$held> for Data {
            fn from(held: $held) -> Self {
                Self::$variant(held)
            }
        })+
    };
}

data_from! {
    Daemon(Page<DaemonView>),
    Channels(Page<ChannelView>),
    Messages(Page<MessageView>),
    Sessions(Page<SessionView>),
    Approvals(Page<ApprovalView>),
    Grants(Page<GrantView>),
    Pairings(Page<PairingView>),
    Pairing(PairingView),
    Audit(Page<AuditView>),
    Plugins(Page<PluginView>),
    Tools(Page<ToolView>),
    Tasks(Page<TaskView>),
    Task(TaskArmed),
    Verdict(ToolVerdict),
    Json(Value),
}
