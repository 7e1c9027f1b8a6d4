//! Sessions: a lane between two resets. The turns' order is the lane's; sessions are for views and for resets by key.

use crate::{StoreError, channel::Home, lane::Lane, tx::Tx};

/// The key that the lane's next message gets.
pub(crate) fn key(tx: &Tx<'_>, home: &Home, lane: &Lane) -> String {
    // An adopted lane whose key is still undecided is asked here by views and resets alone: decided later, it may differ.
    let thread_key = lane
        .thread_key
        .as_deref()
        .or(lane.thread.as_deref())
        .unwrap_or(&lane.conversation);
    (tx.options.session_key)(&home.slug, &home.workspace, thread_key, lane.generation)
}

/// The key of the lane's present session. An adopted one carries the key that 0.7 gave it, not the one that we would.
pub(crate) fn present(tx: &Tx<'_>, home: &Home, lane: &Lane) -> Result<String, StoreError> {
    let open = tx.first(
        "SELECT key FROM kata_sessions WHERE lane = ?1 AND generation = ?2 AND ended_ms IS NULL ORDER BY last_ms DESC LIMIT 1",
        (lane.id, lane.generation),
        |row| row.get(0),
    )?;
    Ok(open.unwrap_or_else(|| key(tx, home, lane)))
}

/// Notes a message of the session. True: it is the session's first.
pub(crate) fn touch(tx: &mut Tx<'_>, lane: &Lane, key: &str) -> Result<bool, StoreError> {
    let known = tx.run(
        "UPDATE kata_sessions SET last_ms = ?3, messages = messages + 1 WHERE channel = ?1 AND key = ?2",
        (lane.channel, key, tx.now),
    )?;
    if known == 0 {
        tx.run(
            "INSERT INTO kata_sessions (channel, key, lane, generation, started_ms, last_ms, messages)
             VALUES (?1, ?2, ?3, ?4, ?5, ?5, 1)",
            (lane.channel, key, lane.id, lane.generation, tx.now),
        )?;
    }
    Ok(known == 0)
}

/// Notes a turn of the session.
pub(crate) fn turned(tx: &mut Tx<'_>, lane: &Lane, key: &str) -> Result<(), StoreError> {
    tx.run(
        "UPDATE kata_sessions SET last_ms = ?3, turns = turns + 1 WHERE channel = ?1 AND key = ?2",
        (lane.channel, key, tx.now),
    )?;
    Ok(())
}
