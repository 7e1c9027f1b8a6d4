//! When tasks are due: one lookup in an index of 0.7, whatever the number of tasks.

use rusqlite::{Connection, OptionalExtension};

use super::{Task, list};
use crate::{StoreError, UnixMs};

/// The last time whose text sorts as it counts: years with more digits do not. 9999-12-30T22:00:00Z.
const LAST: UnixMs = UnixMs(253_402_207_200_000);

/// A time as `next_run_at` holds it: for JavaScript, and in the order of time.
pub(super) fn text(at: UnixMs) -> String {
    at.min(LAST).to_iso()
}

/// The armed tasks whose time has come, the one that is due longest first.
pub(crate) fn due(conn: &Connection, now: UnixMs, limit: usize) -> Result<Vec<Task>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let due = list::read_all(
        conn,
        "t.enabled = 1 AND t.next_run_at <= ?1 ORDER BY t.next_run_at LIMIT +?2",
        (text(now), limit),
    )?;
    if !due.is_empty() {
        return Ok(due);
    }
    // A time that cannot be read never comes, or is always there: whoever looks sets it anew.
    let first = list::read_all(conn, "t.enabled = 1 ORDER BY t.next_run_at LIMIT 1", [])?;
    Ok(first.into_iter().filter(|task| task.next_run.is_none()).collect())
}

/// When the next armed task is due. A time that cannot be read is due now.
pub(crate) fn next_due(conn: &Connection) -> Result<Option<UnixMs>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT next_run_at FROM scheduled_tasks WHERE enabled = 1 ORDER BY next_run_at LIMIT 1",
    )?;
    let first: Option<String> = statement.query_row([], |row| row.get(0)).optional()?;
    #[cfg(test)]
    crate::tests::effort::note(&statement);
    Ok(first.map(|at| UnixMs::from_iso(&at).unwrap_or(UnixMs(0))))
}

/// When the next task is due that is armed for a time after this one. One whose time cannot be read is none of them.
pub(crate) fn next_due_after(conn: &Connection, now: UnixMs) -> Result<Option<UnixMs>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT next_run_at FROM scheduled_tasks WHERE enabled = 1 AND next_run_at > ?1 ORDER BY next_run_at LIMIT 1",
    )?;
    let first: Option<String> = statement.query_row([text(now)], |row| row.get(0)).optional()?;
    #[cfg(test)]
    crate::tests::effort::note(&statement);
    Ok(first.and_then(|at| UnixMs::from_iso(&at)))
}
