//! Resets: the lane's counter goes up, so its next message opens a fresh session. Rows that wait keep their key (D8).

use crate::{
    StoreError, channel,
    lane::{self, Lane},
    session,
    tx::Tx,
};

/// Resets a lane. The key of the session that ended, if there was one.
pub(crate) fn reset(tx: &mut Tx<'_>, lane: &mut Lane) -> Result<Option<String>, StoreError> {
    let home = channel::load(tx, lane.channel)?;
    let ended = session::present(tx, &home, lane)?;
    tx.run(
        "UPDATE kata_lanes SET generation = generation + 1 WHERE id = ?1",
        [lane.id],
    )?;
    let known = tx.run(
        "UPDATE kata_sessions SET ended_ms = ?3 WHERE lane = ?1 AND generation = ?2 AND ended_ms IS NULL",
        (lane.id, lane.generation, tx.now),
    )?;
    lane.generation += 1;
    Ok((known > 0).then_some(ended))
}

/// Resets the lane of a session, if that session is the lane's present one.
pub(crate) fn reset_session(tx: &mut Tx<'_>, workspace: &str, key: &str) -> Result<bool, StoreError> {
    let found: Option<i64> = tx.first(
        "SELECT s.lane FROM kata_channels c JOIN kata_sessions s ON s.channel = c.id AND s.key = ?2
         JOIN kata_lanes l ON l.id = s.lane AND l.generation = s.generation WHERE c.workspace = ?1",
        (workspace, key),
        |row| row.get(0),
    )?;
    let Some(mut lane) = found.map(|id| lane::by_id(tx, id)).transpose()?.flatten() else {
        return Ok(false);
    };
    reset(tx, &mut lane)?;
    Ok(true)
}
