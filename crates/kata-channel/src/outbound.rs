//! A message on its way out: one part of an answer, rendered, with the key that makes it happen once.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    id::{ChannelKey, MessageId, Place},
    time::Timestamp,
};

/// Names one part of one answer for ever: handed to the platform where it takes a nonce, written into the
/// message's metadata where it can be read back.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdempotencyKey(pub String);

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A button under a message. To press it is to say what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What stands on it.
    pub label: String,
    /// What pressing it says: the text of the [`Press`](crate::Kind::Press) that comes back.
    pub says: String,
    /// How it looks.
    pub style: ChoiceStyle,
}

/// How a button looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChoiceStyle {
    /// The one that is meant to be pressed.
    Primary,
    /// The one that refuses.
    Danger,
    /// Neither.
    Plain,
}

/// One part of an answer, ready to send.
#[derive(Clone, Debug, PartialEq)]
pub struct Outbound {
    /// The channel it goes out by.
    pub channel: ChannelKey,
    /// Where to.
    pub place: Place,
    /// The message it answers, where the platform shows replies.
    pub reply_to: Option<MessageId>,
    /// The text in the platform's own markup, within its length.
    pub text: String,
    /// Its name for ever.
    pub key: IdempotencyKey,
    /// This part (from 1) of `of`.
    pub part: u32,
    /// How many parts the answer has.
    pub of: u32,
    /// Metadata of the message that is answered (`responseUrl`, `team`, …).
    pub metadata: Map<String, Value>,
    /// What the reader may choose from. Where the platform has no buttons they are left out: the text says how to answer
    /// without.
    pub choices: Vec<Choice>,
    /// When the answer came into being: `responseUrl` and nonces live for a while only.
    pub created_at: Timestamp,
}

/// The platform took the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The platform's id of the new message; none where it gives none (a Slack `response_url`).
    pub id: Option<MessageId>,
}

/// A question to the platform: did this part arrive? (D20)
#[derive(Clone, Debug, PartialEq)]
pub struct Lookup {
    /// The part whose outcome is unknown.
    pub outbound: Outbound,
    /// Start of the window to search: the attempt's time minus two minutes.
    pub since: Timestamp,
}

/// What a read-back found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It is there.
    Sent(Receipt),
    /// The whole window was read and it is not there: sending again with the same key is right.
    Absent,
    /// This message can never be looked up (a Slack `response_url`).
    Unknowable,
}
