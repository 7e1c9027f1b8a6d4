//! Sessions that begin.

use async_trait::async_trait;
use kata_channel::{ChannelKey, Place};

/// A session that begins with its first message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The channel it belongs to.
    pub channel: ChannelKey,
    /// Where its first message was said.
    pub place: Place,
    /// Its key.
    pub session_key: String,
}

/// Sees each session that begins. It changes nothing: a hook that fails or takes too long is logged.
#[async_trait]
pub trait SessionStart: Send + Sync + 'static {
    /// Its name, for the log.
    fn name(&self) -> &str;

    /// Looks at the session.
    ///
    /// # Cancel safety
    /// Must be cancel safe: past its deadline, or with the daemon, it is dropped.
    ///
    /// # Errors
    /// Why it could not look, as a sentence.
    async fn started(&self, session: &Session) -> Result<(), String>;
}
