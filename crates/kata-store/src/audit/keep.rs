//! Retention: the oldest rows go, and the chain starts behind them.

use std::time::Duration;

use super::chain::{self, Link};
use crate::{StoreError, UnixMs, tx::Tx};

/// Takes up to `step` rows off the front that are older than `kept`. True: there may be more.
pub(crate) fn sweep(tx: &mut Tx<'_>, kept: Duration, step: i64) -> Result<bool, StoreError> {
    let cutoff = tx.now.minus(kept);
    let oldest: Option<UnixMs> = tx.first("SELECT at_ms FROM kata_audit ORDER BY id LIMIT 1", [], |row| {
        row.get(0)
    })?;
    if oldest.is_none_or(|at| at >= cutoff) {
        return Ok(false);
    }
    let front: Vec<(Link, UnixMs)> = tx.all(
        "SELECT id, hash, at_ms FROM kata_audit ORDER BY id LIMIT ?1",
        [step],
        |row| {
            let link = Link {
                id: row.get(0)?,
                hash: row.get(1)?,
            };
            Ok((link, row.get(2)?))
        },
    )?;
    // Only from the front, whatever the clock said meanwhile: a chain has no holes.
    let Some((last, _)) = front.iter().take_while(|(_, at)| *at < cutoff).last() else {
        return Ok(false);
    };
    chain::set_start(tx.conn, last)?;
    let gone = tx.run("DELETE FROM kata_audit WHERE id <= ?1", [last.id])?;
    Ok(i64::try_from(gone).unwrap_or(0) == step)
}
