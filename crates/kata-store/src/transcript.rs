//! What was said in a session, for agents that do not remember it by themselves. Entries come with the end of their turn;
//! a compaction puts a summary before what it leaves, and archives what the summary stands for.

use rusqlite::Connection;

use crate::{ChannelId, StoreError, UnixMs, count::Count, tx::Tx, words::Speaker};

/// Something that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    /// Who said it.
    pub speaker: Speaker,
    /// The person's name.
    pub name: Option<String>,
    /// What was said. The caller has taken out what must not be kept.
    pub text: String,
    /// When.
    pub at: UnixMs,
    /// Its tokens, where they were reported.
    pub tokens: Option<u64>,
}

/// What a turn adds to what is known of its session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// What was said, oldest first; empty where the transcript is not kept.
    pub entries: Vec<NewEntry>,
    /// The tokens by which it grew what the agent is shown.
    pub tokens: u64,
    /// What the turn used, where that was reported.
    pub usage: Option<Usage>,
}

/// Tokens that an agent reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// Of this turn.
    OfTurn {
        /// Read.
        input: u64,
        /// Written.
        output: u64,
    },
    /// Sums over the agent's own session up to here.
    Sums {
        /// Read.
        input: u64,
        /// Written.
        output: u64,
    },
}

/// An entry that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptEntry {
    /// Its number in this database.
    pub id: i64,
    /// What was said.
    pub entry: NewEntry,
}

/// A summary in the place of the oldest entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compaction {
    /// The session's channel.
    pub channel: ChannelId,
    /// The session.
    pub session_key: String,
    /// The entries that the summary stands for: the oldest ones, as they were read.
    pub folded: Vec<i64>,
    /// The summary.
    pub summary: NewEntry,
    /// Tokens of what the agent is shown afterwards.
    pub tokens: u64,
}

pub(crate) fn append(
    tx: &Tx<'_>,
    channel: ChannelId,
    key: &str,
    entries: &[NewEntry],
) -> Result<(), StoreError> {
    for entry in entries {
        // No session, no entry: a task's turn may name a key that no conversation ever had.
        tx.run(
            "INSERT INTO kata_transcript (session, speaker, name, text, at_ms, tokens)
             SELECT id, ?3, ?4, ?5, ?6, ?7 FROM kata_sessions WHERE channel = ?1 AND key = ?2",
            rusqlite::params![
                channel,
                key,
                entry.speaker,
                entry.name,
                entry.text,
                entry.at,
                entry.tokens.map(Count)
            ],
        )?;
    }
    Ok(())
}

/// What the agent of a session is shown, oldest first.
pub(crate) fn shown(conn: &Connection, channel: ChannelId, key: &str) -> Result<Vec<KeptEntry>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT t.id, t.speaker, t.name, t.text, t.at_ms, t.tokens
         FROM kata_sessions s JOIN kata_transcript t ON t.session = s.id
         WHERE s.channel = ?1 AND s.key = ?2 AND t.archived IS NULL ORDER BY t.speaker <> 'summary', t.id",
    )?;
    let rows = statement.query_map((channel, key), |row| {
        Ok(KeptEntry {
            id: row.get(0)?,
            entry: NewEntry {
                speaker: row.get(1)?,
                name: row.get(2)?,
                text: row.get(3)?,
                at: row.get(4)?,
                tokens: row.get::<_, Option<Count>>(5)?.map(|tokens| tokens.0),
            },
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Archives what was folded and puts the summary in its place. False: the transcript is not the one that it was made from,
/// and nothing changed.
pub(crate) fn compact(tx: &Tx<'_>, compaction: &Compaction) -> Result<bool, StoreError> {
    let Compaction {
        channel,
        session_key,
        folded,
        summary,
        tokens,
    } = compaction;
    let kept = shown(tx.conn, *channel, session_key)?;
    let is_its =
        kept.len() >= folded.len() && kept.iter().zip(folded).all(|(kept, folded)| kept.id == *folded);
    if folded.is_empty() || !is_its {
        return Ok(false);
    }
    let id = tx.insert(
        "INSERT INTO kata_transcript (session, speaker, text, at_ms, tokens)
         SELECT id, 'summary', ?3, ?4, ?5 FROM kata_sessions WHERE channel = ?1 AND key = ?2",
        (
            channel,
            session_key,
            &summary.text,
            summary.at,
            summary.tokens.map(Count),
        ),
    )?;
    for entry in folded {
        tx.run(
            "UPDATE kata_transcript SET archived = ?2, archived_ms = ?3 WHERE id = ?1",
            (entry, id, tx.now),
        )?;
    }
    tx.run(
        "UPDATE kata_sessions SET tokens = ?3, compactions = compactions + 1 WHERE channel = ?1 AND key = ?2",
        (channel, session_key, Count(*tokens)),
    )?;
    Ok(true)
}

/// Nothing of it is shown any more.
pub(crate) fn shut(tx: &Tx<'_>, channel: ChannelId, key: &str) -> Result<(), StoreError> {
    tx.run(
        "UPDATE kata_transcript SET archived = 0, archived_ms = ?3 WHERE archived IS NULL
           AND session = (SELECT id FROM kata_sessions WHERE channel = ?1 AND key = ?2)",
        (channel, key, tx.now),
    )?;
    Ok(())
}
