//! What really happened, as Slack would know it: tests judge by this record and by nothing that katad says.

use serde_json::{Map, Value};

/// How a message came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// `chat.postMessage`.
    PostMessage,
    /// `chat.postEphemeral`.
    Ephemeral,
    /// `chat.update`.
    Update,
    /// A slash command's `response_url`.
    ResponseUrl,
    /// A payload in a slash command's acknowledgement.
    Acknowledgement,
}

/// A message of ours that took effect.
#[derive(Clone, Debug)]
pub struct Posted {
    /// How it was sent.
    pub via: Via,
    /// The conversation.
    pub channel: String,
    /// The thread it was put in.
    pub thread: Option<String>,
    /// Its text.
    pub text: String,
    /// The `key` in its metadata's `event_payload`.
    pub key: Option<String>,
    /// Its timestamp.
    pub ts: String,
    /// When it took effect.
    pub at: jiff::Timestamp,
}

/// A call of the Web API, whatever became of it.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method.
    pub method: String,
    /// Its arguments, without the token.
    pub args: Map<String, Value>,
    /// When it arrived.
    pub at: jiff::Timestamp,
    /// `ok`, an error code, or the fault that was played; none while it is under way.
    pub outcome: Option<String>,
}

/// An envelope that was acknowledged.
#[derive(Clone, Debug)]
pub struct Ack {
    /// The envelope.
    pub envelope_id: String,
    /// The message it carried (its `ts`, or for an edit or deletion that of the message concerned).
    pub message: Option<String>,
    /// Which delivery of the envelope was acknowledged, from 0.
    pub attempt: u32,
    /// When.
    pub at: jiff::Timestamp,
}

/// A status shown in an assistant thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The conversation.
    pub channel: String,
    /// The thread.
    pub thread: String,
    /// The text; empty = taken off.
    pub status: String,
}

#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) posted: Vec<Posted>,
    pub(crate) calls: Vec<Call>,
    pub(crate) acks: Vec<Ack>,
    pub(crate) statuses: Vec<Status>,
    /// Every reaction that was ever put on or taken off: (`+name` or `-name`, channel, ts).
    pub(crate) reactions: Vec<(String, String, String)>,
    pub(crate) hellos: usize,
}
