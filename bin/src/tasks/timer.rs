//! The timer: sleeps until the first task is due by the wall clock, and has what is due run. One lookup finds it, however
//! many tasks are armed.

use std::{sync::Arc, time::Duration};

use futures_util::future;
use kata_channel::Timestamp;
use kata_store::{Room, Skipped, StoreError, Task, TaskFilter, TaskKind};
use tokio_util::sync::CancellationToken;

use super::{
    action, fire,
    plan::{self, Plan, plan},
    times,
};
use crate::daemon::Daemon;

/// Tasks that are looked at together: their claims share a commit.
const TOGETHER: usize = 100;
/// The store cannot write: it is asked again after this.
const AGAIN: Duration = Duration::from_secs(1);

/// When to look again, if nothing else happens.
pub(super) enum Look {
    AtOnce,
    At(Option<Timestamp>),
    /// When there is room on the disk again.
    WithRoom,
}

/// Runs until `stop`. Woken by what changes tasks or ends a run, and by a thaw, since the wall clock has leapt.
pub(crate) async fn run(daemon: Arc<Daemon>, stop: CancellationToken) {
    let mut changed = daemon.store.task_work();
    let mut thawed = daemon.thawed.subscribe();
    let mut room = daemon.store.room();
    loop {
        // Marked as seen before the look, so that what comes during it wakes the wait below.
        changed.mark_unchanged();
        let has_thawed = thawed.has_changed().unwrap_or(false);
        thawed.mark_unchanged();
        let look = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            // CANCEL: a claim that was sent is found at the next start.
            look = pass(&daemon, has_thawed) => look,
        };
        let next = match look {
            Look::AtOnce => continue,
            Look::At(next) => next,
            Look::WithRoom => None,
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            // What wants room finds none before there is some, whatever else changes.
            _ = room.wait_for(|room| *room == Room::Enough), if matches!(look, Look::WithRoom) => {}
            _ = changed.changed(), if !matches!(look, Look::WithRoom) => {}
            _ = thawed.changed() => thawed.mark_changed(),
            () = daemon.due(next) => {}
        }
    }
}

async fn pass(daemon: &Arc<Daemon>, has_thawed: bool) -> Look {
    let looked = async {
        if has_thawed {
            set_right(daemon).await?;
        }
        due(daemon).await
    };
    match looked.await {
        Ok(look) => look,
        // That there is no room is said once, and that there is some again is found out, by who keeps the house.
        Err(StoreError::Full { .. }) => Look::WithRoom,
        Err(error) => {
            daemon.store_failed("running tasks", &error);
            Look::At(Some(daemon.clock.wall() + AGAIN))
        }
    }
}

/// After a leap of the wall clock. One that was wrong for a while had tasks armed by it for what is now a far time: they run
/// when their schedules say. A run that was made keeps its slot, so that none is made twice.
pub(super) async fn set_right(daemon: &Daemon) -> Result<(), StoreError> {
    let now = times::now(&daemon.clock);
    let armed = TaskFilter {
        enabled: Some(true),
        ..TaskFilter::default()
    };
    let mut before = None;
    loop {
        let tasks = daemon.store.tasks(armed.clone(), before, TOGETHER).await?;
        let sooner = tasks
            .iter()
            .filter_map(|task| Some((task.id, plan::sooner(task, now)?)));
        let moves = sooner.map(|(id, to)| daemon.store.bring_task_forward(id, to));
        for moved in future::join_all(moves).await {
            moved?;
        }
        match tasks.last() {
            Some(last) if tasks.len() == TOGETHER => before = Some(last.id),
            _ => return Ok(()),
        }
    }
}

/// Sees to what is due. Tasks that wait for a run of theirs stay due: they must not hide those behind them.
pub(super) async fn due(daemon: &Arc<Daemon>) -> Result<Look, StoreError> {
    let now = times::now(&daemon.clock);
    let mut together = TOGETHER;
    loop {
        let tasks = daemon.store.due_tasks(now, together).await?;
        let found = tasks.len();
        let steps = tasks.into_iter().map(|task| step(daemon, task));
        let mut moved = false;
        for step in future::join_all(steps).await {
            moved |= step?;
        }
        if moved {
            return Ok(Look::AtOnce);
        }
        if found < together {
            let next = daemon.store.next_task_due_after(now).await?;
            return Ok(Look::At(next.map(|at| Timestamp::from_millis(at.0))));
        }
        together *= 2;
    }
}

/// Sees to one task that is due. False: it stays as it is, until its run has ended.
async fn step(daemon: &Arc<Daemon>, task: Task) -> Result<bool, StoreError> {
    match plan(&task, times::now(&daemon.clock)) {
        Plan::Wait => return Ok(false),
        Plan::Park(why) => fire::park(daemon, &task, &why).await?,
        Plan::Rearm(at) => drop(daemon.store.set_task_enabled(task.id, true, Some(at)).await?),
        Plan::Disable => drop(daemon.store.set_task_enabled(task.id, false, None).await?),
        Plan::Skip(skipped) => skip(daemon, &task, skipped).await?,
        Plan::Fire { slot, next, missed } => match action::of(&task) {
            Err(why) => fire::park(daemon, &task, &why).await?,
            Ok(doing) => {
                if let Some(missed) = missed {
                    daemon.store.record_skipped(missed).await?;
                }
                fire::fire(daemon, &task, doing, slot, next).await?;
            }
        },
    }
    Ok(true)
}

/// A task with one run that was missed has none any more: that is said, since nothing else would tell.
async fn skip(daemon: &Daemon, task: &Task, skipped: Skipped) -> Result<(), StoreError> {
    let said = format!(
        "task {} of workspace {:?} was to run once, at {}, and did not: {}; run_task runs it now",
        task.id,
        task.workspace,
        Timestamp::from_millis(skipped.slot.0),
        skipped.reason
    );
    let is_over = skipped.next_run == kata_store::NextRun::Never;
    let is_new = daemon.store.record_skipped(skipped).await?;
    if is_new && is_over && task.kind == TaskKind::OneShot {
        daemon.events.plugin_error("katad", &said).await;
    }
    Ok(())
}
