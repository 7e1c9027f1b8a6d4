//! How turns end: by success, by failure, or by being given back (D11 to D14).

use std::time::Duration;

use crate::{
    Answer, ChannelId, Failed, Failure, Finished, NoticeFn, StoreError, UnixMs, adopt,
    answer::{self, NewAnswer},
    channel,
    lane::{self, Lane},
    notice, session,
    tx::Tx,
};

/// A row as far as ending it needs.
pub(crate) struct Ending {
    pub(crate) id: i64,
    pub(crate) lane: Option<i64>,
    pub(crate) channel: Option<ChannelId>,
    pub(crate) direction: String,
    pub(crate) status: String,
    pub(crate) reply_thread: Option<String>,
    pub(crate) session_key: Option<String>,
    pub(crate) turn_rows: Option<String>,
    pub(crate) attempts: u32,
    pub(crate) leases: u32,
    pub(crate) busy_since: Option<UnixMs>,
}

impl Ending {
    pub(crate) fn is_inbound(&self) -> bool {
        self.direction == "inbound"
    }

    /// Waits or runs: counted in its channel's queue.
    pub(crate) fn is_unended(&self) -> bool {
        self.status == "pending" || self.status == "processing"
    }

    /// The rows of its latest turn, oldest first.
    fn rows(&self) -> Vec<i64> {
        self.turn_rows
            .as_deref()
            .and_then(|ids| serde_json::from_str(ids).ok())
            .unwrap_or_else(|| vec![self.id])
    }
}

pub(crate) fn load(tx: &Tx<'_>, row: i64) -> Result<Option<Ending>, StoreError> {
    tx.first(
        "SELECT id, lane, channel, direction, status, reply_thread, session_key, turn_rows, retry_count, lease_count,
           busy_since_ms FROM messages WHERE id = ?1",
        [row],
        |row| {
            Ok(Ending {
                id: row.get(0)?,
                lane: row.get(1)?,
                channel: row.get(2)?,
                direction: row.get(3)?,
                status: row.get(4)?,
                reply_thread: row.get(5)?,
                session_key: row.get(6)?,
                turn_rows: row.get(7)?,
                attempts: row.get(8)?,
                leases: row.get(9)?,
                busy_since: row.get(10)?,
            })
        },
    )
}

/// The turn's row and lane, if the turn is open.
pub(crate) fn open(tx: &Tx<'_>, turn: i64) -> Result<Option<(Ending, i64)>, StoreError> {
    let Some(row) = load(tx, turn)?.filter(|row| row.is_inbound() && row.status == "processing") else {
        return Ok(None);
    };
    let lane = match row.lane {
        Some(lane) => lane::by_id(tx, lane)?.filter(|lane| lane.turn == Some(turn)),
        None => None,
    };
    Ok(lane.map(|lane| (row, lane.id)))
}

// D13: a first success is taken whenever it comes; a second one for an answered row changes nothing.
pub(crate) fn finish(tx: &mut Tx<'_>, turn: i64, answer: Option<Answer>) -> Result<Finished, StoreError> {
    // An earlier daemon, 0.7 too, may have opened it.
    adopt::one(tx, turn)?;
    let Some(row) = load(tx, turn)?.filter(Ending::is_inbound) else {
        return Ok(Finished::Unknown);
    };
    let (Some(lane), Some(channel)) = (row.lane, row.channel) else {
        return Ok(if row.status == "processed" {
            Finished::Already
        } else {
            Finished::Unknown
        });
    };
    if row.status == "processed" {
        return Ok(Finished::Already);
    }
    let rows = row.rows();
    for id in &rows {
        if let Some(ended) = load(tx, *id)?.filter(|row| row.status != "processed") {
            end(tx, &ended, channel, "done", None)?;
        }
    }
    let Some(found) = lane::by_id(tx, lane)? else {
        return Ok(Finished::Unknown);
    };
    if let Some(key) = &row.session_key {
        session::turned(tx, &found, key)?;
    }
    let answer = match answer.filter(|answer| !answer.content.is_empty() || answer.parts.is_some()) {
        Some(answer) => Some(store_answer(tx, &row, &found, &answer)?),
        None => None,
    };
    if answer.is_some() {
        for id in &rows {
            tx.run(
                "UPDATE messages SET answer = ?2 WHERE id = ?1 AND answer IS NULL",
                (id, answer),
            )?;
        }
    }
    lane::rows_changed(tx, lane, &rows)?;
    Ok(Finished::Done { answer })
}

// D17: the turn's end and its raw answer are one commit.
fn store_answer(tx: &mut Tx<'_>, row: &Ending, lane: &Lane, answer: &Answer) -> Result<i64, StoreError> {
    let new = NewAnswer {
        lane,
        answers: row.id,
        thread: row.reply_thread.as_deref(),
        content: &answer.content,
    };
    let id = answer::insert(tx, &new)?;
    if let Some(parts) = &answer.parts {
        answer::split(tx, id, parts)?;
    }
    answer::refresh(tx, lane.id)?;
    Ok(id)
}

/// Ends an inbound row for good.
pub(crate) fn end(
    tx: &mut Tx<'_>,
    row: &Ending,
    channel: ChannelId,
    outcome: &str,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    tx.run(
        "UPDATE messages SET status = 'processed', outcome = ?2, error = ?3, processed_at = ?4, busy_since_ms = NULL,
           gap = NULL, due_ms = NULL WHERE id = ?1",
        (row.id, outcome, reason, tx.now.to_iso()),
    )?;
    if row.is_unended() {
        channel::count(tx, channel, -1)?;
    }
    Ok(())
}

pub(crate) fn fail(tx: &mut Tx<'_>, turn: i64, failure: &Failure) -> Result<Failed, StoreError> {
    let Some((row, lane)) = open(tx, turn)? else {
        return Ok(Failed::NotOpen);
    };
    let failed = fail_rows(
        tx,
        &row.rows(),
        turn,
        &failure.error,
        failure.lease,
        failure.notice.as_ref(),
    )?;
    lane::release(tx, lane)?;
    Ok(failed)
}

/// Counts an attempt against each of a turn's rows. The caller releases the lane.
pub(crate) fn fail_rows(
    tx: &mut Tx<'_>,
    rows: &[i64],
    turn: i64,
    error: &str,
    lease: bool,
    notice: Option<&NoticeFn>,
) -> Result<Failed, StoreError> {
    let mut outcome = Failed::NotOpen;
    for (place, id) in rows.iter().enumerate() {
        let Some(row) = load(tx, *id)?.filter(Ending::is_unended) else {
            continue;
        };
        let attempt = row.attempts + 1;
        tx.run(
            "UPDATE messages SET retry_count = ?2, lease_count = lease_count + ?3, error = ?4, busy_since_ms = NULL,
               alone = MAX(alone, ?5) WHERE id = ?1",
            (id, attempt, lease, error, rows.len() > 1),
        )?;
        let given_up = attempt >= tx.options.max_attempts
            || row.leases + u32::from(lease) >= tx.options.max_lease_attempts;
        let failed = if given_up {
            Failed::Parked {
                attempt,
                notice: park(tx, &row, error, notice)?,
            }
        } else {
            // D14: after a turn of several rows each has a turn of its own; they wait behind the first one's backoff.
            let at = if place == 0 { backoff(tx, attempt)? } else { tx.now };
            retry_at(tx, *id, at, attempt, error)?;
            Failed::Retry { attempt, at }
        };
        if place == 0 || *id == turn && matches!(failed, Failed::Parked { .. }) {
            outcome = failed;
        }
    }
    Ok(outcome)
}

fn retry_at(tx: &mut Tx<'_>, row: i64, at: UnixMs, attempt: u32, error: &str) -> Result<(), StoreError> {
    tx.run(
        "UPDATE messages SET status = 'pending', due_ms = ?2 WHERE id = ?1",
        (row, at),
    )?;
    tx.trail(
        row,
        "attempt failed",
        Some(&format!("attempt {attempt}: {error}")),
    )
}

// D11: before the attempts 0, 5, 10, 20, 40 s (± 20 %).
fn backoff(tx: &Tx<'_>, failed_attempt: u32) -> Result<UnixMs, StoreError> {
    let step = 5_000_u64 << failed_attempt.saturating_sub(1).min(3);
    let roll: Option<i64> = tx.first("SELECT random() & 1023", [], |row| row.get(0))?;
    let spread = step * 2 / 5 * roll.unwrap_or(512).unsigned_abs() / 1023;
    Ok(tx.now.plus(Duration::from_millis(step - step / 5 + spread)))
}

/// Gives a row up: it leaves the queue, and the conversation may be told (D22).
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
    tx.trail(row.id, "parked", Some(error))?;
    match notice {
        Some(text) => notice::parked(tx, row.id, text),
        None => Ok(None),
    }
}

/// A row whose payload is no message can never be a turn; it must not hold up its lane.
pub(crate) fn park_unreadable(tx: &mut Tx<'_>, lane: i64, row: i64) -> Result<(), StoreError> {
    if let Some(row) = load(tx, row)? {
        park(tx, &row, "the stored message cannot be read", None)?;
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
    let Some((row, lane)) = open(tx, turn)? else {
        return Ok(Failed::NotOpen);
    };
    let since = row.busy_since.unwrap_or(tx.now);
    if tx.now.since(since) >= give_up_after {
        return fail(tx, turn, failure);
    }
    for (place, id) in row.rows().iter().enumerate() {
        let due = (place == 0).then_some(again);
        tx.run(
            "UPDATE messages SET status = 'pending', due_ms = ?2, busy_since_ms = ?3 WHERE id = ?1 AND status = 'processing'",
            (id, due, since),
        )?;
    }
    tx.trail(turn, "agent busy", Some(&failure.error))?;
    lane::release(tx, lane)?;
    Ok(Failed::GivenBack { again })
}

// D11: given back uncounted after `stop` or a signal.
pub(crate) fn give_back(tx: &mut Tx<'_>, turn: i64) -> Result<(), StoreError> {
    let Some((row, lane)) = open(tx, turn)? else {
        return Ok(());
    };
    for id in row.rows() {
        tx.run(
            "UPDATE messages SET status = 'pending' WHERE id = ?1 AND status = 'processing'",
            [id],
        )?;
    }
    tx.trail(turn, "given back", None)?;
    lane::release(tx, lane)
}

pub(crate) fn give_back_all(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let turns = tx.all(
        "SELECT turn FROM kata_lanes WHERE state = 'busy' AND turn IS NOT NULL",
        [],
        |row| row.get(0),
    )?;
    for turn in turns {
        give_back(tx, turn)?;
    }
    Ok(())
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
    let rows = load(tx, turn)?.map(|row| row.rows()).unwrap_or_default();
    fail_rows(
        tx,
        &rows,
        turn,
        "the daemon ended while this turn was open",
        false,
        None,
    )?;
    let mut parked = Vec::new();
    for id in rows {
        parked.extend(
            load(tx, id)?
                .filter(|row| row.status == "failed")
                .map(|row| row.id),
        );
    }
    lane::release(tx, lane)?;
    Ok(parked)
}
