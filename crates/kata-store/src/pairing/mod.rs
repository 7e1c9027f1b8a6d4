//! Pairing: a stranger who writes gets a code, and whoever owns the place lets it in by that code. What is limited is
//! limited here, in the transaction, so that no restart forgets it.

mod ask;
mod confirm;
mod find;

use std::{fmt, time::Duration};

pub(crate) use ask::ask;
pub(crate) use confirm::{confirm, revoke};
pub(crate) use find::{list, senders};

use crate::{ChannelId, PairingState, StoreError, UnixMs, tx::Tx};

/// So long a code is good.
const LIVES: Duration = Duration::from_secs(3600);
/// Over this time strangers who got a code are counted, and codes that were wrong.
const WINDOW: Duration = Duration::from_secs(3600);
/// So many strangers of a channel get a code in that time.
const STRANGERS: i64 = 3;
/// So many wrong codes are heard in that time; then none is, the right one neither.
const MISSES: i64 = 10;
/// Codes that came to nothing are kept for so long.
const KEPT: Duration = Duration::from_secs(90 * 24 * 3600);

/// Somebody who asked to be heard in a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairing {
    /// Its number in this database, never used again.
    pub id: i64,
    /// The channel.
    pub channel: ChannelId,
    /// The channel's workspace.
    pub workspace: String,
    /// The channel's folder name.
    pub slug: String,
    /// The platform's id of the sender.
    pub sender: String,
    /// The sender's name, as the platform showed it then. Untrusted text.
    pub name: Option<String>,
    /// Where it stands.
    pub state: PairingState,
    /// What it is confirmed by: six characters.
    pub code: String,
    /// When the sender was given the code.
    pub asked_at: UnixMs,
    /// The first moment at which the code is void.
    pub expires_at: UnixMs,
    /// When the sender was let in.
    pub paired_at: Option<UnixMs>,
    /// By whom.
    pub paired_by: Option<String>,
    /// When that ended.
    pub over_at: Option<UnixMs>,
}

/// Makes a text for the sender out of a pairing. It runs inside the transaction, so it must be quick.
pub type PairingFn = Box<dyn FnOnce(&Pairing) -> String + Send>;

/// A stranger wrote, in a channel that gives codes.
pub struct PairingEffect {
    /// The sender's name, if the platform tells it.
    pub name: Option<String>,
    /// Tells the sender the code.
    pub tell: PairingFn,
}

/// A code that somebody confirms.
pub struct PairingCode {
    /// The code, in any case, with or without white space and hyphens.
    pub code: String,
    /// Only in this channel: (workspace, slug).
    pub channel: Option<(String, String)>,
    /// Who confirms.
    pub by: String,
    /// Tells the sender that it is heard now.
    pub tell: PairingFn,
}

/// What a code came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PairingOutcome {
    /// The sender is let in.
    Paired(Pairing),
    /// It is nobody's code.
    Unknown,
    /// It was this sender's, and is void.
    Expired(Pairing),
    /// Too many codes were wrong: none is heard until then.
    Locked(UnixMs),
}

/// Deletes what came to nothing. True: there may be more.
pub(crate) fn sweep(tx: &mut Tx<'_>, step: i64) -> Result<bool, StoreError> {
    let gone = tx.run(
        "DELETE FROM kata_pairings WHERE id IN
           (SELECT id FROM kata_pairings WHERE state <> 'paired' AND expires_ms < ?1 ORDER BY expires_ms LIMIT ?2)",
        (tx.now.minus(KEPT), step),
    )?;
    Ok(i64::try_from(gone).unwrap_or(0) == step)
}

impl fmt::Debug for PairingEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairingEffect")
    }
}

/// The code stays out of it: whoever reads it can let somebody in.
impl fmt::Debug for PairingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PairingCode")
            .field("channel", &self.channel)
            .field("by", &self.by)
            .finish_non_exhaustive()
    }
}
