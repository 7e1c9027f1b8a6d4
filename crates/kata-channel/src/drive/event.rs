//! What a driver says about its channel.

use crate::{adapter::Identity, error::ChannelError, id::Place};

/// Something that a driver wants known. The first seven are states of the channel, each said once when it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DriverEvent {
    /// The platform is asked who we are.
    Connecting,
    /// The channel works; said once, by whom the platform takes us for.
    Connected(Identity),
    /// The channel works again.
    Recovered,
    /// The channel does not work, or not wholly; it is tried again. The error is the platform's, or (as
    /// [`ChannelError::Other`]) the store's: while nothing can be written, nothing is acknowledged and nothing is
    /// called (D6).
    Degraded(ChannelError),
    /// The platform asked for a pause, which is kept.
    RateLimited(ChannelError),
    /// The token is no longer good. Final: nothing is called until there is a new driver with a new token.
    AuthExpired(ChannelError),
    /// The platform refused us for good. Final like [`AuthExpired`](Self::AuthExpired).
    Refused(ChannelError),
    /// History is about to be read after a connect or a thaw: lanes wait (D3).
    Holding,
    /// History has been read, or 30 s have passed: lanes go on (D3).
    Reconciled,
    /// Messages that the catch-up found too old for a turn (D4).
    Skipped {
        /// How many.
        count: usize,
    },
    /// A conversation cannot be read; the others are. Said once until it can be.
    PlaceUnreadable {
        /// Where.
        place: Place,
        /// What the platform said.
        error: ChannelError,
    },
    /// What a person must see to before the channel stops working, as a sentence.
    Warning(String),
}
