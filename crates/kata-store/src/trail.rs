//! What a message's own columns cannot tell, kept for `explain`.
//!
//! The plain way (one claim, one success, one attempt a part) writes nothing here: the columns tell it. They remember
//! the latest claim and attempt alone, so once one of them ends otherwise it is written down after the fact, and each
//! later one when it begins.

use crate::{StoreError, UnixMs, row::Ending, tx::Tx};

/// Notes what happens to a message whose row may be gone by retention.
pub(crate) fn if_kept(tx: &Tx<'_>, message: i64, step: &str, detail: &str) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO kata_trail (message, n, at_ms, step, detail)
         SELECT ?1, (SELECT COALESCE(MAX(n), 0) + 1 FROM kata_trail WHERE message = ?1), ?2, ?3, ?4
         WHERE EXISTS (SELECT 1 FROM messages WHERE id = ?1)",
        (message, tx.now, step, detail),
    )?;
    Ok(())
}

/// A claim of a row.
pub(crate) const CLAIMED: &str = "claimed";
/// A parked row waits again, and its attempts are counted anew.
pub(crate) const BROUGHT_BACK: &str = "brought back";
/// What is said of a part that the platform took.
pub(crate) const SENT: &str = "sent";

/// How a claim is told.
pub(crate) fn attempt(attempt: u32, row: i64, turn: Option<i64>) -> String {
    match turn.filter(|turn| *turn != row) {
        Some(turn) => format!("attempt {attempt}, in the turn of row {turn}"),
        None => format!("attempt {attempt}"),
    }
}

/// Writes down the row's claim if it is the first one; a later one was written when it was made.
pub(crate) fn first_claim(tx: &Tx<'_>, row: &Ending) -> Result<(), StoreError> {
    claimed_before(
        tx,
        row.id,
        row.claimed_at,
        &attempt(row.attempts + 1, row.id, row.turn),
    )
}

/// Writes down a claim of that time, unless a claim of the row stands here already.
pub(crate) fn claimed_before(
    tx: &Tx<'_>,
    row: i64,
    at: Option<UnixMs>,
    detail: &str,
) -> Result<(), StoreError> {
    if at.is_some() {
        tx.run(
            "INSERT INTO kata_trail (message, n, at_ms, step, detail)
             SELECT ?1, (SELECT COALESCE(MAX(n), 0) + 1 FROM kata_trail WHERE message = ?1), ?2, ?3, ?4
             WHERE NOT EXISTS (SELECT 1 FROM kata_trail WHERE message = ?1 AND step = ?3)",
            (row, at, CLAIMED, detail),
        )?;
    }
    Ok(())
}

/// Writes down the part's present attempt.
pub(crate) fn tried(tx: &Tx<'_>, part: i64) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO kata_trail (message, n, at_ms, step, detail)
         SELECT answer, (SELECT COALESCE(MAX(n), 0) + 1 FROM kata_trail WHERE message = answer), attempt_ms,
           'part ' || n || ' of ' || of || ' tried', 'attempt ' || attempts || ', key ' || key
         FROM kata_parts WHERE id = ?1 AND attempt_ms IS NOT NULL",
        [part],
    )?;
    Ok(())
}

/// Notes what happened to a part.
pub(crate) fn part(tx: &Tx<'_>, part: i64, step: &str, detail: Option<&str>) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO kata_trail (message, n, at_ms, step, detail)
         SELECT answer, (SELECT COALESCE(MAX(n), 0) + 1 FROM kata_trail WHERE message = answer), ?2,
           'part ' || n || ' of ' || of || ' ' || ?3, ?4
         FROM kata_parts WHERE id = ?1",
        (part, tx.now, step, detail),
    )?;
    Ok(())
}
