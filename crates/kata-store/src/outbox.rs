//! The outbox: which answer, and which part of it, is next. One step in flight a lane, parts in order (D17, D18).

use rusqlite::Row;

use crate::{
    ChannelId, OutClaim, OutWork, Part, RawAnswer, StoreError, UnixMs,
    answer::{self, NextPart},
    lane, payload, trail,
    tx::Tx,
    words::{PartState, Status},
};

pub(crate) fn claim(tx: &mut Tx<'_>, channels: &[ChannelId]) -> Result<OutClaim, StoreError> {
    tx.run(
        "UPDATE kata_lanes SET out_state = 'ready', out_due_ms = NULL WHERE id IN
           (SELECT id FROM kata_lanes WHERE out_state = 'delayed' AND out_due_ms <= ?1 ORDER BY out_due_ms LIMIT 256)",
        [tx.now],
    )?;
    for channel in channels {
        while let Some((lane, head)) = first_ready(tx, *channel)? {
            if let Some(work) = take(tx, lane, head)? {
                return Ok(OutClaim::Work(work));
            }
        }
    }
    let next_due = tx.one(
        "SELECT MIN(out_due_ms) FROM kata_lanes WHERE out_state = 'delayed'",
        [],
    )?;
    Ok(OutClaim::Nothing { next_due })
}

fn first_ready(tx: &Tx<'_>, channel: ChannelId) -> Result<Option<(i64, i64)>, StoreError> {
    tx.first(
        "SELECT id, out_head FROM kata_lanes WHERE channel = ?1 AND out_state = 'ready' ORDER BY out_head LIMIT 1",
        [channel],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// An answer's row.
struct Head {
    id: i64,
    channel: ChannelId,
    conversation: String,
    thread: Option<String>,
    payload: String,
    created_at: UnixMs,
    /// The platform's id of the answered message, and its payload. None when it is gone by retention; a
    /// task's turn has no message on the platform.
    reply_to: Option<String>,
    answered: Option<String>,
}

/// The next step of the lane's first answer. None: the lane was not what it seemed, and has been put right.
fn take(tx: &mut Tx<'_>, lane: i64, answer: i64) -> Result<Option<OutWork>, StoreError> {
    // INVARIANT: only an answer that waits, here and now, is sent. The 0.7 daemon may have sent the one that we knew.
    let Some(head) = load(tx, answer)? else {
        answer::release(tx, lane)?;
        return Ok(None);
    };
    let next = answer::next_part(tx, answer)?;
    let work = match next {
        None if !answer::is_prepared(tx, answer)? => OutWork::Prepare(raw(head)),
        None => {
            tx.run(
                "UPDATE messages SET status = 'processed', outcome = 'sent', processed_at = ?2 WHERE id = ?1",
                (answer, tx.now.to_iso()),
            )?;
            answer::release(tx, lane)?;
            return Ok(None);
        }
        Some(part) if part.due.is_some_and(|due| due > tx.now) => {
            answer::release(tx, lane)?;
            return Ok(None);
        }
        Some(part) => try_part(tx, head, &part)?,
    };
    tx.run(
        "UPDATE kata_lanes SET out_state = 'busy', out_due_ms = NULL WHERE id = ?1",
        [lane],
    )?;
    Ok(Some(work))
}

fn load(tx: &Tx<'_>, answer: i64) -> Result<Option<Head>, StoreError> {
    tx.first(
        "SELECT m.id, m.channel, m.conversation, m.thread, m.payload, m.sent_ms, CASE WHEN a.fire IS NULL THEN COALESCE(a.shown_id, a.platform_id) END, a.payload
         FROM messages m LEFT JOIN messages a ON a.id = m.answers
         WHERE m.id = ?1 AND m.direction = 'outbound' AND m.status = 'pending'",
        [answer],
        |row| {
            Ok(Head {
                id: row.get(0)?,
                channel: row.get(1)?,
                conversation: row.get(2)?,
                thread: row.get(3)?,
                payload: row.get(4)?,
                created_at: row.get::<_, Option<UnixMs>>(5)?.unwrap_or(UnixMs(0)),
                reply_to: row.get(6)?,
                answered: row.get(7)?,
            })
        },
    )
}

fn raw(head: Head) -> RawAnswer {
    let content = serde_json::from_str::<payload::Outbound>(&head.payload).map(|payload| payload.content);
    RawAnswer {
        id: head.id,
        channel: head.channel,
        conversation: head.conversation,
        thread: head.thread,
        content: content.unwrap_or_default(),
    }
}

fn try_part(tx: &mut Tx<'_>, head: Head, next: &NextPart) -> Result<OutWork, StoreError> {
    if next.state != PartState::Waiting {
        let sql =
            format!("UPDATE kata_parts SET state = 'reading', due_ms = NULL WHERE id = ?1 RETURNING {PART}");
        let part = tx.first(&sql, [next.id], |row| read(row, head))?;
        trail::part(tx, next.id, "looked up", None)?;
        return part.map(OutWork::ReadBack).ok_or(StoreError::NoPart(next.id));
    }
    // D18: the attempt mark is durable before the platform is called.
    let sql = format!(
        "UPDATE kata_parts SET state = 'sending', attempts = attempts + 1, attempt_ms = ?2,
           first_attempt_ms = COALESCE(first_attempt_ms, ?2), due_ms = NULL WHERE id = ?1 RETURNING {PART}"
    );
    let part = tx.first(&sql, (next.id, tx.now), |row| read(row, head))?;
    if part.as_ref().is_some_and(|part| part.attempt > 1) {
        trail::tried(tx, next.id)?;
    }
    part.map(OutWork::Send).ok_or(StoreError::NoPart(next.id))
}

const PART: &str = "id, text, key, n, of, attempts, first_attempt_ms, attempt_ms, legacy, choices";

fn read(row: &Row<'_>, head: Head) -> rusqlite::Result<Part> {
    let said = head.answered.as_deref().and_then(payload::Said::read);
    let metadata = said.map(|said| said.metadata).unwrap_or_default();
    let choices: Option<String> = row.get(9)?;
    Ok(Part {
        id: row.get(0)?,
        answer: head.id,
        channel: head.channel,
        conversation: head.conversation,
        thread: head.thread,
        reply_to: head.reply_to,
        text: row.get(1)?,
        key: row.get(2)?,
        part: row.get(3)?,
        of: row.get(4)?,
        choices: choices
            .and_then(|choices| serde_json::from_str(&choices).ok())
            .unwrap_or_default(),
        metadata,
        created_at: head.created_at,
        attempt: row.get(5)?,
        first_attempt_at: row.get::<_, Option<UnixMs>>(6)?.unwrap_or(head.created_at),
        attempt_at: row.get::<_, Option<UnixMs>>(7)?.unwrap_or(head.created_at),
        legacy: row.get(8)?,
    })
}

/// D17: in one transaction the raw answer is replaced by its parts.
pub(crate) fn prepare(tx: &mut Tx<'_>, answer: i64, parts: &[String]) -> Result<(), StoreError> {
    end_preparing(tx, answer, |tx| answer::split(tx, answer, parts))
}

/// D17: an answer that is not to be said ends here, with the reason.
pub(crate) fn withhold(tx: &mut Tx<'_>, answer: i64, reason: &str) -> Result<(), StoreError> {
    end_preparing(tx, answer, |tx| {
        tx.run(
            "UPDATE messages SET status = 'processed', outcome = 'withheld', error = ?2, processed_at = ?3 WHERE id = ?1",
            (answer, reason, tx.now.to_iso()),
        )?;
        Ok(())
    })
}

fn end_preparing(
    tx: &mut Tx<'_>,
    answer: i64,
    end: impl FnOnce(&mut Tx<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let found: Option<(Option<i64>, Status)> = tx.first(
        "SELECT lane, status FROM messages WHERE id = ?1 AND direction = 'outbound'",
        [answer],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let Some((Some(lane), status)) = found else {
        return Ok(());
    };
    // Repeating it, after a reply that was lost, changes nothing: the lane may be sending its first part by now.
    if answer::is_prepared(tx, answer)? {
        return Ok(());
    }
    if status == Status::Pending {
        end(tx)?;
    }
    // Discarded meanwhile: the lane is free all the same.
    if lane::by_id(tx, lane)?.is_some_and(|lane| lane.out_head == Some(answer)) {
        return answer::release(tx, lane);
    }
    answer::refresh(tx, lane)
}
