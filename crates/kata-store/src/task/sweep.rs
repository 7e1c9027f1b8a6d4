//! Retention of tasks and their fires.

use crate::{StoreError, UnixMs, tx::Tx};

/// Deletes fires that ended, and tasks that were over, before `cutoff`: up to `step` of each. True: there may be more.
pub(crate) fn sweep(tx: &mut Tx<'_>, cutoff: UnixMs, step: i64) -> Result<bool, StoreError> {
    let fires = tx.run(
        "DELETE FROM kata_fires WHERE id IN
           (SELECT id FROM kata_fires WHERE ended_ms < ?1 ORDER BY ended_ms LIMIT +?2)",
        (cutoff, step),
    )?;
    let over: Vec<i64> = tx.all(
        "SELECT task FROM kata_tasks WHERE over_ms < ?1 ORDER BY over_ms LIMIT +?2",
        (cutoff, step),
        |row| row.get(0),
    )?;
    for task in &over {
        // One that the 0.7 daemon armed again goes on, and is over no more.
        tx.run(
            "DELETE FROM scheduled_tasks WHERE id = ?1 AND enabled = 0",
            [task],
        )?;
        let gone = tx.run(
            "DELETE FROM kata_tasks WHERE task = ?1 AND NOT EXISTS (SELECT 1 FROM scheduled_tasks WHERE id = ?1)",
            [task],
        )?;
        if gone == 0 {
            tx.run("UPDATE kata_tasks SET over_ms = NULL WHERE task = ?1", [task])?;
        }
    }
    let step = usize::try_from(step).unwrap_or(usize::MAX);
    Ok(fires >= step || over.len() >= step)
}
