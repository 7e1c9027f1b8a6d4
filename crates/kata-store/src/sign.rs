//! Signs of life on the platform (a reaction, a status), noted so that the next daemon can take them off (D23).

use rusqlite::Connection;

use crate::{ChannelId, StoreError, tx::Tx};

pub(crate) fn set(tx: &mut Tx<'_>, row: i64, sign: Option<&str>) -> Result<(), StoreError> {
    tx.run("UPDATE messages SET sign = ?2 WHERE id = ?1", (row, sign))?;
    Ok(())
}

pub(crate) fn open(conn: &Connection) -> Result<Vec<(i64, ChannelId, String)>, StoreError> {
    Ok(conn
        .prepare_cached("SELECT id, channel, sign FROM messages WHERE sign IS NOT NULL ORDER BY id")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?)
}
