//! Attempts that fail: counted, retried, at last given up (D11, D12, D14).

use std::time::Duration;

use crate::{
    Failed, Failure, NoticeFn, StoreError, UnixMs, channel, lane, notice,
    row::{self, Ending},
    task, trail,
    tx::Tx,
    words::Status,
};

/// Why a row whose payload is no message is given up.
pub(crate) const UNREADABLE: &str = "the stored message cannot be read";

pub(crate) fn fail(tx: &mut Tx<'_>, turn: i64, failure: &Failure) -> Result<Failed, StoreError> {
    let Some((row, lane)) = row::open(tx, turn)? else {
        return Ok(Failed::NotOpen);
    };
    let failed = fail_rows(
        tx,
        &row.rows(),
        &failure.error,
        failure.lease,
        failure.notice.as_ref(),
    )?;
    lane::release(tx, lane)?;
    Ok(failed)
}

/// Counts an attempt against each of a turn's rows, which fare alike: only rows that never failed share a turn. The
/// caller releases the lane.
pub(crate) fn fail_rows(
    tx: &mut Tx<'_>,
    rows: &[i64],
    error: &str,
    lease: bool,
    notice: Option<&NoticeFn>,
) -> Result<Failed, StoreError> {
    let mut outcome = Failed::NotOpen;
    for (place, id) in rows.iter().enumerate() {
        let Some(row) = row::load(tx, *id)?.filter(Ending::is_unended) else {
            continue;
        };
        let attempt = row.attempts + 1;
        tx.run(
            "UPDATE messages SET retry_count = ?2, lease_count = lease_count + ?3, error = ?4, busy_since_ms = NULL WHERE id = ?1",
            (id, attempt, lease, error),
        )?;
        trail::first_claim(tx, &row)?;
        tx.trail(
            *id,
            "attempt failed",
            Some(&format!("attempt {attempt}: {error}")),
        )?;
        let given_up = attempt >= tx.options.max_attempts
            || row.leases + u32::from(lease) >= tx.options.max_lease_attempts;
        let failed = if given_up {
            tx.trail(*id, "parked", Some(&format!("after attempt {attempt}")))?;
            Failed::Parked {
                attempt,
                notice: park(tx, &row, error, notice)?,
            }
        } else {
            // D14: after a turn of several rows each has a turn of its own; they wait behind the first one's backoff.
            let at = if place == 0 { backoff(tx, attempt)? } else { tx.now };
            tx.run(
                "UPDATE messages SET status = 'pending', due_ms = ?2 WHERE id = ?1",
                (id, at),
            )?;
            Failed::Retry { attempt, at }
        };
        if outcome == Failed::NotOpen {
            outcome = failed;
        }
    }
    Ok(outcome)
}

// D11: before the attempts 0, 5, 10, 20, 40 s (± 20 %).
fn backoff(tx: &Tx<'_>, failed_attempt: u32) -> Result<UnixMs, StoreError> {
    let step = 5_000_u64 << failed_attempt.saturating_sub(1).min(3);
    let roll: i64 = tx.one("SELECT random() & 1023", [])?;
    let spread = step * 2 / 5 * roll.unsigned_abs() / 1023;
    Ok(tx.now.plus(Duration::from_millis(step - step / 5 + spread)))
}

/// Gives a row up: it leaves the queue, and the conversation may be told (D22). The caller notes it in the row's trail.
fn park(
    tx: &mut Tx<'_>,
    row: &Ending,
    error: &str,
    notice: Option<&NoticeFn>,
) -> Result<Option<i64>, StoreError> {
    tx.run(
        "UPDATE messages SET status = 'failed', outcome = 'parked', error = ?2, processed_at = ?3, gap = NULL, due_ms = NULL
         WHERE id = ?1",
        (row.id, error, tx.now.to_iso()),
    )?;
    if let Some(channel) = row.channel.filter(|_| row.is_unended()) {
        channel::count(tx, channel, -1)?;
    }
    if let Some(fire) = row.fire {
        task::turn_parked(tx, fire, error)?;
    }
    match notice {
        Some(text) => notice::parked(tx, row.id, text),
        None => Ok(None),
    }
}

/// A row whose payload is no message can never be a turn; it must not hold up its lane.
pub(crate) fn park_unreadable(tx: &mut Tx<'_>, lane: i64, row: i64) -> Result<(), StoreError> {
    if let Some(row) = row::load(tx, row)? {
        tx.trail(row.id, "parked", Some(UNREADABLE))?;
        park(tx, &row, UNREADABLE, None)?;
    }
    lane::release(tx, lane)
}

// D12: uncounted until the agent was busy for as long as the lease would have run.
pub(crate) fn busy(
    tx: &mut Tx<'_>,
    turn: i64,
    again: UnixMs,
    give_up_after: Duration,
    failure: &Failure,
) -> Result<Failed, StoreError> {
    let Some((row, lane)) = row::open(tx, turn)? else {
        return Ok(Failed::NotOpen);
    };
    let since = row.busy_since.unwrap_or(tx.now);
    if tx.now.since(since) >= give_up_after {
        return fail(tx, turn, failure);
    }
    for (place, id) in row.rows().iter().enumerate() {
        let Some(row) = row::load(tx, *id)?.filter(|row| row.status == Status::Processing) else {
            continue;
        };
        let due = (place == 0).then_some(again);
        tx.run(
            "UPDATE messages SET status = 'pending', due_ms = ?2, busy_since_ms = ?3 WHERE id = ?1",
            (id, due, since),
        )?;
        trail::first_claim(tx, &row)?;
        tx.trail(*id, "agent busy", Some(&failure.error))?;
    }
    lane::release(tx, lane)?;
    Ok(Failed::GivenBack { again })
}

/// Counts the claims that an earlier process left open (D11). The rows that were given up for it.
pub(crate) fn recover(tx: &mut Tx<'_>) -> Result<Vec<i64>, StoreError> {
    let ours = "SELECT id, turn FROM kata_lanes WHERE state = 'busy' AND turn IS NOT NULL";
    // The 0.7 daemon may have claimed rows of ours and died: no lane of ours says so.
    let strays = "SELECT lane, id FROM messages WHERE direction = 'inbound' AND status = 'processing' AND lane IS NOT NULL";
    let mut parked = Vec::new();
    for left_open in [ours, strays] {
        for (lane, turn) in tx.all(left_open, [], |row| Ok((row.get(0)?, row.get(1)?)))? {
            parked.extend(recover_turn(tx, lane, turn)?);
        }
    }
    Ok(parked)
}

fn recover_turn(tx: &mut Tx<'_>, lane: i64, turn: i64) -> Result<Vec<i64>, StoreError> {
    let rows = row::load(tx, turn)?.map(|row| row.rows()).unwrap_or_default();
    fail_rows(
        tx,
        &rows,
        "the daemon ended while this turn was open",
        false,
        None,
    )?;
    let mut parked = Vec::new();
    for id in rows {
        parked.extend(
            row::load(tx, id)?
                .filter(|row| row.status == Status::Failed)
                .map(|row| row.id),
        );
    }
    lane::release(tx, lane)?;
    Ok(parked)
}
