//! What comes in: messages, edits, deletions, commands, and how far history has been read.

use std::fmt;

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde_json::{Map, Value};

use crate::{Answered, ApprovalEffect, ControlEffect, Pairing, PairingEffect, UnixMs};

/// Names a channel, (workspace, slug), in this database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub i64);

impl ToSql for ChannelId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for ChannelId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}

/// A channel as the store knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its name in this database.
    pub id: ChannelId,
    /// When it was configured for the first time.
    pub first_configured: UnixMs,
    /// Its work is not claimed.
    pub paused: bool,
}

/// A message that came in.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// The platform's place of talk.
    pub conversation: String,
    /// The thread in it.
    pub thread: Option<String>,
    /// The platform's id: with channel and conversation it names the message for ever (D2).
    pub platform_id: String,
    /// The platform's order. Order in a lane is (order, row id) (D3).
    pub order: i64,
    /// The lane's name, unique in the channel (D8).
    pub lane: String,
    /// Used when the lane is first seen; later values are ignored, since a conversation's key is decided once.
    pub thread_key: String,
    /// The platform's id of the sender.
    pub sender: String,
    /// What the sender may do (D27).
    pub role: String,
    /// The text as a reader on the platform sees it.
    pub content: String,
    /// The text for the prompt.
    pub prompt: String,
    /// `payload.source` of 0.7: the platform's name.
    pub source: String,
    /// When it was written, by the platform's clock.
    pub sent_at: UnixMs,
    /// The thread that the answer goes to.
    pub reply_thread: Option<String>,
    /// What the adapter knows. The store adds `sessionKey` and `workspaceId`.
    pub metadata: Map<String, Value>,
    /// No turn before this (D1).
    pub not_before: Option<UnixMs>,
    /// False for a row that is stored over a gap: it is claimed once the gap is closed (D3).
    pub ready: bool,
    /// Files came with it, so that whoever deletes the row has files to delete.
    pub has_files: bool,
    /// It is a session by itself: nothing that was said before or after belongs to it.
    pub alone: bool,
    /// Until then `responseUrl` and `triggerId` may stand in the row (D26).
    pub secret_until: Option<UnixMs>,
}

/// One thing that arrived.
#[derive(Debug)]
pub enum Arrival {
    /// A message that waits for a turn.
    Turn(NewMessage),
    /// A message that is consumed without a turn. It leaves a row that is already `processed` (D2).
    Consumed {
        /// The message.
        message: NewMessage,
        /// What it does.
        effect: Effect,
    },
    /// A message has a new text (D7).
    Edit {
        /// Where.
        conversation: String,
        /// The message that was edited.
        platform_id: String,
        /// The platform's time of the edit: of two edits the newer counts.
        edited: i64,
        /// The new text as a reader sees it.
        content: String,
        /// The new text for the prompt.
        prompt: String,
    },
    /// As [`Edit`](Self::Edit); but where the message was begun, parked or answered, its new text is a turn of its own.
    EditOrTurn {
        /// The platform's time of the edit.
        edited: i64,
        /// The message as it is now, under its own id.
        message: NewMessage,
    },
    /// A message was deleted on the platform (D7).
    Withdraw {
        /// Where.
        conversation: String,
        /// The message that was deleted.
        platform_id: String,
    },
}

/// Makes the answer to a chat command. It runs inside the transaction, so it must be quick; an empty text is no answer.
pub type ReplyFn = Box<dyn FnOnce(&LaneView) -> String + Send>;

/// What a consumed message does.
pub enum Effect {
    /// Nothing; it is recorded so that it is never taken again.
    Skip {
        /// Why.
        reason: String,
    },
    /// It is answered.
    Reply(ReplyFn),
    /// The next message of the lane starts a fresh session. A running turn goes on (D8).
    Reset(ReplyFn),
    /// The lane's running turn is cancelled.
    Stop(ReplyFn),
    /// It answers a question about a tool call.
    Approval(ApprovalEffect),
    /// A reaction asks something about a message.
    Control(ControlEffect),
    /// A stranger asks to be heard: it may get a code.
    Pairing(PairingEffect),
}

impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Skip { .. } => "Skip",
            Self::Reply(_) => "Reply",
            Self::Reset(_) => "Reset",
            Self::Stop(_) => "Stop",
            Self::Approval(_) => "Approval",
            Self::Control(_) => "Control",
            Self::Pairing(_) => "Pairing",
        })
    }
}

/// A lane as a chat command sees it, after the command's own effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneView {
    /// The key that the lane's next message will get.
    pub session_key: String,
    /// How often the conversation was reset.
    pub generation: u32,
    /// Messages that wait, counted to 10,000.
    pub waiting: u64,
    /// Messages that were given up.
    pub parked: u64,
    /// When the turn that runs was claimed.
    pub running_since: Option<UnixMs>,
    /// The turn that this command cancelled.
    pub cancelled: Option<i64>,
}

/// What a page says about how far history has been read (D3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CursorMove {
    /// There is a gap between the cursor and this page: its rows that are not ready wait for the gap to close.
    Gap {
        /// The place that is read.
        conversation: String,
        /// The thread that is read; none for the conversation itself.
        thread: Option<String>,
    },
    /// All up to `cursor` has been handed over: rows stored over a gap become ready, and the cursor moves.
    To {
        /// The place that is read.
        conversation: String,
        /// The thread that is read; none for the conversation itself.
        thread: Option<String>,
        /// The platform's own word for the place in its history.
        cursor: String,
    },
}

/// What is admitted in one transaction.
#[derive(Debug)]
pub struct Admit {
    /// The channel it came by.
    pub channel: ChannelId,
    /// What arrived, oldest first.
    pub arrivals: Vec<Arrival>,
    /// How far history has now been read. None for a push: a push never moves a cursor (D3).
    pub cursor: Option<CursorMove>,
}

/// What became of one arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It waits in this row.
    New {
        /// The row.
        row: i64,
        /// The key of the session that it opened, if it opened one.
        session_started: Option<String>,
    },
    /// It was there already, or is known to have been.
    Known,
    /// The waiting row has the new text.
    Edited {
        /// The row.
        row: i64,
    },
    /// The waiting row was withdrawn.
    Withdrawn {
        /// The row.
        row: i64,
    },
    /// An edit or a deletion of something that does not wait here.
    Ignored,
    /// It was consumed.
    Consumed {
        /// The row that remembers it.
        row: i64,
        /// The row of its answer.
        reply: Option<i64>,
        /// The turn that it cancelled.
        cancelled: Option<i64>,
        /// The session that it ended.
        ended_session: Option<String>,
        /// The session that it began: a message that is asked again may be the first of one.
        session_started: Option<String>,
        /// The question that it answered, and how that was taken.
        answered: Option<Box<Answered>>,
        /// The code that its sender was given.
        pairing: Option<Box<Pairing>>,
    },
}
