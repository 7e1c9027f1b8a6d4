//! Edits and deletions (D7): what waits gets the new text, or goes. What was begun stays as it is; where a channel asks for it,
//! the new text is then a turn of its own.

use crate::{
    NewMessage, Outcome, StoreError, admit,
    channel::Home,
    control::{newest_edit, standing_for},
    lane,
    payload::{self, Inbound},
    tx::Tx,
};

/// A new text of a message.
pub(crate) struct Edit<'a> {
    pub(crate) conversation: &'a str,
    pub(crate) platform_id: &'a str,
    pub(crate) edited: i64,
    pub(crate) content: &'a str,
    pub(crate) prompt: &'a str,
}

/// A row that waits and was never claimed (D7).
struct Unclaimed {
    row: i64,
    lane: i64,
    payload: String,
}

/// A row that was a turn, or is one.
struct Begun {
    row: i64,
    lane: Option<i64>,
    order: i64,
    payload: String,
}

pub(crate) fn edit(tx: &mut Tx<'_>, home: &Home, edit: &Edit<'_>) -> Result<Outcome, StoreError> {
    let found = unclaimed(tx, home, edit.conversation, edit.platform_id)?;
    match found {
        Some(found) if is_newer(tx, home, edit)? => replace(tx, &found, edit),
        Some(_) => Ok(Outcome::Ignored),
        None => pass_over(tx, home, edit),
    }
}

/// Too late. It is noted, so that it is not taken for a new one when it is seen again under other settings.
fn pass_over(tx: &mut Tx<'_>, home: &Home, edit: &Edit<'_>) -> Result<Outcome, StoreError> {
    if let Some(row) = standing_for(tx, home, edit.conversation, edit.platform_id)? {
        tx.run(
            "UPDATE messages SET edited = ?2 WHERE id = ?1 AND (edited IS NULL OR edited < ?2)",
            (row, edit.edited),
        )?;
    }
    Ok(Outcome::Ignored)
}

/// D7: the platform may deliver edits in any order, and more than once; the newest wins.
fn is_newer(tx: &Tx<'_>, home: &Home, edit: &Edit<'_>) -> Result<bool, StoreError> {
    let newest = newest_edit(tx, home, edit.conversation, edit.platform_id)?;
    Ok(newest.is_none_or(|newest| newest < edit.edited))
}

fn replace(tx: &mut Tx<'_>, found: &Unclaimed, edit: &Edit<'_>) -> Result<Outcome, StoreError> {
    let Some(mut stored) = Inbound::read(&found.payload) else {
        return Ok(Outcome::Ignored);
    };
    let prompt = (edit.prompt != edit.content).then_some(edit.prompt);
    edit.content.clone_into(&mut stored.content);
    tx.run(
        "UPDATE messages SET payload = ?2, prompt = ?3, edited = ?4 WHERE id = ?1",
        (found.row, payload::write(&stored), prompt, edit.edited),
    )?;
    tx.trail(found.row, "edited", None)?;
    Ok(Outcome::Edited { row: found.row })
}

/// As [`edit`]; but the new text of a message that was begun, parked or answered is a turn of its own.
pub(crate) fn follow_up(
    tx: &mut Tx<'_>,
    home: &Home,
    gap: &str,
    edited: i64,
    mut message: NewMessage,
) -> Result<Outcome, StoreError> {
    let id = message.platform_id.clone();
    let now = Edit {
        conversation: &message.conversation,
        platform_id: &id,
        edited,
        content: &message.content,
        prompt: &message.prompt,
    };
    if !is_newer(tx, home, &now)? {
        return Ok(Outcome::Ignored);
    }
    if let Some(found) = unclaimed(tx, home, &message.conversation, &id)? {
        return replace(tx, &found, &now);
    }
    let Some(begun) = begun(tx, home, &message.conversation, &id)? else {
        return Ok(Outcome::Ignored);
    };
    // A picture that was unrolled, a word that was taken back: it says what it said.
    if Inbound::read(&begun.payload).is_none_or(|stored| stored.content == message.content) {
        return Ok(Outcome::Ignored);
    }
    message.order = admit::behind(tx, begun.lane, begun.order)?;
    message.platform_id = format!("{id}:edit:{edited}");
    message.metadata.insert("editOf".to_owned(), id.as_str().into());
    let outcome = admit::turn_for(tx, home, gap, message, Some(&id))?;
    if let Outcome::New { row: new, .. } = &outcome {
        tx.run("UPDATE messages SET edited = ?2 WHERE id = ?1", (new, edited))?;
        tx.trail(
            begun.row,
            "edited",
            Some(&format!("too late for it: row {new} goes on with the new text")),
        )?;
    }
    Ok(outcome)
}

/// The row that stands for a message that was a turn, or is one.
fn begun(
    tx: &Tx<'_>,
    home: &Home,
    conversation: &str,
    platform_id: &str,
) -> Result<Option<Begun>, StoreError> {
    let Some(row) = standing_for(tx, home, conversation, platform_id)? else {
        return Ok(None);
    };
    tx.first(
        "SELECT id, lane, order_key, payload FROM messages WHERE id = ?1 AND order_key IS NOT NULL
           AND (status IN ('pending', 'processing', 'failed') OR outcome IN ('done', 'cancelled'))",
        [row],
        |row| {
            Ok(Begun {
                row: row.get(0)?,
                lane: row.get(1)?,
                order: row.get(2)?,
                payload: row.get(3)?,
            })
        },
    )
}

pub(crate) fn withdraw(
    tx: &mut Tx<'_>,
    home: &Home,
    conversation: &str,
    platform_id: &str,
) -> Result<Outcome, StoreError> {
    let Some(found) = unclaimed(tx, home, conversation, platform_id)? else {
        return Ok(Outcome::Ignored);
    };
    tx.run(
        "UPDATE messages SET status = 'processed', outcome = 'withdrawn', processed_at = ?2, gap = NULL WHERE id = ?1",
        (found.row, tx.now.to_iso()),
    )?;
    lane::rows_changed(tx, found.lane, &[found.row])?;
    Ok(Outcome::Withdrawn { row: found.row })
}

/// What waits of a message: itself, or what stands for it.
fn unclaimed(
    tx: &Tx<'_>,
    home: &Home,
    conversation: &str,
    platform_id: &str,
) -> Result<Option<Unclaimed>, StoreError> {
    let Some(row) = standing_for(tx, home, conversation, platform_id)? else {
        return Ok(None);
    };
    tx.first(
        "SELECT id, lane, payload FROM messages WHERE id = ?1 AND status = 'pending' AND claimed_ms IS NULL",
        [row],
        |row| {
            Ok(Unclaimed {
                row: row.get(0)?,
                lane: row.get(1)?,
                payload: row.get(2)?,
            })
        },
    )
}
