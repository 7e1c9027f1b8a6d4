//! What goes out: answers, their parts, and what became of an attempt to send one.

use serde_json::{Map, Value};

use crate::{ChannelId, UnixMs};

/// The answer to an outbox claim.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "one is made a claim, and taken apart at once"
)]
pub enum OutClaim {
    /// Work.
    Work(OutWork),
    /// Nothing is to be sent now.
    Nothing {
        /// When the next delayed lane is due, if nothing happens before.
        next_due: Option<UnixMs>,
    },
}

/// One step of an answer on its way out.
#[derive(Debug)]
pub enum OutWork {
    /// An answer is to be split into parts: ended by [`prepare`](crate::Store::prepare).
    Prepare(RawAnswer),
    /// A part is to be sent. Its attempt mark is written (D18). Ended by [`settle`](crate::Store::settle).
    Send(Part),
    /// A part's outcome is unknown and is to be read back (D20). Ended by [`settle`](crate::Store::settle).
    ReadBack(Part),
}

/// An answer that nobody has looked at yet.
#[derive(Clone, Debug)]
pub struct RawAnswer {
    /// Its row.
    pub id: i64,
    /// The channel.
    pub channel: ChannelId,
    /// Where it goes.
    pub conversation: String,
    /// The thread it goes to.
    pub thread: Option<String>,
    /// Its text.
    pub content: String,
}

/// A part of an answer.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its number in this database.
    pub id: i64,
    /// The answer's row.
    pub answer: i64,
    /// The channel.
    pub channel: ChannelId,
    /// Where it goes.
    pub conversation: String,
    /// The thread it goes to.
    pub thread: Option<String>,
    /// The platform's id of the message that is answered.
    pub reply_to: Option<String>,
    /// The text to send.
    pub text: String,
    /// Its idempotency key: at most 25 ASCII characters, since that is all that Discord takes as a nonce.
    pub key: String,
    /// Which part of the answer, from 1.
    pub part: u32,
    /// How many parts the answer has.
    pub of: u32,
    /// What the reader may choose from, as it was given with the card of a question.
    pub choices: Vec<Value>,
    /// The metadata of the message that is answered.
    pub metadata: Map<String, Value>,
    /// When the answer came into being: its age counts from here (D21).
    pub created_at: UnixMs,
    /// Which attempt to send it this is, from 1; for a read-back, the one to look up.
    pub attempt: u32,
    /// When it was first tried.
    pub first_attempt_at: UnixMs,
    /// When this attempt began; for a read-back, the one to look up.
    pub attempt_at: UnixMs,
    /// Left by a 0.7 daemon that died: the text has no key on the platform, and it may or may not have been sent.
    pub legacy: bool,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settle {
    /// The platform has it.
    Sent {
        /// The platform's id of the message.
        platform_id: Option<String>,
    },
    /// It had no effect and is tried again (D19, `effect: None`).
    Later {
        /// Not before this.
        at: UnixMs,
        /// Why.
        error: String,
    },
    /// It may have had its effect (D19, `effect: Maybe`): it is read back before anything else.
    Unknown {
        /// Not before this.
        look_at: UnixMs,
        /// Why.
        error: String,
    },
    /// The platform was asked, and does not have it: it is sent again with the same key (D20).
    Absent,
    /// It may have had its effect, and the platform drops a second one with the same key: it is sent again with it (D20).
    Again,
    /// It is given up.
    Park {
        /// Why.
        error: String,
    },
    /// It was not tried: the attempt mark is taken back. Only when certainly nothing was written.
    NotTried,
}

/// Where an answer stands after a part was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The answer's row.
    pub answer: i64,
    /// Its last part was accepted by this very settlement: said once an answer.
    pub answer_done: bool,
    /// It is given up.
    pub parked: bool,
}
