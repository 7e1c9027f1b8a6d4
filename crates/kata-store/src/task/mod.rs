//! Scheduled tasks: what is to run when, who made it, and what became of each run.
//!
//! Schedules are texts here, and the next run is the caller's to compute. What is ours: a run is claimed in the
//! transaction that moves its task on, so that a crash neither repeats nor forgets it.

mod create;
mod due;
mod edit;
mod end;
mod fire;
mod list;
mod sweep;
mod turn;

pub(crate) use create::create;
pub(crate) use due::{due, next_due, next_due_after};
pub(crate) use edit::{bring_forward, cancel, park, set_enabled};
pub(crate) use end::{end, recover, turn_done, turn_parked};
pub(crate) use fire::{fire, skip};
pub(crate) use list::{fired_by, fires, list, one};
pub(crate) use sweep::sweep;

use serde_json::Value;

use crate::{ChannelId, FireState, TaskKind, UnixMs};

/// A task to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct NewTask {
    /// The workspace that it belongs to.
    pub workspace: String,
    /// What its schedule is.
    pub kind: TaskKind,
    /// The schedule as it was written.
    pub schedule: String,
    /// What is to be done, in the form of 0.7.
    pub action: Value,
    /// The schedule's time zone; none: the system's.
    pub zone: Option<String>,
    /// What else the scheduler keeps with it. The store does not look at it; null is nothing.
    pub settings: Value,
    /// When it runs first.
    pub next_run: UnixMs,
    /// Who makes it.
    pub creator: Creator,
    /// How many one session may make.
    pub limits: TaskLimits,
}

/// Who made a task: whose rights its runs have.
#[derive(Clone, Debug, PartialEq)]
pub enum Creator {
    /// The host's own user.
    Host,
    /// An agent, in a turn of a session.
    Agent {
        /// The session's channel.
        channel: ChannelId,
        /// The session's key.
        session_key: String,
        /// What the turn's sender might do: the role of the task's turns.
        role: String,
        /// Who and what that turn was made from.
        origin: Option<Value>,
    },
}

/// How many tasks one session may make. The host may make any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskLimits {
    /// Tasks that still have runs before them, or are paused.
    pub live: u32,
    /// Tasks made within an hour, cancelled ones too.
    pub hourly: u32,
}

/// How making a task was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// It was made.
    Task(i64),
    /// The session has as many tasks as it may have.
    TooManyLive {
        /// How many that is.
        limit: u32,
    },
    /// The session made as many tasks within an hour as it may make.
    TooManyHourly {
        /// How many that is.
        limit: u32,
        /// From then on it may make another one.
        again: UnixMs,
    },
}

/// A task.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Its number, never used again.
    pub id: i64,
    /// The workspace that it belongs to.
    pub workspace: String,
    /// What its schedule is.
    pub kind: TaskKind,
    /// The schedule as it was written.
    pub schedule: String,
    /// What is to be done; null when the stored action is no JSON.
    pub action: Value,
    /// The schedule's time zone; none: the system's.
    pub zone: Option<String>,
    /// What else the scheduler keeps with it; null for a task of the 0.7 daemon.
    pub settings: Value,
    /// Who made it.
    pub creator: Creator,
    /// It runs. False: it is paused, parked or over.
    pub enabled: bool,
    /// When it ran last.
    pub last_run: Option<UnixMs>,
    /// When it runs next, if it runs. None: the stored time cannot be read, and is to be set anew.
    pub next_run: Option<UnixMs>,
    /// When it was made.
    pub created_at: Option<UnixMs>,
    /// Runs in a row that failed.
    pub failures: u32,
    /// When the latest of them failed.
    pub failed_at: Option<UnixMs>,
    /// Since when it is left alone for its failures, and why.
    pub parked: Option<(UnixMs, String)>,
    /// Since when it has no further runs.
    pub over_at: Option<UnixMs>,
    /// Its fire that has not ended.
    pub running: Option<i64>,
}

/// Which tasks to list; none of them: all.
#[derive(Clone, Debug, Default)]
pub struct TaskFilter {
    /// Of this workspace.
    pub workspace: Option<String>,
    /// Made in this session, or in another one of its conversation: a reset leaves the tasks where they are.
    pub session_key: Option<String>,
    /// That run, or do not.
    pub enabled: Option<bool>,
}

/// When a task runs after this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextRun {
    /// Then.
    At(UnixMs),
    /// Never again.
    Never,
    /// As before: a run by hand, which a paused task may have too.
    Stays,
}

/// A run to be claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fire {
    /// The task.
    pub task: i64,
    /// When it was to run. With the task it names the run for ever.
    pub slot: UnixMs,
    /// When the task runs after this.
    pub next_run: NextRun,
    /// What it does.
    pub what: FireWhat,
}

/// What a run does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FireWhat {
    /// A turn (D15). It ends with its row.
    Turn(TaskTurn),
    /// Something that the caller does, and ends with [`end_fire`](crate::Store::end_fire).
    Action,
}

/// The turn of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskTurn {
    /// The session's workspace.
    pub workspace: String,
    /// The session's key: any that its lane ever had.
    pub session_key: String,
    /// The channel's folder name in that key, for a key that was never seen.
    pub slug: String,
    /// The text.
    pub message: String,
    /// The text for the prompt.
    pub prompt: String,
}

/// How a run was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fired {
    /// It is claimed: now it is to be done.
    Taken {
        /// Its fire.
        fire: i64,
        /// Its turn, which waits to be claimed.
        turn: Option<FiredTurn>,
    },
    /// It was claimed before. The task was moved on all the same.
    Known,
    /// The task's run before it has not ended: this one is recorded as skipped, and the task was moved on.
    Overlaps,
    /// The task is cancelled, or does not run any more. Nothing changed.
    Gone,
}

/// The turn of a claimed run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FiredTurn {
    /// Its row.
    pub row: i64,
    /// The channel of its lane.
    pub channel: ChannelId,
    /// Where its conversation is.
    pub conversation: String,
    /// The thread in it.
    pub thread: Option<String>,
    /// The session's present key.
    pub session_key: String,
    /// The session was opened by this.
    pub session_started: bool,
    /// The key was never seen: the answer stays in its row and is not sent (D15).
    pub keeps_answer: bool,
}

/// Runs that were missed and are not made up for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The task.
    pub task: i64,
    /// The first of them.
    pub slot: UnixMs,
    /// How many.
    pub slots: u64,
    /// Why.
    pub reason: String,
    /// When the task runs after this.
    pub next_run: NextRun,
}

/// How a run ended that is not a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FireEnd {
    /// Well.
    Done,
    /// It failed.
    Failed {
        /// A sentence; it stays with the fire.
        error: String,
        /// What follows.
        then: AfterFailure,
    },
}

/// What follows a failed run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterFailure {
    /// The next run comes when it is due.
    GoOn,
    /// The next run comes no earlier than this. A task that is over gets another run then.
    NotBefore(UnixMs),
    /// The task is left alone until somebody resumes it.
    Park,
}

/// How a run's end was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FireEnded {
    /// It ended now.
    Now {
        /// Its task.
        task: i64,
        /// The task's failures in a row.
        failures: u32,
    },
    /// It had ended before; nothing changed.
    Already,
    /// There is no such fire.
    Unknown,
}

/// A run in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FireView {
    /// Its number.
    pub id: i64,
    /// Its task.
    pub task: i64,
    /// When it was to run.
    pub slot: UnixMs,
    /// Where it stands.
    pub state: FireState,
    /// How many runs this is about: more than one only where several were skipped.
    pub slots: u64,
    /// When it was claimed, or recorded as skipped.
    pub at: UnixMs,
    /// When it ended.
    pub ended_at: Option<UnixMs>,
    /// Why it failed or was skipped.
    pub error: Option<String>,
    /// Its turn's row.
    pub message: Option<i64>,
}

/// The run whose turn a row is.
#[derive(Clone, Debug, PartialEq)]
pub struct FiredBy {
    /// The fire.
    pub fire: i64,
    /// Its task.
    pub task: i64,
    /// When it was to run.
    pub slot: UnixMs,
    /// Who made the task, also after it was cancelled.
    pub creator: Creator,
}
