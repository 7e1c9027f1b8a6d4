//! Ends of runs. A turn's run ends in the transaction of its row; one that the 0.7 daemon ended is found when its task is
//! next to run.

use super::{AfterFailure, FireEnd, FireEnded, due, edit};
use crate::{FireState, StoreError, UnixMs, tx::Tx, words::Status};

/// Why an action ends that nobody ended.
const LEFT_OPEN: &str = "the daemon ended while this action ran";

pub(crate) fn end(tx: &mut Tx<'_>, fire: i64, end: &FireEnd) -> Result<FireEnded, StoreError> {
    let found: Option<(i64, FireState)> = tx.first(
        "SELECT task, state FROM kata_fires WHERE id = ?1",
        [fire],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let Some((task, state)) = found else {
        return Ok(FireEnded::Unknown);
    };
    if state != FireState::Running {
        return Ok(FireEnded::Already);
    }
    match end {
        FireEnd::Done => succeeded(tx, fire, task)?,
        FireEnd::Failed { error, then } => {
            failed(tx, fire, task, error)?;
            follow(tx, task, error, *then)?;
        }
    }
    let failures = tx.first("SELECT failures FROM kata_tasks WHERE task = ?1", [task], |row| {
        row.get(0)
    })?;
    Ok(FireEnded::Now {
        task,
        failures: failures.unwrap_or(0),
    })
}

fn follow(tx: &mut Tx<'_>, task: i64, error: &str, then: AfterFailure) -> Result<(), StoreError> {
    match then {
        AfterFailure::GoOn => {}
        AfterFailure::Park => edit::park_failed(tx, task, error)?,
        AfterFailure::NotBefore(at) => not_before(tx, task, at)?,
    }
    Ok(())
}

/// A single run that failed has no run behind it: it gets one. A paused task stays paused.
fn not_before(tx: &mut Tx<'_>, task: i64, at: UnixMs) -> Result<(), StoreError> {
    let over = tx.run(
        "UPDATE kata_tasks SET over_ms = NULL WHERE task = ?1 AND over_ms IS NOT NULL",
        [task],
    )?;
    tx.run(
        "UPDATE scheduled_tasks SET next_run_at = MAX(next_run_at, ?2), enabled = MAX(enabled, ?3) WHERE id = ?1",
        (task, due::text(at), over > 0),
    )?;
    Ok(())
}

fn succeeded(tx: &mut Tx<'_>, fire: i64, task: i64) -> Result<(), StoreError> {
    close(tx, fire, FireState::Done, None)?;
    tx.run(
        "UPDATE kata_tasks SET failures = 0, failed_ms = NULL WHERE task = ?1",
        [task],
    )?;
    Ok(())
}

fn failed(tx: &mut Tx<'_>, fire: i64, task: i64, error: &str) -> Result<(), StoreError> {
    close(tx, fire, FireState::Failed, Some(error))?;
    edit::ours(tx, task)?;
    tx.run(
        "UPDATE kata_tasks SET failures = failures + 1, failed_ms = ?2 WHERE task = ?1",
        (task, tx.now),
    )?;
    Ok(())
}

fn close(tx: &mut Tx<'_>, fire: i64, state: FireState, error: Option<&str>) -> Result<(), StoreError> {
    tx.run(
        "UPDATE kata_fires SET state = ?2, ended_ms = ?3, error = ?4 WHERE id = ?1",
        (fire, state, tx.now, error),
    )?;
    tx.wake.tasks = true;
    Ok(())
}

fn task_of(tx: &Tx<'_>, fire: i64) -> Result<Option<i64>, StoreError> {
    tx.first("SELECT task FROM kata_fires WHERE id = ?1", [fire], |row| {
        row.get(0)
    })
}

/// The turn's row ended. D13: a first success counts whenever it comes, also after the turn was given up. What a user
/// ended, for the reason that is given, is neither a success nor a failure of the task.
pub(crate) fn turn_done(tx: &mut Tx<'_>, fire: i64, reason: Option<&str>) -> Result<(), StoreError> {
    match (task_of(tx, fire)?, reason) {
        (Some(task), None) => succeeded(tx, fire, task),
        (Some(_), Some(_)) => close(tx, fire, FireState::Done, reason),
        (None, _) => Ok(()),
    }
}

/// The turn's row was given up.
pub(crate) fn turn_parked(tx: &mut Tx<'_>, fire: i64, error: &str) -> Result<(), StoreError> {
    match task_of(tx, fire)? {
        Some(task) => failed(tx, fire, task, error),
        None => Ok(()),
    }
}

/// Whether the task has a run that has not ended.
pub(super) fn is_running(tx: &mut Tx<'_>, task: i64) -> Result<bool, StoreError> {
    let found: Option<(i64, Option<i64>, Option<Status>)> = tx.first(
        "SELECT f.id, f.message, m.status FROM kata_fires f LEFT JOIN messages m ON m.id = f.message
         WHERE f.task = ?1 AND f.state = 'running'",
        [task],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    match found {
        None => Ok(false),
        // The 0.7 daemon was at work: it ended the row, and knows nothing of fires.
        Some((fire, Some(_), Some(Status::Failed))) => {
            failed(tx, fire, task, "given up by the earlier daemon")?;
            Ok(false)
        }
        Some((fire, Some(_), None | Some(Status::Processed))) => {
            succeeded(tx, fire, task)?;
            Ok(false)
        }
        Some(_) => Ok(true),
    }
}

/// Actions that an earlier process left open: whether they acted is not known, and they are never repeated. Counted, since
/// it may be the action that ends the daemon.
pub(crate) fn recover(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let open: Vec<(i64, i64)> = tx.all(
        "SELECT id, task FROM kata_fires WHERE state = 'running' AND message IS NULL",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    for (fire, task) in open {
        failed(tx, fire, task, LEFT_OPEN)?;
    }
    Ok(())
}
