//! What a hand does to a task: cancel, pause, resume, park.

use super::due;
use crate::{StoreError, UnixMs, cancel as turns, tx::Tx};

/// Its row goes, as 0.7 knows it; who made it, and its fires, stay for a while. A turn of it that nobody has begun, or that
/// waits to be tried again, is not begun any more.
pub(crate) fn cancel(tx: &mut Tx<'_>, task: i64) -> Result<bool, StoreError> {
    let waiting: Option<i64> = tx.first(
        "SELECT m.id FROM kata_fires f JOIN messages m ON m.id = f.message
         WHERE f.task = ?1 AND f.state = 'running' AND m.status = 'pending'",
        [task],
        |row| row.get(0),
    )?;
    if let Some(turn) = waiting {
        turns::cancel(tx, turn, "its task was cancelled")?;
    }
    let gone = tx.run("DELETE FROM scheduled_tasks WHERE id = ?1", [task])?;
    tx.run(
        "UPDATE kata_tasks SET over_ms = COALESCE(over_ms, ?2) WHERE task = ?1",
        (task, tx.now),
    )?;
    tx.wake.tasks |= gone > 0;
    Ok(gone > 0)
}

/// Resumed, a task starts with no failures behind it.
pub(crate) fn set_enabled(
    tx: &mut Tx<'_>,
    task: i64,
    enabled: bool,
    next_run: Option<UnixMs>,
) -> Result<bool, StoreError> {
    let found = tx.run(
        "UPDATE scheduled_tasks SET enabled = ?2, next_run_at = COALESCE(?3, next_run_at) WHERE id = ?1",
        (task, enabled, next_run.map(due::text)),
    )?;
    if found > 0 && enabled {
        tx.run(
            "UPDATE kata_tasks SET failures = 0, failed_ms = NULL, parked_ms = NULL, parked_why = NULL, over_ms = NULL
             WHERE task = ?1",
            [task],
        )?;
    }
    tx.wake.tasks |= found > 0;
    Ok(found > 0)
}

/// A task that was armed for a later time is due at `to`. False: it is not armed, or not for a later one.
pub(crate) fn bring_forward(tx: &mut Tx<'_>, task: i64, to: UnixMs) -> Result<bool, StoreError> {
    let found = tx.run(
        "UPDATE scheduled_tasks SET next_run_at = ?2 WHERE id = ?1 AND enabled = 1 AND next_run_at > ?2",
        (task, due::text(to)),
    )?;
    tx.wake.tasks |= found > 0;
    Ok(found > 0)
}

/// False: it is not there, or does not run.
pub(crate) fn park(tx: &mut Tx<'_>, task: i64, reason: &str) -> Result<bool, StoreError> {
    let found = tx.run(
        "UPDATE scheduled_tasks SET enabled = 0 WHERE id = ?1 AND enabled = 1",
        [task],
    )?;
    if found > 0 {
        ours(tx, task)?;
        tx.run(
            "UPDATE kata_tasks SET parked_ms = ?2, parked_why = ?3 WHERE task = ?1",
            (task, tx.now, reason),
        )?;
        tx.wake.tasks = true;
    }
    Ok(found > 0)
}

/// After a run that failed. A task that is over is parked too: it was its last run that failed once too often. One that was
/// paused meanwhile stays paused.
pub(super) fn park_failed(tx: &mut Tx<'_>, task: i64, reason: &str) -> Result<(), StoreError> {
    if !park(tx, task, reason)? {
        tx.run(
            "UPDATE kata_tasks SET parked_ms = ?2, parked_why = ?3 WHERE task = ?1 AND over_ms IS NOT NULL",
            (task, tx.now, reason),
        )?;
    }
    Ok(())
}

/// A task of 0.7 has no row of ours until there is something to note.
pub(super) fn ours(tx: &mut Tx<'_>, task: i64) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO kata_tasks (task) VALUES (?1) ON CONFLICT DO NOTHING",
        [task],
    )?;
    Ok(())
}
