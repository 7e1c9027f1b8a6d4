//! The tools by which an agent makes, lists and cancels tasks, as a plugin that every workspace has: tasks are the daemon's
//! own, and hang on no platform. `blockedTools` takes them away where they are not wanted.
//!
//! They stand in the same stack, behind the same gate as every tool. What an agent makes runs when nobody looks, so that
//! making and cancelling ask, unless a rule says otherwise; looking does not.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use kata_channel::Clock;
use kata_ipc::command::{MissedRuns, TaskAction, TaskType};
use kata_plugin::{
    Plugin, Registrar, RegistrationError, SideEffect, Tool, ToolContext, ToolDefault, ToolEffect, ToolError,
    ToolOutput, ToolSpec,
};
use kata_schedule::Schedule;
use kata_store::{Created, Creator, Store, StoreError, Task, TaskFilter, TaskLimits};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    hand,
    make::{Draft, Wanted},
    provenance,
    rules::Rules,
    times, view,
};
use crate::{gate::Docket, gate::Standing, query::iso, turn::OpenTurns, wire};

/// Its id. No `enabledPlugins` has to name it.
pub(crate) const PLUGIN: &str = "kata-tasks";

/// How many tasks a conversation may make, over all its sessions.
const LIMITS: TaskLimits = TaskLimits { live: 20, hourly: 10 };
/// An agent's task runs no more often than this. Milliseconds.
const OFTEN: i64 = 60_000;
/// So many runs of a schedule are looked at for that.
const LOOKED_AT: usize = 50;
/// The longest message. Characters.
const LONGEST_MESSAGE: usize = 8_000;
/// Tasks in a list: no conversation may have more.
const LISTED: usize = 200;

/// What the tools need of the daemon, which is made after its plugins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Desk(Arc<OnceLock<Behind>>);

#[derive(Debug)]
struct Behind {
    store: Store,
    clock: Clock,
    turns: OpenTurns,
}

/// Tasks, as a plugin.
#[derive(Debug)]
pub(crate) struct TasksPlugin(Desk);

// === impl Desk ===

impl Desk {
    /// The daemon is there.
    pub(crate) fn open(&self, store: &Store, clock: &Clock, turns: &OpenTurns) {
        let _ = self.0.set(Behind {
            store: store.clone(),
            clock: clock.clone(),
            turns: turns.clone(),
        });
    }

    fn behind(&self) -> Result<&Behind, ToolError> {
        self.0
            .get()
            .ok_or_else(|| ToolError::NotHere("no daemon runs here that could keep tasks".to_owned()))
    }
}

impl Behind {
    /// The session's open turn.
    fn turn(&self, context: &ToolContext) -> Result<(Arc<Docket>, Standing), ToolError> {
        self.turns
            .by_session(Some(context.channel.workspace.as_str()), &context.session_key)
            .ok_or_else(|| {
                ToolError::NotHere("tasks are made and cancelled in a turn, and none is open".to_owned())
            })
    }

    /// The tasks of the session and of others of its conversation, the newest first: a reset takes them from nobody.
    async fn tasks(&self, context: &ToolContext) -> Result<Vec<Task>, ToolError> {
        let filter = TaskFilter {
            workspace: Some(context.channel.workspace.to_string()),
            session_key: Some(context.session_key.clone()),
            enabled: None,
        };
        self.store.tasks(filter, None, LISTED).await.map_err(refused)
    }
}

fn refused(error: StoreError) -> ToolError {
    ToolError::Platform(format!(
        "the daemon's database refuses: {error}; nothing was changed"
    ))
}

// === impl TasksPlugin ===

impl TasksPlugin {
    pub(crate) fn new(desk: &Desk) -> Self {
        Self(desk.clone())
    }
}

impl Plugin for TasksPlugin {
    fn id(&self) -> &'static str {
        PLUGIN
    }

    fn name(&self) -> &'static str {
        "Scheduled tasks"
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn register(&self, to: &mut Registrar) -> Result<(), RegistrationError> {
        to.register_tool(PLUGIN, schedule_spec(&self.0))?;
        to.register_tool(PLUGIN, list_spec(&self.0))?;
        to.register_tool(PLUGIN, cancel_spec(&self.0))
    }
}

fn schedule_spec(desk: &Desk) -> ToolSpec {
    ToolSpec {
        name: "task_schedule",
        description: "Schedules a message to yourself: when it is due, a new turn begins in this session with that message, and its answer is posted in this conversation. For reminders and for work that repeats.",
        input: json!({
            "type": "object",
            "required": ["type", "schedule", "message"],
            "additionalProperties": false,
            "properties": {
                "type": {
                    "enum": ["one-shot", "cron", "interval"],
                    "description": "one-shot: runs once; cron: a pattern; interval: every so many milliseconds",
                },
                "schedule": {
                    "type": "string", "minLength": 1, "maxLength": 200,
                    "description": "one-shot: an ISO 8601 time such as 2027-01-31T18:00, local unless it ends in Z or an offset; cron: a pattern such as `0 9 * * MON-FRI` or `@daily`; interval: milliseconds in decimal digits, 60000 at least",
                },
                "message": {
                    "type": "string", "minLength": 1, "maxLength": LONGEST_MESSAGE,
                    "description": "What you are to be told when it is due: all that you need to know to do it then",
                },
                "zone": {
                    "type": "string", "maxLength": 64,
                    "description": "The IANA time zone of the schedule, such as Europe/Berlin; without it the machine's",
                },
                "missed": {
                    "enum": ["once", "skip"],
                    "description": "A run that was missed, since the machine slept: `once` makes up for the newest one (default), `skip` does not",
                },
            },
        }),
        default: ToolDefault::Ask,
        effects: &[ToolEffect::Daemon],
        side_effect: SideEffect::EveryTime,
        handler: Arc::new(ScheduleTool(desk.clone())),
    }
}

fn list_spec(desk: &Desk) -> ToolSpec {
    ToolSpec {
        name: "task_list",
        description: "Lists the tasks that were scheduled in this conversation: when each runs next, how its latest runs ended, and why one was parked.",
        input: json!({"type": "object", "additionalProperties": false, "properties": {}}),
        default: ToolDefault::Allow,
        effects: &[ToolEffect::Reads],
        side_effect: SideEffect::None,
        handler: Arc::new(ListTool(desk.clone())),
    }
}

fn cancel_spec(desk: &Desk) -> ToolSpec {
    ToolSpec {
        name: "task_cancel",
        description: "Cancels a task that was scheduled in this conversation. It is gone, and with it a run that waits for its turn; one whose turn has begun goes on.",
        input: json!({
            "type": "object",
            "required": ["task_id"],
            "additionalProperties": false,
            "properties": {"task_id": {"type": "integer", "description": "Its number, as task_list shows it"}},
        }),
        default: ToolDefault::Ask,
        effects: &[ToolEffect::Daemon],
        side_effect: SideEffect::Idempotent,
        handler: Arc::new(CancelTool(desk.clone())),
    }
}

struct ScheduleTool(Desk);

#[derive(Deserialize)]
struct ScheduleInput {
    r#type: TaskType,
    schedule: String,
    message: String,
    zone: Option<String>,
    missed: Option<MissedRuns>,
}

#[async_trait]
impl Tool for ScheduleTool {
    async fn call(&self, context: &ToolContext, input: Value) -> Result<ToolOutput, ToolError> {
        let behind = self.0.behind()?;
        let (docket, turn) = behind.turn(context)?;
        let asked = ScheduleInput::deserialize(input).map_err(|error| ToolError::Input(error.to_string()))?;
        let workspace = context.channel.workspace.to_string();
        let wanted = Wanted {
            kind: hand::kind(asked.r#type),
            schedule: asked.schedule,
            zone: asked.zone,
            action: TaskAction::SendMessage {
                workspace_id: workspace.clone(),
                session_key: context.session_key.clone(),
                message: asked.message,
            },
            rules: Rules {
                missed: asked.missed,
                ..Rules::default()
            },
            workspace,
        };
        let draft = wanted
            .check(times::now(&behind.clock))
            .map_err(ToolError::Input)?;
        seldom_enough(&draft)?;
        let creator = Creator::Agent {
            channel: turn.channel.id,
            session_key: context.session_key.clone(),
            role: wire::role_name(docket.role).to_owned(),
            origin: Some(provenance::of_a_task_made_in(&turn.origin)),
        };
        let (created, first) = draft
            .store(&behind.store, creator, LIMITS)
            .await
            .map_err(refused)?;
        match created {
            Created::Task(id) => Ok(ToolOutput::json(
                json!({"task_id": id, "next_run_at": iso(first)}),
            )),
            Created::TooManyLive { limit } => Err(ToolError::NotHere(format!(
                "this conversation has {limit} tasks, and may have no more: cancel one with task_cancel first"
            ))),
            Created::TooManyHourly { limit, again } => Err(ToolError::NotHere(format!(
                "this conversation made {limit} tasks within an hour, and may make the next one at {}",
                iso(again)
            ))),
        }
    }
}

/// A host may schedule what it likes; an agent is not to keep the machine busy.
fn seldom_enough(draft: &Draft) -> Result<(), ToolError> {
    let runs = |schedule: &Schedule| -> Vec<i64> {
        let from = times::time(draft.first);
        let first = std::iter::once(from);
        first
            .chain(schedule.upcoming(from).take(LOOKED_AT))
            .map(|run| run.as_millisecond())
            .collect()
    };
    let too_often = runs(&draft.schedule)
        .windows(2)
        .any(|pair| pair[1] - pair[0] < OFTEN);
    if too_often {
        return Err(ToolError::Input(
            "the schedule has runs less than a minute apart: leave a minute between them".to_owned(),
        ));
    }
    Ok(())
}

struct ListTool(Desk);

#[async_trait]
impl Tool for ListTool {
    async fn call(&self, context: &ToolContext, _: Value) -> Result<ToolOutput, ToolError> {
        let behind = self.0.behind()?;
        let mut items = Vec::new();
        for task in behind.tasks(context).await? {
            let fires = behind
                .store
                .fires(task.id, None, view::RUNS)
                .await
                .map_err(refused)?;
            items.push(shown(&task, &fires));
        }
        Ok(ToolOutput::json(json!({"tasks": items})))
    }
}

/// For the agent: what it said itself, and how that goes.
fn shown(task: &Task, fires: &[kata_store::FireView]) -> Value {
    let runs: Vec<Value> = fires
        .iter()
        .map(|fire| json!({"at": iso(fire.slot), "state": fire.state.as_str(), "why": fire.error}))
        .collect();
    json!({
        "task_id": task.id,
        "type": task.kind.as_str(),
        "schedule": task.schedule,
        "zone": task.zone,
        "message": task.action.get("message"),
        "state": view::state(task),
        "next_run_at": task.next_run.filter(|_| task.enabled).map(iso),
        "parked_reason": task.parked.as_ref().map(|(_, why)| why),
        "latest_runs": runs,
    })
}

struct CancelTool(Desk);

#[derive(Deserialize)]
struct CancelInput {
    task_id: i64,
}

#[async_trait]
impl Tool for CancelTool {
    async fn call(&self, context: &ToolContext, input: Value) -> Result<ToolOutput, ToolError> {
        let behind = self.0.behind()?;
        let CancelInput { task_id } =
            CancelInput::deserialize(input).map_err(|error| ToolError::Input(error.to_string()))?;
        // Another conversation's task is as good as none: its number says nothing.
        if !behind.tasks(context).await?.iter().any(|task| task.id == task_id) {
            return Err(ToolError::Input(format!(
                "this conversation has no task {task_id}; task_list shows those that it has"
            )));
        }
        behind.store.cancel_task(task_id).await.map_err(refused)?;
        Ok(ToolOutput::json(json!({"cancelled": task_id})))
    }
}
