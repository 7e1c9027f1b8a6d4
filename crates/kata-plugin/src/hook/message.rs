//! Answers on their way out.

use std::sync::Arc;

use async_trait::async_trait;
use kata_channel::{ChannelKey, Place};

/// An answer before it is rendered and split.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The channel it goes out by.
    pub channel: ChannelKey,
    /// Where to.
    pub place: Place,
    /// The answer as Markdown. A hook may change it.
    pub text: String,
}

/// What a hook says of a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sending {
    /// It may go, as it is now.
    Go,
    /// It must not be said.
    Cancel {
        /// Why, as a sentence.
        reason: String,
    },
}

/// Sees every answer once, before it is rendered (D17). A hook that fails or takes too long stops the answer: what could
/// not be looked at is not said.
#[async_trait]
pub trait MessageSending: Send + Sync + 'static {
    /// Its name, which stands on the row of an answer that it stopped.
    fn name(&self) -> &str;

    /// Looks at the draft, and may change its text.
    ///
    /// # Cancel safety
    /// Must be cancel safe: past its deadline it is dropped.
    ///
    /// # Errors
    /// Why it could not look, as a sentence.
    async fn sending(&self, draft: &mut Draft) -> Result<Sending, String>;
}

/// The hooks that a registrar holds, in the order in which they came.
pub type MessageSendingHooks = Vec<Arc<dyn MessageSending>>;
