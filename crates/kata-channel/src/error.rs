//! What can go wrong on a channel. Adapters say what an error *is*; what to do about it is decided elsewhere, once.

use std::time::Duration;

/// The error of a stack: boxed, so that reordering layers changes no type.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Finds an error of type `E` among `error` and its sources.
#[must_use]
pub fn cause_ref<'e, E: std::error::Error + 'static>(
    error: &'e (dyn std::error::Error + 'static),
) -> Option<&'e E> {
    let mut current = Some(error);
    while let Some(e) = current {
        if let Some(found) = e.downcast_ref::<E>() {
            return Some(found);
        }
        current = e.source();
    }
    None
}

/// A platform's refusal or silence. The text of each is one sentence for the person at the desk: what is wrong
/// and what to do, without a secret in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// The platform asks for a pause (HTTP 429 or its like), or our own quota does.
    #[error("{what} is rate limited")]
    RateLimited {
        /// Method or conversation that is limited.
        what: String,
        /// The pause asked for; none when the platform did not say.
        retry_after: Option<Duration>,
    },
    /// The token is wrong, expired or revoked. Nothing is called until it changes.
    #[error("{0}")]
    AuthExpired(String),
    /// The platform cannot be reached, or went away in mid-talk. Worth another try.
    #[error("{0}")]
    ConnectionLost(String),
    /// The platform understood and said no (missing scope, unknown conversation, text too long). Trying the same again is useless.
    #[error("{0}")]
    Rejected(String),
    /// Anything else. Treated as transient.
    #[error("{0}")]
    Other(String),
}

impl ChannelError {
    /// A stable word for the wire (`channel_status.error.code`) and for logs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::RateLimited { .. } => "rate_limited",
            Self::AuthExpired(_) => "auth_expired",
            Self::ConnectionLost(_) => "connection_lost",
            Self::Rejected(_) => "rejected",
            Self::Other(_) => "other",
        }
    }

    /// The pause the platform asked for, if it did.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// Whether a failed send may have reached the platform all the same (D19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It did not: refused before the request left, or refused by the platform with a documented code.
    None,
    /// It may have: a byte of the request was written and the outcome is not known. Never repeated blindly.
    Maybe,
}

/// A send that did not end in a receipt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct SendError {
    /// What it was.
    #[source]
    pub error: ChannelError,
    /// Whether the message may be there nevertheless.
    pub effect: Effect,
}

impl SendError {
    /// A send that certainly had no effect.
    #[must_use]
    pub fn none(error: ChannelError) -> Self {
        Self {
            error,
            effect: Effect::None,
        }
    }

    /// A send whose outcome is unknown.
    #[must_use]
    pub fn maybe(error: ChannelError) -> Self {
        Self {
            error,
            effect: Effect::Maybe,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_found_below_wrappers() {
        let boxed: Error = Box::new(SendError::maybe(ChannelError::ConnectionLost(
            "slack went away".into(),
        )));
        assert!(cause_ref::<ChannelError>(&*boxed).is_some());
        assert!(cause_ref::<SendError>(&*boxed).is_some_and(|e| e.effect == Effect::Maybe));
    }
}
