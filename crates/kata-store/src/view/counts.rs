//! Counts a channel. None of them reads the backlog.

use rusqlite::Connection;

use crate::{ChannelId, StoreError};

/// How much there is in a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelCounts {
    /// Its name in this database.
    pub channel: ChannelId,
    /// Its workspace.
    pub workspace: String,
    /// Its folder name.
    pub slug: String,
    /// It was configured at least once; else it is known from rows of the 0.7 daemon alone.
    pub configured: bool,
    /// Its work is not claimed.
    pub paused: bool,
    /// Messages that wait for a turn or are in one. It is counted as they come and go, so it is too high by those that a
    /// 0.7 daemon ended on our file.
    pub waiting: u64,
    /// Turns that run.
    pub running: u64,
    /// Messages and answers that were given up.
    pub parked: u64,
    /// Answers that are on their way.
    pub outgoing: u64,
}

pub(super) fn channels(conn: &Connection) -> Result<Vec<ChannelCounts>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, workspace, slug, first_configured_ms IS NOT NULL, paused, unended,
           (SELECT COUNT(*) FROM kata_lanes l WHERE l.channel = c.id AND l.state = 'busy'),
           (SELECT COUNT(*) FROM messages m WHERE m.channel = c.id AND m.status = 'failed'),
           (SELECT COUNT(*) FROM messages m WHERE m.direction = 'outbound' AND m.status = 'pending' AND m.channel = c.id)
         FROM kata_channels c ORDER BY workspace, slug",
    )?;
    let count =
        |row: &rusqlite::Row<'_>, column| row.get::<_, i64>(column).map(|count| count.max(0).unsigned_abs());
    let rows = statement.query_map([], |row| {
        Ok(ChannelCounts {
            channel: row.get(0)?,
            workspace: row.get(1)?,
            slug: row.get(2)?,
            configured: row.get(3)?,
            paused: row.get(4)?,
            waiting: count(row, 5)?,
            running: count(row, 6)?,
            parked: count(row, 7)?,
            outgoing: count(row, 8)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
