//! Reading pairings.

use rusqlite::{Connection, Params, Row};

use super::Pairing;
use crate::{ChannelId, StoreError, tx::Tx};

const COLUMNS: &str = "p.id, p.channel, c.workspace, c.slug, p.sender, p.name, p.state, p.code, p.asked_ms, \
    p.expires_ms, p.paired_ms, p.paired_by, p.over_ms";

fn read(row: &Row<'_>) -> rusqlite::Result<Pairing> {
    Ok(Pairing {
        id: row.get(0)?,
        channel: row.get(1)?,
        workspace: row.get(2)?,
        slug: row.get(3)?,
        sender: row.get(4)?,
        name: row.get(5)?,
        state: row.get(6)?,
        code: row.get(7)?,
        asked_at: row.get(8)?,
        expires_at: row.get(9)?,
        paired_at: row.get(10)?,
        paired_by: row.get(11)?,
        over_at: row.get(12)?,
    })
}

fn those(conn: &Connection, condition: &str, params: impl Params) -> Result<Vec<Pairing>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM kata_pairings p JOIN kata_channels c ON c.id = p.channel WHERE {condition}"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let found = statement.query_map(params, read)?.collect::<Result<_, _>>()?;
    #[cfg(test)]
    crate::tests::effort::note(&statement);
    Ok(found)
}

pub(super) fn one(tx: &Tx<'_>, id: i64) -> Result<Option<Pairing>, StoreError> {
    Ok(those(tx.conn, "p.id = ?1", [id])?.pop())
}

/// The sender's open code, good or void, or its pairing.
pub(super) fn live(tx: &Tx<'_>, channel: ChannelId, sender: &str) -> Result<Option<Pairing>, StoreError> {
    let condition = "p.channel = ?1 AND p.sender = ?2 AND p.state IN ('asked', 'paired')";
    Ok(those(tx.conn, condition, (channel, sender))?.pop())
}

/// The open code of that text, good or void.
pub(super) fn by_code(tx: &Tx<'_>, code: &str) -> Result<Option<Pairing>, StoreError> {
    Ok(those(tx.conn, "p.code = ?1 AND p.state = 'asked'", [code])?.pop())
}

/// The row that it asked by.
pub(super) fn message(tx: &Tx<'_>, id: i64) -> Result<i64, StoreError> {
    tx.one("SELECT message FROM kata_pairings WHERE id = ?1", [id])
}

/// Who is let in, in a channel.
pub(crate) fn senders(conn: &Connection, channel: ChannelId) -> Result<Vec<String>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT sender FROM kata_pairings WHERE channel = ?1 AND state = 'paired'")?;
    let rows = statement.query_map([channel], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The newest first, with ids below `before`; only those that are let in or may be, unless all are asked for.
pub(crate) fn list(
    conn: &Connection,
    all: bool,
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<Pairing>, StoreError> {
    those(
        conn,
        "p.id < ?1 AND (?2 OR p.state IN ('asked', 'paired')) ORDER BY p.id DESC LIMIT ?3",
        (
            before.unwrap_or(i64::MAX),
            all,
            i64::try_from(limit).unwrap_or(i64::MAX),
        ),
    )
}
