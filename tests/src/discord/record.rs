//! What really happened, as Discord would know it: tests judge by this record and by nothing that katad says.

use serde_json::Value;

/// How a message came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// Create Message.
    Create,
    /// Edit Message, of a message of ours.
    Edit,
    /// The answer in an interaction's callback.
    Callback,
    /// The original response of a deferred interaction, filled in.
    Original,
    /// A follow-up message of an interaction.
    FollowUp,
}

/// A message of ours that took effect.
#[derive(Clone, Debug)]
pub struct Posted {
    /// How it was sent.
    pub via: Via,
    /// The channel or thread.
    pub channel: String,
    /// Its text.
    pub text: String,
    /// The message it replies to.
    pub reply_to: Option<String>,
    /// Its nonce.
    pub nonce: Option<String>,
    /// Its id.
    pub id: String,
    /// The names of its files.
    pub files: Vec<String>,
    /// When it took effect.
    pub at: jiff::Timestamp,
}

/// A call of the HTTP API, whatever became of it.
#[derive(Clone, Debug)]
pub struct Call {
    /// The operation, by its name in Discord's OpenAPI document (`create_message`); for what is not in it, method and
    /// path.
    pub operation: String,
    /// Its path.
    pub path: String,
    /// Its query, decoded.
    pub query: Vec<(String, String)>,
    /// Its body.
    pub body: Value,
    /// When it arrived.
    pub at: jiff::Timestamp,
    /// `ok`, status and code of the refusal, or the fault that was played; none while it is under way.
    pub outcome: Option<String>,
}

/// An interaction that was answered by a callback.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The interaction.
    pub interaction: String,
    /// The callback's type.
    pub kind: u64,
    /// When.
    pub at: jiff::Timestamp,
}

#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) posted: Vec<Posted>,
    pub(crate) calls: Vec<Call>,
    pub(crate) answered: Vec<Answered>,
    /// The channels in which typing was shown, in order.
    pub(crate) typing: Vec<String>,
    /// Every reaction of ours that was put on or taken off: (`+emoji` or `-emoji`, channel, message).
    pub(crate) reactions: Vec<(String, String, String)>,
    /// Connections that said hello.
    pub(crate) hellos: usize,
    /// Sessions that became ready.
    pub(crate) readies: usize,
    /// Sessions that were resumed.
    pub(crate) resumes: usize,
    /// Every identify that arrived, without its token.
    pub(crate) identifies: Vec<Value>,
    /// Heartbeats that arrived.
    pub(crate) heartbeats: usize,
    /// Close codes that we sent.
    pub(crate) closes: Vec<u16>,
    /// What broke the documented protocol.
    pub(crate) violations: Vec<String>,
}
