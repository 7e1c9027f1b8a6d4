//! What a host asks for: make, cancel, pause, resume, run now.

use std::sync::Arc;

use kata_ipc::{
    command::{ScheduleTask, TaskAction, TaskRef, TaskType},
    event::{Answer, TaskArmed},
};
use kata_schedule::Kind;
use kata_store::{Created, Creator, Fired, NextRun, Task};
use serde_json::{Value, json};

use super::{
    action, fire,
    make::{UNLIMITED, Wanted},
    plan,
    rules::Rules,
    times,
};
use crate::{commands::Refused, daemon::Daemon, query};

/// Makes a task of the host's.
pub(crate) async fn schedule(daemon: &Daemon, asked: ScheduleTask) -> Result<Answer, Refused> {
    if let TaskAction::PluginAction {
        plugin_id, action, ..
    } = &asked.action
    {
        knows(daemon, plugin_id, action)?;
    }
    let wanted = Wanted {
        workspace: asked.workspace_id,
        kind: kind(asked.task_type),
        schedule: asked.schedule,
        zone: asked.zone,
        action: asked.action,
        rules: Rules {
            missed: asked.missed,
            missed_grace_ms: asked.missed_grace_ms,
            missed_max: asked.missed_max,
            jitter_ms: asked.jitter_ms,
        },
    };
    let draft = wanted
        .check(times::now(&daemon.clock))
        .map_err(|why| Refused::new("bad_task", why))?;
    match draft.store(&daemon.store, Creator::Host, UNLIMITED).await? {
        (Created::Task(task_id), first) => Ok(Answer::with(TaskArmed {
            task_id,
            next_run_at: query::iso(first),
        })),
        (Created::TooManyLive { limit } | Created::TooManyHourly { limit, .. }, _) => Err(Refused::new(
            "bad_task",
            format!("there are {limit} tasks already"),
        )),
    }
}

/// A task whose action no plugin of this build has would only ever fail.
fn knows(daemon: &Daemon, plugin: &str, action: &str) -> Result<(), Refused> {
    let Some(plugin) = daemon.plugins.plugin(plugin) else {
        return Err(Refused::not_found(format!("this katad has no plugin {plugin:?}")));
    };
    if plugin.actions().contains(&action) {
        return Ok(());
    }
    let (id, known) = (plugin.id(), plugin.actions());
    Err(Refused::not_found(
        kata_plugin::ActionError::unknown(id, action, known).to_string(),
    ))
}

pub(super) fn kind(of: TaskType) -> Kind {
    match of {
        TaskType::Cron => Kind::Cron,
        TaskType::Interval => Kind::Interval,
        TaskType::OneShot => Kind::OneShot,
    }
}

/// Cancels a task.
pub(crate) async fn cancel(daemon: &Daemon, TaskRef { task_id, .. }: TaskRef) -> Result<Answer, Refused> {
    if daemon.store.cancel_task(task_id).await? {
        Ok(Answer::done())
    } else {
        Err(unknown(task_id))
    }
}

/// Pauses a task.
pub(crate) async fn pause(daemon: &Daemon, TaskRef { task_id, .. }: TaskRef) -> Result<Answer, Refused> {
    if daemon.store.set_task_enabled(task_id, false, None).await? {
        Ok(Answer::done())
    } else {
        Err(unknown(task_id))
    }
}

/// Arms a paused or parked task for its next run from now; what it missed meanwhile was not meant to be.
pub(crate) async fn resume(daemon: &Daemon, TaskRef { task_id, .. }: TaskRef) -> Result<Answer, Refused> {
    let task = find(daemon, task_id).await?;
    if task.enabled {
        return Ok(armed(&task, task.next_run.map(query::iso)));
    }
    let now = times::now(&daemon.clock);
    let schedule = times::schedule(&task, now).map_err(|why| Refused::new("bad_task", why))?;
    let rules = Rules::read(&task.settings);
    let Some(next) = schedule.and_then(|schedule| plan::first(&schedule, task.id, &rules, now)) else {
        return Err(Refused::new(
            "over",
            format!(
                "task {task_id} ({}) has no run to come; run_task runs it now",
                task.schedule
            ),
        ));
    };
    if daemon.store.set_task_enabled(task_id, true, Some(next)).await? {
        Ok(armed(&task, Some(query::iso(next))))
    } else {
        Err(unknown(task_id))
    }
}

fn armed(task: &Task, next: Option<String>) -> Answer {
    Answer::with(json!({"taskId": task.id, "nextRunAt": next}))
}

/// Runs a task now, whatever its schedule says; also one that is paused.
pub(crate) async fn run_now(
    daemon: &Arc<Daemon>,
    TaskRef { task_id, .. }: TaskRef,
) -> Result<Answer, Refused> {
    let task = find(daemon, task_id).await?;
    let doing = action::of(&task).map_err(|why| Refused::new("bad_task", why))?;
    let slot = times::now(&daemon.clock);
    if task.running.is_some() {
        return Err(running(task_id));
    }
    match fire::fire(daemon, &task, doing, slot, NextRun::Stays).await? {
        Fired::Taken { turn, .. } => {
            let row = turn.map_or(Value::Null, |turn| turn.row.into());
            Ok(Answer::with(json!({"taskId": task_id, "messageId": row})))
        }
        Fired::Known | Fired::Overlaps => Err(running(task_id)),
        Fired::Gone => Err(unknown(task_id)),
    }
}

async fn find(daemon: &Daemon, id: i64) -> Result<Task, Refused> {
    daemon.store.task(id).await?.ok_or_else(|| unknown(id))
}

fn unknown(id: i64) -> Refused {
    Refused::not_found(format!("there is no task {id}"))
}

fn running(id: i64) -> Refused {
    Refused::new(
        "running",
        format!("task {id} runs already; it has one run at a time"),
    )
}
