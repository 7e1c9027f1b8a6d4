//! What a user's hand does to a row: cancel a turn, bring a parked row back, discard one.

use crate::{
    Retried, StoreError, UnixMs, adopt, answer, channel, lane,
    row::{self, End, Ending},
    trail,
    tx::Tx,
    words::Status,
};

/// Ends a turn without an answer.
pub(crate) fn cancel(tx: &mut Tx<'_>, turn: i64, reason: &str) -> Result<bool, StoreError> {
    let Some((_, lane)) = row::open(tx, turn)? else {
        return end_waiting(tx, turn, "cancelled", reason);
    };
    for id in turn_rows(tx, turn)? {
        if let Some(row) = row::load(tx, id)?.filter(Ending::is_unended)
            && let Some(channel) = row.channel
        {
            row::end(tx, &row, channel, &by_hand("cancelled", reason))?;
        }
    }
    lane::release(tx, lane)?;
    Ok(true)
}

fn by_hand<'a>(outcome: &'a str, reason: &'a str) -> End<'a> {
    End {
        outcome,
        reason: Some(reason),
        answer: None,
    }
}

pub(crate) fn turn_rows(tx: &Tx<'_>, turn: i64) -> Result<Vec<i64>, StoreError> {
    tx.all(
        "SELECT value FROM messages, json_each(COALESCE(turn_rows, json_array(messages.id))) WHERE messages.id = ?1",
        [turn],
        |row| row.get(0),
    )
}

/// Ends an inbound row that waits, or is parked.
fn end_waiting(tx: &mut Tx<'_>, row: i64, outcome: &str, reason: &str) -> Result<bool, StoreError> {
    let Some(row) = row::load(tx, row)?.filter(Ending::is_inbound) else {
        return Ok(false);
    };
    let waits = matches!(row.status, Status::Pending | Status::Failed);
    let (true, Some(lane), Some(channel)) = (waits, row.lane, row.channel) else {
        return Ok(false);
    };
    row::end(tx, &row, channel, &by_hand(outcome, reason))?;
    lane::rows_changed(tx, lane, &[row.id])?;
    Ok(true)
}

/// Ends a parked or waiting row, in or out.
pub(crate) fn discard(tx: &mut Tx<'_>, id: i64) -> Result<bool, StoreError> {
    adopt::one(tx, id)?;
    let Some(row) = row::load(tx, id)? else {
        return Ok(false);
    };
    if row.is_inbound() {
        return end_waiting(tx, id, "discarded", "discarded by the user");
    }
    // A part that is on its way has an outcome to come: it cannot be called back.
    let flying = tx.first(
        "SELECT 1 FROM kata_parts WHERE answer = ?1 AND state IN ('sending', 'reading')",
        [id],
        |_| Ok(()),
    )?;
    let waits = matches!(row.status, Status::Pending | Status::Failed);
    let (true, None, Some(lane)) = (waits, flying, row.lane) else {
        return Ok(false);
    };
    tx.run(
        "UPDATE messages SET status = 'processed', outcome = 'discarded', processed_at = ?2 WHERE id = ?1",
        (id, tx.now.to_iso()),
    )?;
    answer::refresh(tx, lane)?;
    Ok(true)
}

/// Brings a parked row back, with a fresh count of attempts; a turn of it begins no earlier than `due`.
pub(crate) fn retry(tx: &mut Tx<'_>, id: i64, due: Option<UnixMs>) -> Result<Retried, StoreError> {
    adopt::one(tx, id)?;
    let Some(row) = row::load(tx, id)? else {
        return Ok(Retried::Unknown);
    };
    let (true, Some(lane), Some(channel)) = (row.status == Status::Failed, row.lane, row.channel) else {
        return Ok(Retried::NotParked);
    };
    if row.is_inbound() {
        // A digest was given up as one, and comes back as one.
        for id in row.rows() {
            if let Some(row) = row::load(tx, id)?.filter(|row| row.status == Status::Failed) {
                bring_back(tx, row.id, due)?;
                channel::count(tx, channel, 1)?;
            }
        }
        lane::refresh(tx, lane)?;
        return Ok(Retried::Inbound);
    }
    bring_back(tx, id, None)?;
    tx.run(
        "UPDATE kata_parts SET state = 'waiting', attempts = 0, first_attempt_ms = NULL, attempt_ms = NULL, due_ms = NULL,
           error = NULL WHERE answer = ?1 AND state <> 'sent'",
        [id],
    )?;
    answer::refresh(tx, lane)?;
    Ok(Retried::Outbound)
}

fn bring_back(tx: &Tx<'_>, id: i64, due: Option<UnixMs>) -> Result<(), StoreError> {
    tx.run(
        "UPDATE messages SET status = 'pending', outcome = NULL, error = NULL, processed_at = NULL, retry_count = 0,
           lease_count = 0, due_ms = ?2, busy_since_ms = NULL WHERE id = ?1",
        (id, due),
    )?;
    tx.trail(id, trail::BROUGHT_BACK, None)
}
