//! Sessions: a lane between two resets. The turns' order is the lane's; sessions are for views, for resets by key, and for
//! what is remembered of a conversation.

use crate::{Record, StoreError, Usage, channel::Home, count::Count, lane::Lane, transcript, tx::Tx};

/// Why a session ended, in its row.
pub(crate) const RESET: &str = "reset";
/// See [`RESET`].
pub(crate) const RETENTION: &str = "retention";
/// See [`RESET`].
pub(crate) const STATELESS: &str = "stateless";

/// A session by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionName {
    /// The workspace.
    pub workspace: String,
    /// The channel's folder name.
    pub slug: String,
    /// The key.
    pub key: String,
}

/// The key that the lane's next message gets.
pub(crate) fn key(tx: &Tx<'_>, home: &Home, lane: &Lane) -> String {
    (tx.options.session_key)(&home.slug, &home.workspace, thread_key(lane), lane.generation)
}

/// The key of one message of the lane that is a session by itself.
pub(crate) fn key_alone(tx: &Tx<'_>, home: &Home, lane: &Lane, platform_id: &str) -> String {
    // No other thread key has this sign before an id: the app would find one session by two names.
    let alone = format!("{}#{platform_id}", thread_key(lane));
    (tx.options.session_key)(&home.slug, &home.workspace, &alone, lane.generation)
}

fn thread_key(lane: &Lane) -> &str {
    // An adopted lane whose key is still undecided is asked here by views and resets alone: decided later, it may differ.
    lane.thread_key
        .as_deref()
        .or(lane.thread.as_deref())
        .unwrap_or(&lane.conversation)
}

/// The key of the lane's present session. An adopted one carries the key that 0.7 gave it, not the one that we would.
pub(crate) fn present(tx: &Tx<'_>, home: &Home, lane: &Lane) -> Result<String, StoreError> {
    let open = tx.first(
        "SELECT key FROM kata_sessions WHERE lane = ?1 AND generation = ?2 AND ended_ms IS NULL AND alone = 0
         ORDER BY last_ms DESC LIMIT 1",
        (lane.id, lane.generation),
        |row| row.get(0),
    )?;
    Ok(open.unwrap_or_else(|| key(tx, home, lane)))
}

/// Notes a message of the session. True: it is the session's first.
pub(crate) fn touch(tx: &mut Tx<'_>, lane: &Lane, key: &str, alone: bool) -> Result<bool, StoreError> {
    let known = tx.run(
        "UPDATE kata_sessions SET last_ms = ?3, messages = messages + 1
         WHERE channel = ?1 AND key = ?2 AND ended_why IS NOT 'retention'",
        (lane.channel, key, tx.now),
    )?;
    if known > 0 {
        return Ok(false);
    }
    if !revive(tx, lane, key)? {
        tx.run(
            "INSERT INTO kata_sessions (channel, key, lane, generation, started_ms, last_ms, messages, alone)
             VALUES (?1, ?2, ?3, ?4, ?5, ?5, 1, ?6)",
            (lane.channel, key, lane.id, lane.generation, tx.now, alone),
        )?;
    }
    Ok(true)
}

/// A conversation that was silent for longer than anything is kept begins again, under the key that is its for ever.
fn revive(tx: &mut Tx<'_>, lane: &Lane, key: &str) -> Result<bool, StoreError> {
    transcript::shut(tx, lane.channel, key)?;
    let known = tx.run(
        "UPDATE kata_sessions SET started_ms = ?3, last_ms = ?3, messages = 1, turns = 0, tokens = 0, input_tokens = NULL,
           output_tokens = NULL, sum_input = NULL, sum_output = NULL, compactions = 0, ended_ms = NULL, ended_why = NULL,
           cleared = 0
         WHERE channel = ?1 AND key = ?2 AND ended_why = 'retention'",
        (lane.channel, key, tx.now),
    )?;
    Ok(known > 0)
}

/// Notes a turn of the session, and what was said in it. True: it is over by that, since a message that was a session by
/// itself has had its answer.
pub(crate) fn turned(tx: &mut Tx<'_>, lane: &Lane, key: &str, record: &Record) -> Result<bool, StoreError> {
    let alone: Option<bool> = tx.first(
        "UPDATE kata_sessions SET last_ms = ?3, turns = turns + 1, tokens = tokens + ?4,
           ended_ms = CASE WHEN alone THEN ?3 ELSE ended_ms END, ended_why = CASE WHEN alone THEN ?5 ELSE ended_why END
         WHERE channel = ?1 AND key = ?2 RETURNING alone",
        (lane.channel, key, tx.now, Count(record.tokens), STATELESS),
        |row| row.get(0),
    )?;
    if let Some(usage) = &record.usage {
        used(tx, lane, key, usage)?;
    }
    transcript::append(tx, lane.channel, key, &record.entries)?;
    Ok(alone.unwrap_or(false))
}

/// Adds what a turn used. Of sums over the agent's own session it is their growth; they begin anew with that session.
fn used(tx: &Tx<'_>, lane: &Lane, key: &str, usage: &Usage) -> Result<(), StoreError> {
    let (input, output, sums) = match *usage {
        Usage::OfTurn { input, output } => (input, output, None),
        Usage::Sums { input, output } => {
            let before: Option<(Option<Count>, Option<Count>)> = tx.first(
                "SELECT sum_input, sum_output FROM kata_sessions WHERE channel = ?1 AND key = ?2",
                (lane.channel, key),
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            let (before_in, before_out) = before.unwrap_or_default();
            let grown = |now: u64, before: Option<Count>| {
                let before = before.map_or(0, |before| before.0);
                now.checked_sub(before).unwrap_or(now)
            };
            (
                grown(input, before_in),
                grown(output, before_out),
                Some((input, output)),
            )
        }
    };
    tx.run(
        "UPDATE kata_sessions SET input_tokens = COALESCE(input_tokens, 0) + ?3, output_tokens = COALESCE(output_tokens, 0) + ?4,
           sum_input = ?5, sum_output = ?6 WHERE channel = ?1 AND key = ?2",
        (
            lane.channel,
            key,
            Count(input),
            Count(output),
            sums.map(|sums| Count(sums.0)),
            sums.map(|sums| Count(sums.1)),
        ),
    )?;
    Ok(())
}

/// Names a session for people; an empty title is none. False: there is no such session.
pub(crate) fn set_title(tx: &Tx<'_>, workspace: &str, key: &str, title: &str) -> Result<bool, StoreError> {
    let title = Some(title.trim()).filter(|title| !title.is_empty());
    let known = tx.run(
        "UPDATE kata_sessions SET title = ?3 WHERE key = ?2 AND channel IN (SELECT id FROM kata_channels WHERE workspace = ?1)",
        (workspace, key, title),
    )?;
    Ok(known > 0)
}
