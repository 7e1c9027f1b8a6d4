//! The end of sessions by retention, in small steps: nobody talked in one for as long as anything is kept, and what was
//! said in one that is over goes.

use crate::{Retention, SessionName, StoreError, UnixMs, session::RETENTION, tx::Tx};

/// Rows that one step looks at, of each kind.
const STEP: i64 = 200;

/// What a step of it did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Sessions that ended now.
    pub ended: Vec<SessionName>,
    /// Sessions of which nothing is left here: what else is kept for them may go too.
    pub cleared: Vec<SessionName>,
    /// There may be more.
    pub more: bool,
}

/// A session that is over, and its retention too.
struct Over {
    id: i64,
    name: SessionName,
    alone: bool,
}

pub(crate) fn expire(tx: &mut Tx<'_>, retention: &Retention) -> Result<Expired, StoreError> {
    let cutoff = tx.now.minus(retention.processed);
    let mut expired = Expired::default();
    end_silent(tx, cutoff, &mut expired)?;
    clear(tx, cutoff, &mut expired)?;
    let archived = tx.run(
        "DELETE FROM kata_transcript WHERE id IN
           (SELECT id FROM kata_transcript WHERE archived IS NOT NULL AND archived_ms < ?1 ORDER BY archived_ms LIMIT +?2)",
        (cutoff, STEP),
    )?;
    expired.more |= is_full(archived);
    tx.run(
        "DELETE FROM kata_threads WHERE (channel, conversation, thread) IN
           (SELECT channel, conversation, thread FROM kata_threads WHERE seen_ms < ?1 ORDER BY seen_ms LIMIT +?2)",
        (cutoff, STEP),
    )?;
    Ok(expired)
}

/// A session in whose lane something waits or runs is not silent, however long that takes.
fn end_silent(tx: &Tx<'_>, cutoff: UnixMs, expired: &mut Expired) -> Result<(), StoreError> {
    let silent = found(
        tx,
        "SELECT s.id, c.workspace, c.slug, s.key, s.alone
         FROM kata_sessions s JOIN kata_channels c ON c.id = s.channel JOIN kata_lanes l ON l.id = s.lane
         WHERE s.ended_ms IS NULL AND s.last_ms < ?1 AND l.state = 'idle' ORDER BY s.last_ms LIMIT +?2",
        cutoff,
    )?;
    expired.more |= is_full(silent.len());
    for session in silent {
        tx.run(
            "UPDATE kata_sessions SET ended_ms = ?2, ended_why = ?3 WHERE id = ?1",
            (session.id, tx.now, RETENTION),
        )?;
        expired.ended.push(session.name);
    }
    Ok(())
}

fn clear(tx: &Tx<'_>, cutoff: UnixMs, expired: &mut Expired) -> Result<(), StoreError> {
    let over = found(
        tx,
        "SELECT s.id, c.workspace, c.slug, s.key, s.alone FROM kata_sessions s JOIN kata_channels c ON c.id = s.channel
         WHERE s.ended_ms IS NOT NULL AND s.cleared = 0 AND (s.ended_ms < ?1 OR s.ended_why = 'retention')
         ORDER BY s.ended_ms LIMIT +?2",
        cutoff,
    )?;
    expired.more |= is_full(over.len());
    let mut left = STEP;
    for session in over {
        let gone = tx.run(
            "DELETE FROM kata_transcript WHERE id IN
               (SELECT id FROM kata_transcript WHERE session = ?1 ORDER BY id LIMIT +?2)",
            (session.id, left),
        )?;
        left -= i64::try_from(gone).unwrap_or(left);
        if left <= 0 {
            expired.more = true;
            break;
        }
        forget(tx, &session)?;
        expired.cleared.push(session.name);
    }
    Ok(())
}

/// The row of a session stays: a task may name it, and its conversation comes back under its key. That of a single message
/// goes, unless a task was made in it.
fn forget(tx: &Tx<'_>, session: &Over) -> Result<(), StoreError> {
    let gone = if session.alone {
        tx.run(
            "DELETE FROM kata_sessions WHERE id = ?1 AND NOT EXISTS
               (SELECT 1 FROM kata_tasks t WHERE t.creator_channel = kata_sessions.channel
                  AND t.creator_session = kata_sessions.key AND t.over_ms IS NULL)",
            [session.id],
        )?
    } else {
        0
    };
    if gone == 0 {
        tx.run(
            "UPDATE kata_sessions SET cleared = 1, tokens = 0 WHERE id = ?1",
            [session.id],
        )?;
    }
    Ok(())
}

fn found(tx: &Tx<'_>, sql: &str, cutoff: UnixMs) -> Result<Vec<Over>, StoreError> {
    tx.all(sql, (cutoff, STEP), |row| {
        Ok(Over {
            id: row.get(0)?,
            name: SessionName {
                workspace: row.get(1)?,
                slug: row.get(2)?,
                key: row.get(3)?,
            },
            alone: row.get(4)?,
        })
    })
}

fn is_full(rows: usize) -> bool {
    i64::try_from(rows).unwrap_or(0) >= STEP
}
