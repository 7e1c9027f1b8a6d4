//! What became of an attempt to send a part, or to read one back (D18 to D21).

use std::time::Duration;

use crate::{
    Settle, Settled, StoreError, UnixMs, answer,
    payload::{self, Inbound},
    trail,
    tx::Tx,
    words::{PartState, Status},
};

/// D20: a platform may show a message late; nobody looks for one sooner than this after its attempt.
const LOOK_AFTER: Duration = Duration::from_secs(5);

/// A part that was tried, and its answer.
struct Tried {
    id: i64,
    answer: i64,
    lane: i64,
    /// The row that it answers, if secrets of the platform stand in it. While its turn is open (this is the card of a
    /// question), its own answer is still to come, and needs them.
    secret: Option<i64>,
    attempts: u32,
    is_reading: bool,
    is_last: bool,
}

impl Tried {
    /// The columns alone tell of this attempt: it is the part's first, and nothing happened to it yet.
    fn is_plain(&self) -> bool {
        self.attempts <= 1 && !self.is_reading
    }
}

pub(crate) fn settle(tx: &mut Tx<'_>, part: i64, settle: Settle) -> Result<Settled, StoreError> {
    let found = tx.first(
        "SELECT p.answer, p.state, p.attempts, p.n = p.of, m.lane, a.id, m.status
         FROM kata_parts p JOIN messages m ON m.id = p.answer
           LEFT JOIN messages a ON a.id = m.answers AND a.secret_until_ms IS NOT NULL
             AND a.status IN ('processed', 'failed')
         WHERE p.id = ?1",
        [part],
        |row| {
            let state: PartState = row.get(1)?;
            let tried = Tried {
                id: part,
                answer: row.get(0)?,
                attempts: row.get(2)?,
                is_last: row.get(3)?,
                lane: row.get::<_, Option<i64>>(4)?.unwrap_or(0),
                secret: row.get(5)?,
                is_reading: state == PartState::Reading,
            };
            Ok((tried, state, row.get::<_, Status>(6)?))
        },
    )?;
    let (tried, state, status) = found.ok_or(StoreError::NoPart(part))?;
    if state != PartState::Sending && state != PartState::Reading {
        return Ok(Settled {
            answer: tried.answer,
            answer_done: false,
            parked: status == Status::Failed,
        });
    }
    let settled = apply(tx, &tried, settle)?;
    answer::release(tx, tried.lane)?;
    Ok(settled)
}

fn apply(tx: &mut Tx<'_>, tried: &Tried, settle: Settle) -> Result<Settled, StoreError> {
    let mut settled = Settled {
        answer: tried.answer,
        answer_done: false,
        parked: false,
    };
    // Sent, the columns go on telling of it; not tried, there is nothing to tell.
    let stays_plain = matches!(settle, Settle::Sent { .. } | Settle::NotTried);
    if tried.is_plain() && !stays_plain {
        trail::tried(tx, tried.id)?;
    }
    match settle {
        Settle::Sent { platform_id } => settled.answer_done = sent(tx, tried, platform_id.as_deref())?,
        Settle::Later { at, error } => later(tx, tried, at, &error)?,
        Settle::Unknown { look_at, error } => {
            wait(tx, tried, PartState::Unknown, Some(look_at), Some(&error))?;
            trail::part(tx, tried.id, "perhaps sent", Some(&error))?;
        }
        Settle::Absent => {
            wait(tx, tried, PartState::Waiting, None, None)?;
            trail::part(tx, tried.id, "not found on the platform", None)?;
        }
        Settle::Again => {
            wait(tx, tried, PartState::Waiting, None, None)?;
            trail::part(tx, tried.id, "sent again, since the platform knows its key", None)?;
        }
        Settle::Park { error } => {
            park(tx, tried, &error)?;
            settled.parked = true;
        }
        Settle::NotTried => not_tried(tx, tried)?,
    }
    Ok(settled)
}

fn later(tx: &mut Tx<'_>, tried: &Tried, at: UnixMs, error: &str) -> Result<(), StoreError> {
    let (state, what) = if tried.is_reading {
        (PartState::Unknown, "could not be looked up")
    } else {
        (PartState::Waiting, "not sent")
    };
    wait(tx, tried, state, Some(at), Some(error))?;
    trail::part(tx, tried.id, what, Some(error))
}

fn wait(
    tx: &mut Tx<'_>,
    tried: &Tried,
    state: PartState,
    due: Option<UnixMs>,
    error: Option<&str>,
) -> Result<(), StoreError> {
    tx.run(
        "UPDATE kata_parts SET state = ?2, due_ms = ?3, error = ?4 WHERE id = ?1",
        (tried.id, state, due, error),
    )?;
    Ok(())
}

/// True: the answer is complete with this part.
fn sent(tx: &mut Tx<'_>, tried: &Tried, platform_id: Option<&str>) -> Result<bool, StoreError> {
    tx.run(
        "UPDATE kata_parts SET state = 'sent', platform_id = ?2, sent_ms = ?3, due_ms = NULL, error = NULL WHERE id = ?1",
        (tried.id, platform_id, tx.now),
    )?;
    if !tried.is_plain() {
        let id = platform_id.map(|id| format!("as {id}"));
        trail::part(tx, tried.id, trail::SENT, id.as_deref())?;
    }
    // D17: the parts before it are sent.
    if !tried.is_last {
        return Ok(false);
    }
    let done = tx.run(
        "UPDATE messages SET status = 'processed', outcome = 'sent', processed_at = ?2, error = NULL
         WHERE id = ?1 AND status = 'pending'",
        (tried.answer, tx.now.to_iso()),
    )?;
    if let Some(answered) = tried.secret {
        blank_secrets(tx, answered)?;
    }
    Ok(done > 0)
}

fn park(tx: &mut Tx<'_>, tried: &Tried, error: &str) -> Result<(), StoreError> {
    wait(tx, tried, PartState::Parked, None, Some(error))?;
    tx.run(
        "UPDATE messages SET status = 'failed', outcome = 'parked', error = ?2, processed_at = ?3
         WHERE id = ?1 AND status = 'pending'",
        (tried.answer, error, tx.now.to_iso()),
    )?;
    trail::part(tx, tried.id, "given up", None)?;
    tx.trail(tried.answer, "parked", Some(error))
}

/// The attempt did not take place: as if it had not been claimed.
fn not_tried(tx: &mut Tx<'_>, tried: &Tried) -> Result<(), StoreError> {
    if tried.is_reading {
        trail::part(tx, tried.id, "not looked up after all", None)?;
        return wait(tx, tried, PartState::Unknown, None, None);
    }
    if !tried.is_plain() {
        trail::part(tx, tried.id, "not tried after all", None)?;
    }
    wait(tx, tried, PartState::Waiting, None, None)?;
    tx.run(
        "UPDATE kata_parts SET attempts = attempts - 1, attempt_ms = NULL WHERE id = ?1",
        [tried.id],
    )?;
    if tried.attempts <= 1 {
        tx.run(
            "UPDATE kata_parts SET first_attempt_ms = NULL WHERE id = ?1",
            [tried.id],
        )?;
    }
    Ok(())
}

// D26: `responseUrl` and `triggerId` are blanked when the answer is settled, after 30 min at the latest.
pub(crate) fn blank_secrets(tx: &mut Tx<'_>, row: i64) -> Result<(), StoreError> {
    let found: Option<String> = tx.first(
        "SELECT payload FROM messages WHERE id = ?1 AND secret_until_ms IS NOT NULL",
        [row],
        |row| row.get(0),
    )?;
    let Some(text) = found else { return Ok(()) };
    let Some(mut stored) = Inbound::read(&text) else {
        return Ok(());
    };
    stored.blank_secrets();
    tx.run(
        "UPDATE messages SET payload = ?2, secret_until_ms = NULL WHERE id = ?1",
        (row, payload::write(&stored)),
    )?;
    Ok(())
}

/// D19: an attempt mark found at start says that the outcome is unknown.
pub(crate) fn recover(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let after = i64::try_from(LOOK_AFTER.as_millis()).unwrap_or(0);
    let open: Vec<(i64, PartState, u32)> = tx.all(
        "SELECT id, state, attempts FROM kata_parts WHERE state IN ('sending', 'reading')",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    for (part, state, attempts) in open {
        if state == PartState::Sending && attempts <= 1 {
            trail::tried(tx, part)?;
        }
        trail::part(tx, part, "perhaps sent", Some("the daemon ended before it knew"))?;
    }
    tx.run(
        "UPDATE kata_parts SET state = 'unknown', due_ms = attempt_ms + ?1 WHERE state IN ('sending', 'reading')",
        [after],
    )?;
    let lanes: Vec<i64> = tx.all("SELECT id FROM kata_lanes WHERE out_state = 'busy'", [], |row| {
        row.get(0)
    })?;
    for lane in lanes {
        answer::release(tx, lane)?;
    }
    Ok(())
}
