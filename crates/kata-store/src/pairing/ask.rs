//! A stranger wrote: a code, one at a time, to a few strangers an hour.

use rand::seq::IndexedRandom as _;

use super::{LIVES, Pairing, STRANGERS, WINDOW, find};
use crate::{ChannelId, PairingState, StoreError, approval::CODE_ALPHABET, channel::Home, tx::Tx};

const LENGTH: usize = 6;
/// There are a thousand million codes and a handful of them is in use: so many misses in a row do not happen.
const TRIES: usize = 20;

/// The stranger's new code; or why it gets none.
pub(crate) fn ask(
    tx: &mut Tx<'_>,
    home: &Home,
    row: i64,
    sender: &str,
    name: Option<String>,
) -> Result<Result<Pairing, &'static str>, StoreError> {
    if let Some(open) = find::live(tx, home.id, sender)? {
        match open.state {
            PairingState::Asked if open.expires_at <= tx.now => close(tx, open.id)?,
            PairingState::Asked => return Ok(Err("has a code already")),
            _ => return Ok(Err("was let in meanwhile")),
        }
    }
    if given(tx, home.id)? >= STRANGERS {
        return Ok(Err("too many strangers were given a code within the hour"));
    }
    let code = fresh(tx)?;
    let id = tx.insert(
        "INSERT INTO kata_pairings (channel, sender, name, code, message, asked_ms, expires_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (home.id, sender, &name, &code, row, tx.now, tx.now.plus(LIVES)),
    )?;
    Ok(Ok(Pairing {
        id,
        channel: home.id,
        workspace: home.workspace.clone(),
        slug: home.slug.clone(),
        sender: sender.to_owned(),
        name,
        state: PairingState::Asked,
        code,
        asked_at: tx.now,
        expires_at: tx.now.plus(LIVES),
        paired_at: None,
        paired_by: None,
        over_at: None,
    }))
}

fn close(tx: &mut Tx<'_>, id: i64) -> Result<(), StoreError> {
    tx.run(
        "UPDATE kata_pairings SET state = 'expired', over_ms = ?2 WHERE id = ?1",
        (id, tx.now),
    )?;
    Ok(())
}

fn given(tx: &Tx<'_>, channel: ChannelId) -> Result<i64, StoreError> {
    tx.one(
        "SELECT COUNT(*) FROM kata_pairings WHERE channel = ?1 AND asked_ms > ?2",
        (channel, tx.now.minus(WINDOW)),
    )
}

fn fresh(tx: &Tx<'_>) -> Result<String, StoreError> {
    for _ in 0..TRIES {
        let code = roll();
        if find::by_code(tx, &code)?.is_none() {
            return Ok(code);
        }
    }
    Err(StoreError::Codes)
}

fn roll() -> String {
    let mut rng = rand::rng();
    let code: Vec<u8> = (0..LENGTH)
        .filter_map(|_| CODE_ALPHABET.choose(&mut rng).copied())
        .collect();
    String::from_utf8_lossy(&code).into_owned()
}
