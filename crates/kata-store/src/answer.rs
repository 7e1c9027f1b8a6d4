//! Outbound rows and their parts: how an answer comes into being, and which step of it is next.

use serde_json::Value;

use crate::{
    StoreError, UnixMs, channel,
    lane::{self, Lane},
    payload,
    tx::Tx,
    words::{PartState, Status},
};

/// Discord takes no longer nonce; every key has to fit the strictest platform.
const KEY_LENGTH: u32 = 25;

/// An answer to store.
pub(crate) struct NewAnswer<'a> {
    pub(crate) lane: &'a Lane,
    /// The row that it answers.
    pub(crate) answers: i64,
    pub(crate) thread: Option<&'a str>,
    pub(crate) content: &'a str,
}

/// Stores an answer, raw. The caller looks at the lane anew with [`refresh`] when the answer is complete.
pub(crate) fn insert(tx: &mut Tx<'_>, new: &NewAnswer<'_>) -> Result<i64, StoreError> {
    // Where the answered message stands: a lane may be wider than a conversation (scopes `instance`, `sender`).
    let place: Option<(Option<String>, String)> = tx.first(
        "SELECT conversation, channel_id FROM messages WHERE id = ?1",
        [new.answers],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let (conversation, slug) = match place {
        Some((conversation, slug)) => (conversation, slug),
        None => (None, channel::load(tx, new.lane.channel)?.slug),
    };
    let conversation = conversation.unwrap_or_else(|| new.lane.conversation.clone());
    let payload = payload::write(&payload::Outbound {
        channel_id: conversation.clone(),
        content: new.content.to_owned(),
        thread_id: new.thread.map(str::to_owned),
    });
    // D15: where there is no conversation, the answer is kept in its row and not sent.
    let (status, outcome) = if new.lane.keeps {
        (Status::Processed, Some("kept"))
    } else {
        (Status::Pending, None)
    };
    tx.insert(
        "INSERT INTO messages (direction, channel_id, status, payload, created_at, lane, channel, conversation, thread, sent_ms, answers,
           outcome, processed_at)
         VALUES ('outbound', ?1, ?10, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?11, ?12)",
        rusqlite::params![
            slug,
            payload,
            tx.now.to_iso(),
            new.lane.id,
            new.lane.channel,
            conversation,
            new.thread,
            tx.now,
            new.answers,
            status,
            outcome,
            outcome.map(|_| tx.now.to_iso()),
        ],
    )
}

/// Splits an answer into its parts, each with a key of its own (D17). No parts: the answer ends here.
pub(crate) fn split(tx: &mut Tx<'_>, answer: i64, parts: &[String]) -> Result<(), StoreError> {
    if parts.is_empty() {
        tx.run(
            "UPDATE messages SET status = 'processed', outcome = 'unsaid', processed_at = ?2 WHERE id = ?1",
            (answer, tx.now.to_iso()),
        )?;
        return Ok(());
    }
    for (n, text) in (1_usize..).zip(parts) {
        tx.run(
            "INSERT INTO kata_parts (answer, n, of, text, key)
             VALUES (?1, ?2, ?3, ?4, substr(?1 || '-' || ?2 || '-' || lower(hex(randomblob(8))), 1, ?5))",
            (answer, number(n), number(parts.len()), text, KEY_LENGTH),
        )?;
    }
    Ok(())
}

/// The one part of a notice, whose key says what it is about (D22).
pub(crate) fn notice_part(tx: &mut Tx<'_>, answer: i64, text: &str, key: &str) -> Result<(), StoreError> {
    one_part(tx, answer, text, key, &[])
}

/// The one part of an answer that is ready to send as it is.
pub(crate) fn one_part(
    tx: &mut Tx<'_>,
    answer: i64,
    text: &str,
    key: &str,
    choices: &[Value],
) -> Result<(), StoreError> {
    let choices = (!choices.is_empty()).then(|| payload::write(&choices));
    tx.run(
        "INSERT INTO kata_parts (answer, n, of, text, key, choices) VALUES (?1, 1, 1, ?2, ?3, ?4)",
        (answer, text, key, choices),
    )?;
    Ok(())
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Whether an answer was split into parts.
pub(crate) fn is_prepared(tx: &Tx<'_>, answer: i64) -> Result<bool, StoreError> {
    tx.one(
        "SELECT EXISTS (SELECT 1 FROM kata_parts WHERE answer = ?1)",
        [answer],
    )
}

/// Finds the lane's next answer anew. A lane that is sending stays so.
pub(crate) fn refresh(tx: &mut Tx<'_>, lane: i64) -> Result<(), StoreError> {
    if lane::by_id(tx, lane)?.is_none_or(|lane| lane.is_sending) {
        return Ok(());
    }
    release(tx, lane)
}

/// Ends what the lane was sending, and finds its next answer anew.
pub(crate) fn release(tx: &mut Tx<'_>, lane: i64) -> Result<(), StoreError> {
    let head: Option<i64> = tx.first(
        "SELECT id FROM messages WHERE lane = ?1 AND direction = 'outbound' AND status = 'pending' ORDER BY id LIMIT 1",
        [lane],
        |row| row.get(0),
    )?;
    let due: Option<UnixMs> = match head {
        Some(answer) => next_part(tx, answer)?
            .and_then(|part| part.due)
            .filter(|due| *due > tx.now),
        None => None,
    };
    let state = match (head, due) {
        (None, _) => "idle",
        (Some(_), None) => "ready",
        (Some(_), Some(_)) => "delayed",
    };
    tx.run(
        "UPDATE kata_lanes SET out_state = ?2, out_head = ?3, out_due_ms = ?4 WHERE id = ?1",
        (lane, state, head, due),
    )?;
    tx.wake.out |= head.is_some();
    Ok(())
}

/// The part of an answer that is next: the first one that is not settled.
pub(crate) struct NextPart {
    pub(crate) id: i64,
    pub(crate) state: PartState,
    pub(crate) due: Option<UnixMs>,
}

pub(crate) fn next_part(tx: &Tx<'_>, answer: i64) -> Result<Option<NextPart>, StoreError> {
    tx.first(
        "SELECT id, state, due_ms FROM kata_parts WHERE answer = ?1 AND state <> 'sent' ORDER BY n LIMIT 1",
        [answer],
        |row| {
            Ok(NextPart {
                id: row.get(0)?,
                state: row.get(1)?,
                due: row.get(2)?,
            })
        },
    )
}
