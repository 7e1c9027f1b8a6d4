//! A message on its way in.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    control::{Control, Emoji},
    id::{ChannelKey, MessageId, Place, SenderId},
    time::Timestamp,
};

/// The platform's own order of messages in a conversation, as a number: a Slack `ts` in microseconds, a Discord
/// snowflake, a mail's internal date. Order in a lane is (order key, row id) (D3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderKey(pub i64);

/// How far a conversation's history has been read without a gap: the platform's own word (a Slack `ts`, a snowflake).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

/// What arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A message that somebody wrote.
    Message,
    /// A slash command: `name` is the command (`/kata`), the text is what follows it.
    Command {
        /// The command as typed, with its slash.
        name: String,
    },
    /// A choice under one of our own messages was pressed: the text is what the choice says
    /// ([`Choice::says`](crate::Choice)), as if the sender had written it.
    Press,
    /// An earlier message (`Inbound::id`) has a new text. Of two edits the newer counts (D7).
    Edit {
        /// The platform's time of the edit, comparable with other edits of the same message.
        edited: OrderKey,
    },
    /// An earlier message (`Inbound::id`) was deleted.
    Deletion,
    /// Somebody put a reaction on a message: on one of theirs, or on one of ours. Its own id is a
    /// [`reaction_id`](crate::reaction_id), its text the emoji, its sender whoever reacted (for our own signs, us). The place
    /// is the conversation; the thread may be left out, since the message is found by its id. A reaction that was taken off is
    /// nothing to us.
    Reaction {
        /// The message that it was put on.
        on: MessageId,
        /// What was put on it.
        emoji: Emoji,
    },
}

/// A message's text, twice: as the platform sent it and as a reader on the platform sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// The platform's raw text (`<@U123>`, `&lt;`).
    pub raw: String,
    /// Names for ids, entities decoded, the mention kept. This is `content` on the wire.
    pub readable: String,
    /// `readable` without the mention of the bot, for the prompt.
    pub prompt: String,
}

impl Text {
    /// A text that needs no reading aid: all three are the same.
    pub fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            raw: text.clone(),
            readable: text.clone(),
            prompt: text,
        }
    }
}

/// Who wrote a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The platform's id.
    pub id: SenderId,
    /// The display name, where known. Untrusted text.
    pub name: Option<String>,
    /// A bot or a webhook.
    pub is_bot: bool,
    /// This very app's own bot user.
    pub is_self: bool,
}

/// What a sender may do (D27).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Named among the workspace's owners.
    Owner,
    /// May speak.
    Member,
    /// Gets silence.
    Stranger,
}

/// A file that came with a message. It is fetched when its turn runs, not before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    /// The platform's id of the file.
    pub id: String,
    /// The name its sender gave it. Untrusted text, never a path.
    pub name: String,
    /// The media type that the platform claims.
    pub mime_type: Option<String>,
    /// Size in bytes, as the platform claims.
    pub size: Option<u64>,
    /// Where the adapter fetches it. Needs the channel's token; useless without it.
    pub url: Option<String>,
}

/// What is to become of a message, as the ingress layers decide one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// It waits for a turn.
    Turn,
    /// It is consumed without a turn, and leaves a row that is already `processed` (D2).
    Consumed(Consumed),
    /// It is nothing to us and leaves no row: a stranger, our own message, a text without the trigger.
    Refused(&'static str),
}

/// Why a message is consumed without a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consumed {
    /// `/reset` and its like: the next message starts a fresh session.
    Reset,
    /// `/status`.
    Status,
    /// `/stop`: cancels the running turn of this conversation.
    Stop,
    /// `/help`.
    Help,
    /// The answer to a question about a tool call.
    Approval(ApprovalAnswer),
    /// A reaction asks something.
    Control {
        /// The message that it was put on.
        on: MessageId,
        /// What is asked of it.
        what: Control,
    },
    /// A stranger asks to be let in. Its words are not passed on.
    Pairing,
    /// Older than the catch-up reaches back, or otherwise passed over; says why.
    Skipped(&'static str),
}

/// What somebody says to a question about a tool call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalAnswer {
    /// Names the question: `7Q4`, in capitals.
    pub code: String,
    /// The answer.
    pub decision: ApprovalDecision,
}

/// The answers to a question about a tool call (D28).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ApprovalDecision {
    /// This call.
    AllowOnce,
    /// This tool with these arguments in this conversation, for an hour.
    AllowHour,
    /// No.
    Deny,
}

/// A message as it walks through the ingress stack.
#[derive(Clone, Debug, PartialEq)]
pub struct Inbound {
    /// The channel it came in by.
    pub channel: ChannelKey,
    /// Where it was said, and where the answer goes.
    pub place: Place,
    /// The platform's id: with channel and conversation it names the message for ever (D2).
    pub id: MessageId,
    /// The platform's order.
    pub order: OrderKey,
    /// What arrived.
    pub kind: Kind,
    /// Who wrote it.
    pub sender: Sender,
    /// What was written.
    pub text: Text,
    /// It addresses the bot: by mention, by a reply to it, or because the platform says so.
    pub mentions_us: bool,
    /// A conversation between this sender and the bot alone.
    pub is_direct: bool,
    /// When it was written, by the platform's clock.
    pub sent_at: Timestamp,
    /// Files that came with it.
    pub attachments: Vec<Attachment>,
    /// What the adapter knows, under the names of the wire (`slackChannel`, `team`, …).
    pub metadata: Map<String, Value>,
    /// Set by the sender gate.
    pub role: Role,
    /// Set by the layers; [`Disposition::Turn`] at first.
    pub disposition: Disposition,
    /// Set by the layers that make a turn wait: none before this time (D1).
    pub not_before: Option<Timestamp>,
}

impl Inbound {
    /// Whether it is of a kind that may wait for a turn of its own.
    pub(crate) fn starts_a_turn(&self) -> bool {
        matches!(self.kind, Kind::Message | Kind::Command { .. })
    }
}

/// What one push or one history read brought: the unit of a commit. A pushed message is a page of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The messages, oldest first.
    pub messages: Vec<Inbound>,
    /// What the page says about how far history has been read. None for a push: a push never moves a cursor (D3).
    pub advance: Option<Advance>,
}

impl Page {
    /// Messages that the platform pushed.
    #[must_use]
    pub fn pushed(messages: Vec<Inbound>) -> Self {
        Self {
            messages,
            advance: None,
        }
    }
}

/// How a history page moves the cursor of its place (D3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advance {
    /// There is a gap between the cursor and this page: its rows are stored, but not ready, and the cursor stays.
    Gap {
        /// The place that is read.
        place: Place,
    },
    /// Everything up to `to` has now been handed over: rows stored over a gap become ready and the cursor moves, in one transaction.
    To {
        /// The place that is read.
        place: Place,
        /// The new cursor.
        to: Cursor,
    },
}

/// The answer to a page, after its commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admitted {
    /// Rows that are new.
    pub new: usize,
    /// Messages that were known already.
    pub known: usize,
    /// Messages refused by a layer.
    pub refused: usize,
    /// New rows of messages that were passed over, for their age or else.
    pub skipped: usize,
}
