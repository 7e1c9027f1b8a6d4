//! Messages that came in, and answers on their way out.

use std::sync::Arc;

use async_trait::async_trait;
use kata_channel::{ChannelKey, Inbound, MessageId, Place, Role, Sender, Timestamp, span::Traced};
use tracing::Span;

/// A message that came in and is stored. It holds nothing by which a plugin could answer in another's name: the metadata of
/// its platform (addresses to answer at) and its files stay with the channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The channel it came in by.
    pub channel: ChannelKey,
    /// Where it was said.
    pub place: Place,
    /// The platform's id of it.
    pub id: MessageId,
    /// Who wrote it. Untrusted.
    pub sender: Sender,
    /// What the sender may do (D27).
    pub role: Role,
    /// What was written, as a reader on the platform sees it. Untrusted.
    pub text: String,
    /// When it was written, by the platform's clock.
    pub sent_at: Timestamp,
}

/// Sees each message once, after it was stored (D1). It changes nothing: a hook that fails or takes too long is logged.
#[async_trait]
pub trait MessageReceived: Send + Sync + 'static {
    /// Its name, for the log.
    fn name(&self) -> &str;

    /// Looks at the message.
    ///
    /// # Cancel safety
    /// Must be cancel safe: past its deadline, or with the daemon, it is dropped.
    ///
    /// # Errors
    /// Why it could not look, as a sentence.
    async fn received(&self, message: &Received) -> Result<(), String>;
}

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

/// Hooks, in the order in which they came.
pub type MessageSendingHooks = Vec<Arc<dyn MessageSending>>;

// === impl Draft ===

impl Traced for Draft {
    fn span(&self) -> Span {
        tracing::info_span!("prepare", channel = %self.channel, conversation = %self.place.conversation)
    }
}

// === impl Received ===

impl From<&Inbound> for Received {
    fn from(message: &Inbound) -> Self {
        Self {
            channel: message.channel.clone(),
            place: message.place.clone(),
            id: message.id.clone(),
            sender: message.sender.clone(),
            role: message.role,
            text: message.text.readable.clone(),
            sent_at: message.sent_at,
        }
    }
}
