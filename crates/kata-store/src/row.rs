//! An inbound or outbound row as far as ending it needs.

use crate::{
    ChannelId, StoreError, UnixMs, channel, lane, past, task,
    tx::Tx,
    words::{Status, Way},
};

/// A row as far as ending it needs.
pub(crate) struct Ending {
    pub(crate) id: i64,
    pub(crate) lane: Option<i64>,
    pub(crate) channel: Option<ChannelId>,
    pub(crate) way: Way,
    pub(crate) status: Status,
    pub(crate) reply_thread: Option<String>,
    pub(crate) session_key: Option<String>,
    pub(crate) turn_rows: Option<String>,
    pub(crate) attempts: u32,
    pub(crate) leases: u32,
    pub(crate) busy_since: Option<UnixMs>,
    pub(crate) claimed_at: Option<UnixMs>,
    /// The newest row of the turn that it was claimed in.
    pub(crate) turn: Option<i64>,
    /// The fire of a task whose turn it is.
    pub(crate) fire: Option<i64>,
}

impl Ending {
    pub(crate) fn is_inbound(&self) -> bool {
        self.way == Way::In
    }

    /// Waits or runs: counted in its channel's queue.
    pub(crate) fn is_unended(&self) -> bool {
        matches!(self.status, Status::Pending | Status::Processing)
    }

    /// The 0.7 daemon wrote it, and it has no place of ours yet.
    pub(crate) fn is_foreign(&self) -> bool {
        self.lane.is_none_or(|lane| lane == past::NO_LANE)
    }

    /// The rows of its latest turn, oldest first.
    pub(crate) fn rows(&self) -> Vec<i64> {
        self.turn_rows
            .as_deref()
            .and_then(|ids| serde_json::from_str(ids).ok())
            .unwrap_or_else(|| vec![self.id])
    }
}

pub(crate) fn load(tx: &Tx<'_>, row: i64) -> Result<Option<Ending>, StoreError> {
    tx.first(
        "SELECT id, lane, channel, direction, status, reply_thread, session_key, turn_rows, retry_count, lease_count,
           busy_since_ms, claimed_ms, turn, fire FROM messages WHERE id = ?1",
        [row],
        |row| {
            Ok(Ending {
                id: row.get(0)?,
                lane: row.get(1)?,
                channel: row.get(2)?,
                way: row.get(3)?,
                status: row.get(4)?,
                reply_thread: row.get(5)?,
                session_key: row.get(6)?,
                turn_rows: row.get(7)?,
                attempts: row.get(8)?,
                leases: row.get(9)?,
                busy_since: row.get(10)?,
                claimed_at: row.get(11)?,
                turn: row.get(12)?,
                fire: row.get(13)?,
            })
        },
    )
}

/// The turn's row and lane, if the turn is open.
pub(crate) fn open(tx: &Tx<'_>, turn: i64) -> Result<Option<(Ending, i64)>, StoreError> {
    let Some(row) = load(tx, turn)?.filter(|row| row.is_inbound() && row.status == Status::Processing) else {
        return Ok(None);
    };
    let lane = match row.lane {
        Some(lane) => lane::by_id(tx, lane)?.filter(|lane| lane.turn == Some(turn)),
        None => None,
    };
    Ok(lane.map(|lane| (row, lane.id)))
}

/// How a row ends.
pub(crate) struct End<'a> {
    pub(crate) outcome: &'a str,
    pub(crate) reason: Option<&'a str>,
    /// The row of its answer.
    pub(crate) answer: Option<i64>,
}

/// Ends an inbound row for good.
pub(crate) fn end(
    tx: &mut Tx<'_>,
    row: &Ending,
    channel: ChannelId,
    end: &End<'_>,
) -> Result<(), StoreError> {
    tx.run(
        "UPDATE messages SET status = 'processed', outcome = ?2, error = ?3, processed_at = ?4, busy_since_ms = NULL,
           gap = NULL, due_ms = NULL, answer = COALESCE(answer, ?5) WHERE id = ?1",
        (row.id, end.outcome, end.reason, tx.now.to_iso(), end.answer),
    )?;
    if row.is_unended() {
        channel::count(tx, channel, -1)?;
    }
    match row.fire {
        Some(fire) => task::turn_done(tx, fire, end.reason),
        None => Ok(()),
    }
}
