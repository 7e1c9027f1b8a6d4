//! Sessions, page by page and one by one.

use rusqlite::{Connection, OptionalExtension, Row};

use crate::{ChannelId, StoreError, UnixMs, count::Count};

/// A session in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// Its number in this database.
    pub id: i64,
    /// Its key.
    pub key: String,
    /// Its channel.
    pub channel: ChannelId,
    /// The channel's workspace.
    pub workspace: String,
    /// The channel's folder name.
    pub slug: String,
    /// The platform's place of talk.
    pub conversation: String,
    /// The thread in it.
    pub thread: Option<String>,
    /// How often the conversation had been reset.
    pub generation: u32,
    /// When its first message came.
    pub started_at: UnixMs,
    /// When it last lived.
    pub last_at: UnixMs,
    /// When it ended.
    pub ended_at: Option<UnixMs>,
    /// Why: `reset`, `retention` or `stateless`.
    pub ended_why: Option<String>,
    /// What people call it.
    pub title: Option<String>,
    /// Messages that came.
    pub messages: u64,
    /// Turns that were answered.
    pub turns: u64,
    /// Tokens of what its agent is shown, as far as we know it.
    pub tokens: u64,
    /// Tokens that its agent reported to have read; none if it reports nothing.
    pub input_tokens: Option<u64>,
    /// Tokens that its agent reported to have written.
    pub output_tokens: Option<u64>,
    /// How often its transcript was compacted.
    pub compactions: u64,
}

const SELECT: &str = "SELECT s.id, s.key, s.channel, c.workspace, c.slug, l.conversation, l.thread, s.generation, s.started_ms, \
    s.last_ms, s.ended_ms, s.ended_why, s.title, s.messages, s.turns, s.tokens, s.input_tokens, s.output_tokens, s.compactions \
    FROM kata_sessions s JOIN kata_channels c ON c.id = s.channel JOIN kata_lanes l ON l.id = s.lane";

fn read(row: &Row<'_>) -> rusqlite::Result<SessionView> {
    let count = |column: usize| row.get::<_, Count>(column).map(|count| count.0);
    Ok(SessionView {
        id: row.get(0)?,
        key: row.get(1)?,
        channel: row.get(2)?,
        workspace: row.get(3)?,
        slug: row.get(4)?,
        conversation: row.get(5)?,
        thread: row.get(6)?,
        generation: row.get(7)?,
        started_at: row.get(8)?,
        last_at: row.get(9)?,
        ended_at: row.get(10)?,
        ended_why: row.get(11)?,
        title: row.get(12)?,
        messages: count(13)?,
        turns: count(14)?,
        tokens: count(15)?,
        input_tokens: row.get::<_, Option<Count>>(16)?.map(|count| count.0),
        output_tokens: row.get::<_, Option<Count>>(17)?.map(|count| count.0),
        compactions: count(18)?,
    })
}

pub(super) fn sessions(
    conn: &Connection,
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<SessionView>, StoreError> {
    let mut statement =
        conn.prepare_cached(&format!("{SELECT} WHERE s.id < ?1 ORDER BY s.id DESC LIMIT ?2"))?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map((before.unwrap_or(i64::MAX), limit), read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn session(
    conn: &Connection,
    channel: ChannelId,
    key: &str,
) -> Result<Option<SessionView>, StoreError> {
    let mut statement = conn.prepare_cached(&format!("{SELECT} WHERE s.channel = ?1 AND s.key = ?2"))?;
    Ok(statement.query_row((channel, key), read).optional()?)
}
