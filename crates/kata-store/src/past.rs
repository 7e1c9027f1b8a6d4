//! Messages that the 0.7 daemon ended. It kept no index of the platform's ids; a thread that is read again from its
//! start would hand its answered messages to us as new ones. So their ids are noted, as far back as anything is read.

use std::time::Duration;

use crate::{StoreError, adopt, payload::Inbound, tx::Tx};

/// D4: threads with life within this time are read again.
const REACH: Duration = Duration::from_secs(7 * 24 * 3600);
/// Noted at once when a channel is configured, the newest first; adoption does the rest in its steps.
pub(crate) const AT_ONCE: usize = 2_000;

/// The column `lane` of a row that needs none: it ended before we came.
pub(crate) const NO_LANE: i64 = 0;

/// Notes the ids of up to `max` ended rows of a slug. How many there were.
///
/// The index is named since the planner prefers one of 0.7 that has all of the slug's messages, ours too.
pub(crate) fn note(tx: &mut Tx<'_>, slug: &str, max: usize) -> Result<usize, StoreError> {
    let rows: Vec<(i64, String)> = tx.all(
        "SELECT id, payload FROM messages INDEXED BY kata_messages_past
         WHERE direction = 'inbound' AND lane IS NULL AND status IN ('processed', 'failed')
           AND channel_id = ?1 AND created_at >= ?2 ORDER BY created_at DESC LIMIT ?3",
        (
            slug,
            tx.now.minus(REACH).to_iso(),
            i64::try_from(max).unwrap_or(0),
        ),
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    for (id, payload) in &rows {
        note_one(tx, *id, slug, payload)?;
    }
    Ok(rows.len())
}

fn note_one(tx: &mut Tx<'_>, id: i64, slug: &str, payload: &str) -> Result<(), StoreError> {
    if let Some(payload) = Inbound::read(payload)
        && let Some(platform_id) = payload.platform_id()
    {
        let place = adopt::belongs(tx, slug, &payload)?;
        // 0.7 may have a message twice: the id is then noted with the other row.
        tx.run(
            "UPDATE OR IGNORE messages SET channel = ?2, conversation = ?3, platform_id = ?4 WHERE id = ?1",
            (id, place.home.id, place.conversation, platform_id),
        )?;
    }
    tx.run("UPDATE messages SET lane = ?2 WHERE id = ?1", (id, NO_LANE))?;
    Ok(())
}

/// The same for all slugs that are known.
pub(crate) fn step(tx: &mut Tx<'_>, max: usize) -> Result<usize, StoreError> {
    let slugs: Vec<String> = tx.all("SELECT DISTINCT slug FROM kata_channels", [], |row| row.get(0))?;
    let mut noted = 0;
    for slug in slugs {
        noted += note(tx, &slug, max - noted)?;
    }
    Ok(noted)
}
