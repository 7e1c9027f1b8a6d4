//! A message as it is shown to an agent.

use kata_channel::{MessageId, Role, SenderId, Timestamp};
use serde::{Serialize, Serializer};

/// One message of a turn: who said what, and when. Serialised it is an entry of `messages` on the wire.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Said {
    /// The platform's id of the message.
    pub message_id: MessageId,
    /// The platform's id of its sender.
    pub sender: SenderId,
    /// The sender's display name, where known. Untrusted text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender_name: Option<String>,
    /// What the sender may do (D27). Ours, never the platform's.
    pub role: Role,
    /// When it was written, by the platform's clock.
    #[serde(serialize_with = "iso")]
    pub sent_at: Timestamp,
    /// What was written, without the mention of the bot.
    pub text: String,
    /// Files that came with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<Enclosed>,
}

/// A file that came with a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Enclosed {
    /// The name its sender gave it. Untrusted text, never a path.
    pub name: String,
    /// The media type that the platform claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Size in bytes, as the platform claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Where it was stored for this turn. None when it was not fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

pub(crate) fn iso<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&time.to_iso())
}
