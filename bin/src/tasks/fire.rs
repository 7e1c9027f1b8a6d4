//! One run: claimed, told, done, and ended.

use std::sync::Arc;

use kata_channel::Place;
use kata_ipc::{command::TaskAction, event::TaskFired};
use kata_plugin::Session;
use kata_schedule::Retry;
use kata_store::{
    AfterFailure, Fire, FireEnd, FireEnded, Fired, FiredTurn, NextRun, StoreError, Task, TaskKind, UnixMs,
};

use super::{BACKOFF, action, times};
use crate::{daemon::Daemon, plugins};

/// Claims a run and sees to it. What comes back is the claim's outcome: an action is then still under way.
pub(super) async fn fire(
    daemon: &Arc<Daemon>,
    task: &Task,
    doing: TaskAction,
    slot: UnixMs,
    next_run: NextRun,
) -> Result<Fired, StoreError> {
    let fired = daemon
        .store
        .fire(Fire {
            task: task.id,
            slot,
            next_run,
            what: action::run_of(&doing),
        })
        .await?;
    if let Fired::Taken { fire, turn } = &fired {
        tracing::debug!(task = task.id, due = slot.0, "a scheduled task runs");
        daemon
            .events
            .send(TaskFired {
                task_id: task.id,
                workspace_id: task.workspace.clone(),
            })
            .await;
        match (turn, doing) {
            (Some(turn), _) => tell_session(daemon, turn).await,
            (None, doing) => act(daemon, task.clone(), *fire, doing),
        }
    }
    Ok(fired)
}

/// A run may be what opens its session anew.
async fn tell_session(daemon: &Arc<Daemon>, turn: &FiredTurn) {
    let Some(channel) = daemon
        .channels
        .by_id(turn.channel)
        .filter(|_| turn.session_started)
    else {
        return;
    };
    daemon
        .events
        .session_started(&channel.key, &turn.session_key)
        .await;
    daemon.announcer.session_start(Session {
        channel: channel.key.clone(),
        place: Place {
            conversation: turn.conversation.as_str().into(),
            thread: turn.thread.as_deref().map(Into::into),
        },
        session_key: turn.session_key.clone(),
    });
}

/// Asks the plugin, in a task that the drain waits for. What it did not end is found at the next start, and not repeated.
fn act(daemon: &Arc<Daemon>, task: Task, fire: i64, doing: TaskAction) {
    let daemon = Arc::clone(daemon);
    daemon.turning.clone().spawn(async move {
        let TaskAction::PluginAction {
            plugin_id,
            action,
            payload,
        } = doing
        else {
            return;
        };
        let done = plugins::act(&daemon, &plugin_id, Some(&task.workspace), &action, payload).await;
        end(
            &daemon,
            &task,
            fire,
            done.map_err(|refused| refused.message().to_owned()),
        )
        .await;
    });
}

async fn end(daemon: &Daemon, task: &Task, fire: i64, done: Result<serde_json::Value, String>) {
    let then = |failures| match BACKOFF.after(failures) {
        Retry::After(pause) => AfterFailure::NotBefore(times::now(&daemon.clock).plus(pause)),
        Retry::Parked => AfterFailure::Park,
    };
    let end = match &done {
        Ok(_) => FireEnd::Done,
        Err(why) => FireEnd::Failed {
            error: why.clone(),
            then: then(task.failures + 1),
        },
    };
    let ended = daemon
        .persist("ending a task's run", || daemon.store.end_fire(fire, end.clone()))
        .await;
    if let (Err(why), Some(FireEnded::Now { .. })) = (&done, ended) {
        tracing::warn!(task = task.id, why, "a run of a scheduled task failed");
        if matches!(
            end,
            FireEnd::Failed {
                then: AfterFailure::Park,
                ..
            }
        ) {
            say_parked(
                daemon,
                task,
                &format!(
                    "{} runs in a row failed, the last one since {why}",
                    task.failures + 1
                ),
            )
            .await;
        }
    }
}

/// A turn was given up that may be a task's. After so many of them the task is left alone.
pub(crate) async fn turn_given_up(daemon: &Daemon, row: i64, error: &str) {
    match failing(daemon, row).await {
        Ok(None) => {}
        Ok(Some(task)) => {
            let why = format!(
                "{} runs in a row failed, the last one since {error}",
                task.failures
            );
            if let Err(error) = park(daemon, &task, &why).await {
                daemon.store_failed("parking a task", &error);
            }
        }
        // Parked when it is next due.
        Err(error) => daemon.store_failed("looking up a turn's task", &error),
    }
}

/// The task of a turn, if it failed too often.
async fn failing(daemon: &Daemon, row: i64) -> Result<Option<Task>, StoreError> {
    let Some(by) = daemon.store.fired_by(row).await? else {
        return Ok(None);
    };
    let task = daemon.store.task(by.task).await?;
    Ok(task.filter(|task| BACKOFF.after(task.failures) == Retry::Parked))
}

/// Leaves a task alone until somebody resumes it, and says so once.
pub(super) async fn park(daemon: &Daemon, task: &Task, why: &str) -> Result<(), StoreError> {
    if daemon.store.park_task(task.id, why).await? {
        say_parked(daemon, task, why).await;
    }
    Ok(())
}

async fn say_parked(daemon: &Daemon, task: &Task, why: &str) {
    let (id, schedule, workspace) = (task.id, &task.schedule, &task.workspace);
    let way_out = match task.kind {
        // Its time is over: there is nothing to arm.
        TaskKind::OneShot => "run_task runs it again",
        TaskKind::Cron | TaskKind::Interval => "resume_task arms it again",
    };
    let said = format!(
        "task {id} ({schedule}) of workspace {workspace:?} is parked: {why}; {way_out}, cancel_task removes it"
    );
    daemon.events.plugin_error("katad", &said).await;
}
