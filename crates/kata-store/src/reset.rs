//! Resets: the lane's counter goes up, so its next message opens a fresh session. Rows that wait keep their key (D8).

use crate::{
    SessionName, StoreError, channel,
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
        "UPDATE kata_sessions SET ended_ms = ?3, ended_why = ?4 WHERE lane = ?1 AND generation = ?2 AND ended_ms IS NULL",
        (lane.id, lane.generation, tx.now, session::RESET),
    )?;
    lane.generation += 1;
    Ok((known > 0).then_some(ended))
}

/// Resets the lane of a session, if that session is the lane's present one.
pub(crate) fn reset_session(
    tx: &mut Tx<'_>,
    workspace: &str,
    key: &str,
) -> Result<Option<SessionName>, StoreError> {
    let found: Option<(i64, String)> = tx.first(
        "SELECT s.lane, c.slug FROM kata_channels c JOIN kata_sessions s ON s.channel = c.id AND s.key = ?2
         JOIN kata_lanes l ON l.id = s.lane AND l.generation = s.generation WHERE c.workspace = ?1",
        (workspace, key),
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let Some((lane, slug)) = found else {
        return Ok(None);
    };
    let Some(mut lane) = lane::by_id(tx, lane)? else {
        return Ok(None);
    };
    reset(tx, &mut lane)?;
    Ok(Some(SessionName {
        workspace: workspace.to_owned(),
        slug,
        key: key.to_owned(),
    }))
}
