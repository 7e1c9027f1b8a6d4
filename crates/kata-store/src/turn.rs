//! A turn: claimed, then ended, failed or given back.

use std::{fmt, time::Duration};

use serde_json::{Map, Value};

use crate::{ChannelId, UnixMs};

/// A channel of which a claim may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Take {
    /// The channel.
    pub channel: ChannelId,
    /// How many of its waiting messages may become one turn (D14); at least one does.
    pub max_rows: usize,
    /// Set where what piled up becomes one turn, whatever `max_rows` says.
    pub digest: Option<Away>,
}

/// What counts as piled up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Away {
    /// A message that is stored later than this after it was written has piled up.
    pub after: Duration,
    /// When we came back the last time. What was then older than `after`, and still waits, has piled up too.
    pub until: UnixMs,
}

/// The answer to a claim.
#[derive(Debug)]
pub enum Claim {
    /// Work.
    Turn(Box<ClaimedTurn>),
    /// No lane is ready.
    Nothing {
        /// When the next delayed lane is due, if nothing happens before.
        next_due: Option<UnixMs>,
    },
}

/// One or more messages of one session, claimed together. It is a lease: it is ended by
/// [`finish`](crate::Store::finish), [`fail`](crate::Store::fail), [`busy`](crate::Store::busy),
/// [`give_back`](crate::Store::give_back) or [`cancel`](crate::Store::cancel), or by the next start.
#[derive(Clone, Debug)]
pub struct ClaimedTurn {
    /// The newest row: what the host knows the turn by.
    pub id: i64,
    /// The channel.
    pub channel: ChannelId,
    /// The channel's workspace.
    pub workspace: String,
    /// The channel's folder name.
    pub slug: String,
    /// The session's key, fixed when the rows were admitted.
    pub session_key: String,
    /// The platform's place of talk.
    pub conversation: String,
    /// The thread in it.
    pub thread: Option<String>,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// It is a digest: its messages piled up while nobody was there.
    pub is_digest: bool,
    /// The messages, oldest first.
    pub rows: Vec<ClaimedRow>,
}

// === impl Take ===

impl From<(ChannelId, usize)> for Take {
    /// Without digests.
    fn from((channel, max_rows): (ChannelId, usize)) -> Self {
        Self {
            channel,
            max_rows,
            digest: None,
        }
    }
}

// === impl Away ===

impl Away {
    /// Whether a message that was written and stored then has piled up.
    pub(crate) fn piled_up(&self, sent: UnixMs, stored: UnixMs) -> bool {
        stored.since(sent) > self.after || self.until.since(sent) > self.after
    }
}

/// A message of a claimed turn.
#[derive(Clone, Debug)]
pub struct ClaimedRow {
    /// Its row.
    pub id: i64,
    /// The platform's id.
    pub platform_id: Option<String>,
    /// The text as a reader on the platform sees it.
    pub content: String,
    /// The text for the prompt.
    pub prompt: String,
    /// The platform's id of the sender.
    pub sender: Option<String>,
    /// What the sender may do.
    pub role: Option<String>,
    /// When it was written.
    pub sent_at: UnixMs,
    /// What the adapter knew, with `sessionKey` and `workspaceId`.
    pub metadata: Map<String, Value>,
    /// Files came with it.
    pub has_files: bool,
}

/// What the agent said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its raw text. An empty one is no answer.
    pub content: String,
    /// Its parts, when nothing stands between the turn's end and its preparation: then both are one commit (D17).
    pub parts: Option<Vec<String>>,
}

/// How a turn's end was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finished {
    /// It ended now.
    Done {
        /// The row of its answer.
        answer: Option<i64>,
        /// The session that is over by it.
        ended: Option<crate::SessionName>,
    },
    /// It had ended before; nothing changed.
    Already,
    /// There is no such turn.
    Unknown,
}

/// Makes a notice for the conversation from the number of messages given up since the last one. It runs inside the
/// transaction, so it must be quick.
pub type NoticeFn = Box<dyn Fn(u64) -> String + Send + Sync>;

/// Why an attempt failed.
pub struct Failure {
    /// A sentence; it stays with the row.
    pub error: String,
    /// The lease ran out.
    pub lease: bool,
    /// What to say when the message is given up. None: nothing is said.
    pub notice: Option<NoticeFn>,
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("error", &self.error)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}

/// How a failure was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// There will be another attempt.
    Retry {
        /// The attempt that failed.
        attempt: u32,
        /// When the next one is due.
        at: UnixMs,
    },
    /// It is given up, until someone brings it back with [`retry`](crate::Store::retry).
    Parked {
        /// The attempt that failed.
        attempt: u32,
        /// The row of the notice in the conversation.
        notice: Option<i64>,
    },
    /// It goes back uncounted.
    GivenBack {
        /// When it is offered again.
        again: UnixMs,
    },
    /// The turn is not open: nothing changed.
    NotOpen,
}

/// How a parked row was brought back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retried {
    /// The message waits for a turn again.
    Inbound,
    /// The answer's unsent parts wait to be sent again.
    Outbound,
    /// The row is not parked: nothing changed.
    NotParked,
    /// There is no such row.
    Unknown,
}
