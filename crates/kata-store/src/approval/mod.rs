//! Questions about tool calls: asked, answered, expired, withdrawn. A question is about one call, and one answer counts.

mod answer;
mod ask;
mod close;
mod code;
mod find;

use std::fmt;

use serde_json::Value;

pub(crate) use answer::{consume, resolve};
pub(crate) use ask::open;
pub(crate) use close::{expire, sweep, withdraw};
pub(crate) use code::ALPHABET as CODE_ALPHABET;
pub(crate) use find::{card_of, known_codes, list, next_expiry, one};

use crate::{ApprovalDecision, ApprovalState, ChannelId, UnixMs, Via};

/// A question about a tool call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Its number in this database, never used again.
    pub id: i64,
    /// What it is answered by in its conversation: three characters, at least one digit and one letter.
    pub code: String,
    /// Where it stands.
    pub state: ApprovalState,
    /// The workspace.
    pub workspace: String,
    /// The channel.
    pub channel: ChannelId,
    /// The channel's folder name.
    pub slug: String,
    /// The platform's place of talk.
    pub conversation: String,
    /// The thread in it that is asked in.
    pub thread: Option<String>,
    /// The session's key.
    pub session_key: String,
    /// The turn that asked last: its newest message row.
    pub message: i64,
    /// The tool.
    pub tool: String,
    /// The digest of the tool and its arguments.
    pub digest: String,
    /// The arguments as they may be shown.
    pub input: Value,
    /// The rule that asked.
    pub rule: String,
    /// Why it asked.
    pub reason: String,
    /// Who caused the turn.
    pub requester: String,
    /// When it was asked.
    pub asked_at: UnixMs,
    /// The first moment at which an answer comes too late.
    pub expires_at: UnixMs,
    /// The outbound row that asks in the conversation.
    pub card: Option<i64>,
    /// When it was answered, expired or withdrawn.
    pub closed_at: Option<UnixMs>,
    /// The answer that counts.
    pub reply: Option<Reply>,
    /// The grant that the answer minted.
    pub grant: Option<i64>,
}

/// An answer to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What was decided.
    pub decision: ApprovalDecision,
    /// Who decided.
    pub by: String,
    /// By which way.
    pub via: Via,
    /// Why, where they said so.
    pub reason: Option<String>,
}

/// What to show in the conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// The text, in the platform's markup and within its length. An empty one: nothing is shown.
    pub text: String,
    /// What the reader may choose from, each in the caller's form.
    pub choices: Vec<Value>,
}

/// Makes the card of a question. It runs inside the transaction, so it must be quick.
pub type CardFn = Box<dyn FnOnce(&Approval) -> Card + Send>;

/// A question to ask.
pub struct NewApproval {
    /// The channel of the turn that asks; the workspace is the channel's.
    pub channel: ChannelId,
    /// The platform's place of talk.
    pub conversation: String,
    /// The thread in it.
    pub thread: Option<String>,
    /// The session's key.
    pub session_key: String,
    /// The turn: its newest message row.
    pub message: i64,
    /// The tool.
    pub tool: String,
    /// The digest of the tool and its arguments: what a "yes" is bound to.
    pub digest: String,
    /// The arguments, masked and bounded by the caller.
    pub input: Value,
    /// The rule that asks.
    pub rule: String,
    /// Why it asks.
    pub reason: String,
    /// Who caused the turn.
    pub requester: String,
    /// The first moment at which an answer comes too late.
    pub expires_at: UnixMs,
    /// What is shown in the conversation. None: nothing, somebody else asks.
    pub card: Option<CardFn>,
}

impl fmt::Debug for NewApproval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewApproval")
            .field("conversation", &self.conversation)
            .field("message", &self.message)
            .field("tool", &self.tool)
            .finish_non_exhaustive()
    }
}

/// A question that stands, or the answer to it that does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedApproval {
    /// The question. Open: it waits for an answer. [`ApprovalState::Denied`]: this turn was refused this call before,
    /// and nobody is asked again.
    pub approval: Approval,
    /// It was asked just now.
    pub is_new: bool,
}

/// How an answer was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The question, as it stands now.
    pub approval: Option<Approval>,
    /// What became of the answer.
    pub what: AnsweredWhat,
    /// What became of the turn that asked.
    pub run: Run,
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AnsweredWhat {
    /// It counts.
    Taken,
    /// Whoever gave it may not.
    NotAllowed,
    /// The question was answered or withdrawn before.
    Already,
    /// The question's time is over. This is no denial.
    TooLate,
    /// There is no such question.
    Unknown,
}

/// What became of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Run {
    /// It runs.
    Open,
    /// It failed, and waits to be tried again.
    Again,
    /// It has ended.
    Over,
}

/// Makes the text that an answer is answered with. It runs inside the transaction, so it must be quick; an empty text
/// is none.
pub type AnsweredFn = Box<dyn FnOnce(&Answered) -> String + Send>;

/// An answer that was given in the conversation.
pub struct ApprovalEffect {
    /// The question's code.
    pub code: String,
    /// The answer.
    pub decision: ApprovalDecision,
    /// Whether the sender may answer.
    pub may_answer: bool,
    /// The sender.
    pub by: String,
    /// What is said to it.
    pub reply: AnsweredFn,
}

impl fmt::Debug for ApprovalEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApprovalEffect")
            .field("code", &self.code)
            .field("decision", &self.decision)
            .field("may_answer", &self.may_answer)
            .finish_non_exhaustive()
    }
}

/// Which questions to list; none of them: all.
#[derive(Clone, Debug, Default)]
pub struct ApprovalFilter {
    /// Of this workspace.
    pub workspace: Option<String>,
    /// Of this channel.
    pub channel: Option<ChannelId>,
    /// Of this conversation.
    pub conversation: Option<String>,
    /// Of this session.
    pub session_key: Option<String>,
    /// Of the turn of this message row.
    pub message: Option<i64>,
    /// In this state.
    pub state: Option<ApprovalState>,
}

/// Where a question's card stands on the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardPlace {
    /// The channel.
    pub channel: ChannelId,
    /// The platform's place of talk.
    pub conversation: String,
    /// The thread in it.
    pub thread: Option<String>,
    /// The platform's id of the card.
    pub platform_id: String,
}
