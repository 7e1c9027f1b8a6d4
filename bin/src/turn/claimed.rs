//! A turn that was claimed, as it enters the TURN stack.

use kata_agent::Stopwatch;
use kata_channel::{Timestamp, span::Traced};
use kata_store::ClaimedTurn;
use tokio_util::sync::CancellationToken;

use super::Slot;

/// One claimed turn.
#[derive(Clone, Debug)]
pub(crate) struct Claimed {
    /// What the store handed out.
    pub(crate) turn: ClaimedTurn,
    /// The capacity it holds.
    pub(crate) slot: Slot,
    /// Ends it.
    pub(crate) cancel: CancellationToken,
    /// The time that it uses up.
    pub(crate) watch: Stopwatch,
    /// When it ends at the latest, if nothing sleeps meanwhile.
    pub(crate) deadline: Timestamp,
}

// === impl Claimed ===

impl Traced for Claimed {
    fn span(&self) -> tracing::Span {
        let turn = &self.turn;
        tracing::info_span!("turn", channel = %turn.slug, conversation = %turn.conversation, turn = turn.id, attempt = turn.attempt)
    }
}
