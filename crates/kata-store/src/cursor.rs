//! How far history has been read (D3), and which places there are to read.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension};

use crate::{ChannelId, CursorMove, StoreError, UnixMs, channel::Home, tx::Tx};

/// Applies what a page said. The gap is closed and the cursor moved in the transaction of the page's rows.
pub(crate) fn apply(tx: &mut Tx<'_>, home: &Home, moved: &CursorMove) -> Result<(), StoreError> {
    let CursorMove::To {
        conversation,
        thread,
        cursor,
    } = moved
    else {
        return Ok(());
    };
    close_gap(tx, home.id, conversation, thread.as_deref())?;
    set(tx, home.id, conversation, thread.as_deref(), cursor)?;
    // D24: 0.7 keeps one cursor a conversation, and none for threads. Written too, so that it could go on from here.
    if thread.is_none() {
        tx.run(
            "INSERT INTO polling_state (adapter_id, channel_source_id, last_timestamp, updated_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (adapter_id, channel_source_id)
             DO UPDATE SET last_timestamp = excluded.last_timestamp, updated_at = excluded.updated_at",
            (&home.slug, conversation, cursor, tx.now.to_iso()),
        )?;
    }
    Ok(())
}

fn set(
    tx: &mut Tx<'_>,
    channel: ChannelId,
    conversation: &str,
    thread: Option<&str>,
    to: &str,
) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO kata_cursors (channel, conversation, thread, cursor, moved_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (channel, conversation, thread) DO UPDATE SET cursor = excluded.cursor, moved_at = excluded.moved_at",
        (channel, conversation, thread.unwrap_or_default(), to, tx.now.to_iso()),
    )?;
    Ok(())
}

fn close_gap(
    tx: &mut Tx<'_>,
    channel: ChannelId,
    conversation: &str,
    thread: Option<&str>,
) -> Result<(), StoreError> {
    let place = (channel, conversation, thread.unwrap_or_default());
    let lanes: HashSet<i64> = tx
        .all(
            "SELECT lane FROM messages WHERE channel = ?1 AND conversation = ?2 AND gap = ?3",
            place,
            |row| row.get(0),
        )?
        .into_iter()
        .collect();
    if lanes.is_empty() {
        return Ok(());
    }
    tx.run(
        "UPDATE messages SET gap = NULL WHERE channel = ?1 AND conversation = ?2 AND gap = ?3",
        place,
    )?;
    for lane in lanes {
        crate::lane::refresh(tx, lane)?;
    }
    Ok(())
}

/// Takes the cursors of 0.7 where they are newer than ours: at the first time, and after that daemon ran in between.
/// Ours carry the very time of `polling_state` when we wrote both, so a later one there is not ours.
pub(crate) fn import(tx: &mut Tx<'_>, home: &Home) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO kata_cursors (channel, conversation, thread, cursor, moved_at)
         SELECT ?1, channel_source_id, '', last_timestamp, updated_at FROM polling_state WHERE adapter_id = ?2
         ON CONFLICT (channel, conversation, thread) DO UPDATE SET cursor = excluded.cursor, moved_at = excluded.moved_at
         WHERE excluded.moved_at > kata_cursors.moved_at",
        (home.id, &home.slug),
    )?;
    Ok(())
}

pub(crate) fn find(
    conn: &Connection,
    channel: ChannelId,
    conversation: &str,
    thread: Option<&str>,
) -> Result<Option<String>, StoreError> {
    Ok(conn
        .prepare_cached(
            "SELECT cursor FROM kata_cursors WHERE channel = ?1 AND conversation = ?2 AND thread = ?3",
        )?
        .query_row((channel, conversation, thread.unwrap_or_default()), |row| {
            row.get(0)
        })
        .optional()?)
}

pub(crate) fn conversations(conn: &Connection, channel: ChannelId) -> Result<Vec<String>, StoreError> {
    Ok(conn
        .prepare_cached(
            "SELECT conversation FROM kata_cursors WHERE channel = ?1
             UNION SELECT conversation FROM kata_lanes WHERE channel = ?1 AND keeps = 0 ORDER BY conversation",
        )?
        .query_map([channel], |row| row.get(0))?
        .collect::<Result<_, _>>()?)
}

/// A thread that has no lane of its own lived.
pub(crate) fn note_thread(
    tx: &Tx<'_>,
    channel: ChannelId,
    conversation: &str,
    thread: &str,
) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO kata_threads (channel, conversation, thread, seen_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (channel, conversation, thread) DO UPDATE SET seen_ms = excluded.seen_ms",
        (channel, conversation, thread, tx.now),
    )?;
    Ok(())
}

/// D4: the threads with life since then, newest first, so many a conversation.
pub(crate) fn threads(
    conn: &Connection,
    channel: ChannelId,
    since: UnixMs,
    per_conversation: usize,
) -> Result<Vec<(String, String)>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT conversation, thread, seen_ms, id FROM kata_lanes
           WHERE channel = ?1 AND thread IS NOT NULL AND seen_ms >= ?2
         UNION ALL SELECT conversation, thread, seen_ms, 0 FROM kata_threads WHERE channel = ?1 AND seen_ms >= ?2
         ORDER BY 3 DESC, 4 DESC",
    )?;
    let mut seen = HashSet::new();
    let mut taken: HashMap<String, usize> = HashMap::new();
    let mut threads = Vec::new();
    let rows = statement.query_map((channel, since), |row| Ok((row.get(0)?, row.get(1)?)))?;
    for place in rows {
        let place: (String, String) = place?;
        let count = taken.entry(place.0.clone()).or_default();
        // Lanes of several senders may share a thread.
        if *count < per_conversation && seen.insert(place.clone()) {
            *count += 1;
            threads.push(place);
        }
    }
    Ok(threads)
}
