//! The scheduled tasks, and what became of their runs.

use crate::command::{MissedRuns, TaskType};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// An item of `query` `tasks`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskView {
    /// The task's row.
    pub task_id: i64,
    /// Whose task it is.
    pub workspace_id: String,
    /// How `schedule` is to be read.
    pub task_type: TaskType,
    /// The schedule as it was written.
    pub schedule: String,
    /// What it does, as it was given to `schedule_task`.
    pub action: Value,
    /// The time zone of its schedule; the system's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// What becomes of runs that were missed.
    pub missed: MissedRuns,
    /// With `once`: how old a missed run may be that is made up for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed_grace_ms: Option<u64>,
    /// With `all`: how many are made up for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed_max: Option<u32>,
    /// The longest delay of a run; none without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter_ms: Option<u64>,
    /// Where it stands.
    pub state: TaskState,
    /// When it runs next; only while it is armed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_run_at: Option<String>,
    /// When it ran last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_run_at: Option<String>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// Who made it.
    pub creator: TaskCreator,
    /// Runs in a row that failed.
    pub failures: u32,
    /// Why it is parked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parked_reason: Option<String>,
    /// Its latest runs, the newest first.
    pub fires: Vec<FireView>,
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// It runs when it is due.
    Armed,
    /// `pause_task` holds.
    Paused,
    /// It failed too often in a row, or cannot run; `resume_task` arms it again.
    Parked,
    /// It has no further runs.
    Over,
}

/// Who made a task: whose rights its runs have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "by", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum TaskCreator {
    /// The host's own user.
    Host,
    /// An agent, in a turn of a session.
    Agent {
        /// The session's key.
        session_key: String,
        /// What that turn's sender might do, and the task's turns may.
        role: String,
        /// From which messages of whom that turn was made.
        #[serde(skip_serializing_if = "Option::is_none")]
        origin: Option<Value>,
    },
}

/// A run of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FireView {
    /// When it was to run.
    pub slot_at: String,
    /// Where it stands.
    pub state: FireState,
    /// How many runs this is about: more than one only where several were skipped.
    pub runs: u64,
    /// When it began, or was passed over.
    pub at: String,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// Why it failed or was skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The queue row of its turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<i64>,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FireState {
    /// It was claimed, and has not ended.
    Running,
    /// It ended well, or by a user's hand.
    Done,
    /// It failed.
    Failed,
    /// It was not made.
    Skipped,
}
