//! Lanes: which conversation has work, and which row is its head. Derived from `messages`, kept so that a claim is
//! one lookup in an index whatever the size of the backlog.

use rusqlite::Row;

use crate::{ChannelId, StoreError, UnixMs, tx::Tx};

/// A lane's row.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) id: i64,
    pub(crate) channel: ChannelId,
    pub(crate) conversation: String,
    pub(crate) thread: Option<String>,
    pub(crate) thread_key: Option<String>,
    pub(crate) generation: u32,
    pub(crate) is_busy: bool,
    pub(crate) head: Option<i64>,
    pub(crate) head_order: Option<i64>,
    pub(crate) turn: Option<i64>,
    pub(crate) turn_at: Option<UnixMs>,
    /// A step of an answer is in flight.
    pub(crate) is_sending: bool,
    pub(crate) out_head: Option<i64>,
    /// It is no conversation: its answers stay in their rows (D15).
    pub(crate) keeps: bool,
}

const COLUMNS: &str = "id, channel, conversation, thread, thread_key, generation, state = 'busy', head, head_order, turn, \
                       turn_ms, out_state = 'busy', out_head, keeps";

fn read(row: &Row<'_>) -> rusqlite::Result<Lane> {
    Ok(Lane {
        id: row.get(0)?,
        channel: row.get(1)?,
        conversation: row.get(2)?,
        thread: row.get(3)?,
        thread_key: row.get(4)?,
        generation: row.get(5)?,
        is_busy: row.get(6)?,
        head: row.get(7)?,
        head_order: row.get(8)?,
        turn: row.get(9)?,
        turn_at: row.get(10)?,
        is_sending: row.get(11)?,
        out_head: row.get(12)?,
        keeps: row.get(13)?,
    })
}

pub(crate) fn by_id(tx: &Tx<'_>, id: i64) -> Result<Option<Lane>, StoreError> {
    tx.first(
        &format!("SELECT {COLUMNS} FROM kata_lanes WHERE id = ?1"),
        [id],
        read,
    )
}

/// The lane of that name, made when it is new.
pub(crate) fn ensure(
    tx: &mut Tx<'_>,
    channel: ChannelId,
    name: &str,
    conversation: &str,
    thread: Option<&str>,
) -> Result<Lane, StoreError> {
    let find = format!("SELECT {COLUMNS} FROM kata_lanes WHERE channel = ?1 AND name = ?2");
    if let Some(lane) = tx.first(&find, (channel, name), read)? {
        tx.run(
            "UPDATE kata_lanes SET seen_ms = ?2 WHERE id = ?1",
            (lane.id, tx.now),
        )?;
        return Ok(lane);
    }
    let id = tx.insert(
        "INSERT INTO kata_lanes (channel, name, conversation, thread, seen_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
        (channel, name, conversation, thread, tx.now),
    )?;
    Ok(Lane {
        id,
        channel,
        conversation: conversation.to_owned(),
        thread: thread.map(str::to_owned),
        thread_key: None,
        generation: 0,
        is_busy: false,
        head: None,
        head_order: None,
        turn: None,
        turn_at: None,
        is_sending: false,
        out_head: None,
        keeps: false,
    })
}

/// The lane of a session's key that no conversation ever had (D15).
pub(crate) fn ensure_keeping(tx: &mut Tx<'_>, channel: ChannelId, key: &str) -> Result<Lane, StoreError> {
    let mut lane = ensure(tx, channel, &format!("task:{key}"), key, None)?;
    if !lane.keeps {
        tx.run("UPDATE kata_lanes SET keeps = 1 WHERE id = ?1", [lane.id])?;
        lane.keeps = true;
    }
    Ok(lane)
}

/// Decides the lane's thread key, if that is still open: a conversation's key is decided once.
pub(crate) fn decide(tx: &mut Tx<'_>, lane: &mut Lane, thread_key: &str) -> Result<(), StoreError> {
    if lane.thread_key.is_none() {
        tx.run(
            "UPDATE kata_lanes SET thread_key = ?2 WHERE id = ?1",
            (lane.id, thread_key),
        )?;
        lane.thread_key = Some(thread_key.to_owned());
    }
    Ok(())
}

/// A row came into the lane that may be claimed from `due` on. It becomes the head if it stands before the present one.
pub(crate) fn arrived(
    tx: &mut Tx<'_>,
    lane: &Lane,
    row: i64,
    order: i64,
    due: Option<UnixMs>,
) -> Result<(), StoreError> {
    let before_head = match (lane.head_order, lane.head) {
        (Some(head_order), Some(head)) => (order, row) < (head_order, head),
        _ => true,
    };
    if lane.is_busy || !before_head {
        return Ok(());
    }
    set_head(tx, lane.id, row, order, due)
}

fn set_head(tx: &mut Tx<'_>, lane: i64, row: i64, order: i64, due: Option<UnixMs>) -> Result<(), StoreError> {
    let due = due.filter(|due| *due > tx.now);
    let state = if due.is_some() { "delayed" } else { "ready" };
    tx.run(
        "UPDATE kata_lanes SET state = ?2, head = ?3, head_order = ?4, due_ms = ?5, turn = NULL, turn_ms = NULL,
           head_fire = (SELECT fire FROM messages WHERE id = ?3) WHERE id = ?1",
        (lane, state, row, order, due),
    )?;
    // A delayed lane too: whoever waits must learn of a nearer deadline.
    tx.wake.work = true;
    Ok(())
}

/// Finds the lane's head anew. A busy lane stays busy.
pub(crate) fn refresh(tx: &mut Tx<'_>, lane: i64) -> Result<(), StoreError> {
    if by_id(tx, lane)?.is_none_or(|lane| lane.is_busy) {
        return Ok(());
    }
    release(tx, lane)
}

/// Ends the lane's turn and finds its head anew: one lookup in an index.
pub(crate) fn release(tx: &mut Tx<'_>, lane: i64) -> Result<(), StoreError> {
    let head = tx.first(
        "SELECT id, order_key, due_ms FROM messages
         WHERE lane = ?1 AND direction = 'inbound' AND status = 'pending' AND gap IS NULL
         ORDER BY order_key, id LIMIT 1",
        [lane],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    if let Some((row, order, due)) = head {
        set_head(tx, lane, row, order, due)?;
    } else {
        tx.run(
            "UPDATE kata_lanes SET state = 'idle', head = NULL, head_order = NULL, due_ms = NULL, turn = NULL, turn_ms = NULL
             WHERE id = ?1",
            [lane],
        )?;
    }
    Ok(())
}

/// Rows of the lane ended or went back: the lane is released if its turn was among them, else looked at anew.
pub(crate) fn rows_changed(tx: &mut Tx<'_>, lane: i64, rows: &[i64]) -> Result<(), StoreError> {
    let Some(found) = by_id(tx, lane)? else {
        return Ok(());
    };
    rows_ended(tx, &found, rows)
}

/// The same, where the lane as it stands is at hand.
pub(crate) fn rows_ended(tx: &mut Tx<'_>, lane: &Lane, rows: &[i64]) -> Result<(), StoreError> {
    if lane.turn.is_some_and(|turn| rows.contains(&turn)) || !lane.is_busy {
        release(tx, lane.id)?;
    }
    Ok(())
}

/// Makes delayed lanes ready whose time has come. Not all at once after a long sleep: the next claim takes the next ones.
pub(crate) fn promote(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.run(
        "UPDATE kata_lanes SET state = 'ready', due_ms = NULL WHERE id IN
           (SELECT id FROM kata_lanes WHERE state = 'delayed' AND due_ms <= ?1 ORDER BY due_ms LIMIT 256)",
        [tx.now],
    )?;
    Ok(())
}

/// When the next delayed lane is due.
pub(crate) fn next_due(tx: &Tx<'_>) -> Result<Option<UnixMs>, StoreError> {
    tx.one("SELECT MIN(due_ms) FROM kata_lanes WHERE state = 'delayed'", [])
}
