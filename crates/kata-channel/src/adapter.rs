//! The adapter contract: what a platform's crate must offer, and nothing about what is done with it.
//!
//! Reconnect, backoff, polling cadence, catch-up, dedup, order, retry and splitting are not an adapter's
//! business: they are written once, in [`drive`](crate::drive), [`ingress`](crate::ingress) and
//! [`egress`](crate::egress).

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::{
    drive::Sink,
    error::{ChannelError, SendError},
    id::{MessageId, Place, SenderId, ThreadId},
    inbound::{Attachment, Cursor, Inbound},
    markdown::Dialect,
    outbound::{Finding, Lookup, Outbound, Receipt},
    time::Timestamp,
};

/// How a platform counts the length of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Unicode scalar values.
    Chars,
    /// UTF-16 code units.
    Utf16,
    /// Bytes of UTF-8.
    Bytes,
}

impl Unit {
    /// The length of `text` in this unit.
    #[must_use]
    pub fn len(self, text: &str) -> usize {
        match self {
            Self::Chars => text.chars().count(),
            Self::Utf16 => text.encode_utf16().count(),
            Self::Bytes => text.len(),
        }
    }
}

/// The longest message a platform takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// What is counted.
    pub unit: Unit,
    /// How many.
    pub limit: usize,
}

/// What a platform can do.
#[derive(Clone, Copy, Debug)]
pub struct Descriptor {
    /// The adapter's name in a channel config (`slack`).
    pub platform: &'static str,
    /// The longest message.
    pub length: Length,
    /// Its markup.
    pub dialect: Dialect,
    /// Notices may be written into its conversations (never by mail).
    pub notices: bool,
    /// Senders are who they seem: questions about tool calls may be asked and answered in its conversations, and chat
    /// commands (`/reset`) count there. Never by mail, where anybody writes any name.
    pub approvals: bool,
    /// A socket that says nothing for this long is dead.
    pub silence: Duration,
    /// History is read this often even while a socket is open.
    pub reconcile_every: Duration,
}

/// Who we are on the platform, as it says itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The bot's id.
    pub id: SenderId,
    /// The bot's name.
    pub name: String,
}

/// A platform, as one channel sees it. At least one of [`history`](Self::history) and [`push`](Self::push) must be
/// offered; this is checked when the adapter is made.
#[async_trait]
pub trait Adapter: Send + Sync + 'static {
    /// What the platform can do. Does not change.
    fn descriptor(&self) -> &Descriptor;

    /// Asks the platform who we are, and names what is missing (scopes, intents) before anything depends on it.
    ///
    /// # Errors
    /// `AuthExpired` and `Rejected` are final until the configuration changes, all else is worth another try.
    async fn connect(&self) -> Result<Identity, ChannelError>;

    /// What a person must see to before the channel stops working, as a sentence: a sign-in that ends in two days. Asked
    /// after each pass over history, told once; it must not wait.
    fn warning(&self) -> Option<String> {
        None
    }

    /// Closes what is open. Returns within two seconds.
    async fn disconnect(&self);

    /// Sends one part.
    ///
    /// # Cancel safety
    /// Not cancel safe: a send that is dropped midway has an unknown outcome ([`Effect::Maybe`](crate::Effect)).
    ///
    /// # Errors
    /// Says whether the message may have arrived all the same (D19).
    async fn send(&self, out: &Outbound) -> Result<Receipt, SendError>;

    /// How long from its first attempt the platform itself drops a second send of this part, by its key: until then a part whose
    /// outcome is unknown is sent again instead of looked up (D20). None = it never does.
    fn nonce_holds(&self, _out: &Outbound) -> Option<Duration> {
        None
    }

    /// Where answers are sent with a person's leave alone: the tool that sends one, and its input but for the `body`. Asked about
    /// a turn whose channel says `replyMode: approve`; `answered` = its newest message, with what the adapter knew of it.
    fn by_leave(
        &self,
        _answered: &MessageId,
        _metadata: &Map<String, Value>,
    ) -> Option<(&'static str, Map<String, Value>)> {
        None
    }

    /// Whether an answer to this message has gone out with a person's leave, in an attempt whose end nobody saw (D20): its
    /// text. Asked before each turn for which [`by_leave`](Self::by_leave) names a tool.
    ///
    /// # Errors
    /// Nobody can say; then nothing is sent.
    async fn left(
        &self,
        _answered: &MessageId,
        _metadata: &Map<String, Value>,
    ) -> Result<Option<String>, ChannelError> {
        Ok(None)
    }

    /// History that can be read page by page.
    fn history(&self) -> Option<&dyn History> {
        None
    }

    /// A socket that pushes.
    fn push(&self) -> Option<&dyn Push> {
        None
    }

    /// Looking up whether a part arrived.
    fn read_back(&self) -> Option<&dyn ReadBack> {
        None
    }

    /// Reactions, statuses, typing.
    fn signs(&self) -> Option<&dyn Signs> {
        None
    }

    /// Changing a message of ours that has choices.
    fn cards(&self) -> Option<&dyn Cards> {
        None
    }

    /// Attachments.
    fn files(&self) -> Option<&dyn Files> {
        None
    }
}

/// One read of a place's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollRequest {
    /// What to read.
    pub place: Place,
    /// Everything after this is wanted.
    pub cursor: Cursor,
    /// The page to go on with; none = the first one.
    pub page: Option<String>,
}

/// One page of history.
#[derive(Clone, Debug, PartialEq)]
pub struct PollPage {
    /// Its messages, oldest first.
    pub messages: Vec<Inbound>,
    /// Where this page ends: with everything up to here read, the cursor may stand here. None for an empty page.
    pub newest: Option<Cursor>,
    /// The next page; none = this was the last one.
    pub next: Option<String>,
    /// Nothing is missing between the cursor that was asked from and the newest message of this page. Platforms that
    /// serve newest first say `false` until their last page.
    pub contiguous: bool,
    /// Threads in which something happened that this place's own history does not show: worth a read of their own.
    pub threads: Vec<Place>,
}

/// One page of a conversation's threads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThreadPage {
    /// Threads that have replies, each with the cursor of its newest one.
    pub threads: Vec<(Place, Cursor)>,
    /// The next page; none = this was the last one.
    pub next: Option<String>,
}

/// A conversation the bot can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovered {
    /// The conversation.
    pub place: Place,
    /// It is named in the channel's configuration: on first contact it is read from now. Others (a direct
    /// conversation that somebody opened) are read from the time the channel was first configured.
    pub named: bool,
}

/// Reading what was said, from a cursor on.
#[async_trait]
pub trait History: Send + Sync {
    /// The conversations to read, threads excepted (those are known from their rows, D4).
    ///
    /// # Errors
    /// As the platform says.
    async fn conversations(&self) -> Result<Vec<Discovered>, ChannelError>;

    /// The direct conversations of people whom the configuration names, where the platform lists none: what such a person says to
    /// us for the first time while we are away is found nowhere else. `known` = conversations that are read anyway. They are read
    /// from the time the channel was first configured.
    ///
    /// # Cancel safety
    /// Cancel safe: to open one twice is to open it once.
    ///
    /// # Errors
    /// As the platform says. That a person takes no messages is no error.
    async fn directs(&self, _known: &[Place]) -> Result<Vec<Place>, ChannelError> {
        Ok(Vec::new())
    }

    /// One page of the threads of a conversation that began at `since` or later, the newest threads first. `page` = the one
    /// to go on with; none = the first one. A reply under a message that was read long ago shows on no page after the
    /// conversation's cursor: this is how it is found. Platforms whose conversations have no threads offer none.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing changes on the platform.
    ///
    /// # Errors
    /// As the platform says.
    async fn threads(
        &self,
        _conversation: &Place,
        _since: Timestamp,
        _page: Option<String>,
    ) -> Result<ThreadPage, ChannelError> {
        Ok(ThreadPage::default())
    }

    /// The cursor of a place that is seen for the first time: what is there now is not old work.
    ///
    /// # Errors
    /// As the platform says.
    async fn start_from_now(&self, place: &Place) -> Result<Cursor, ChannelError>;

    /// The cursor before everything that is in a thread: by its id, which points at its first message. A platform on which that
    /// message is read as a part of the thread says otherwise.
    fn thread_begins(&self, thread: &ThreadId) -> Cursor {
        Cursor(thread.as_str().to_owned())
    }

    /// The cursor that stands for a moment in time.
    fn cursor_at(&self, at: Timestamp) -> Cursor;

    /// Compares two cursors of one place as the platform orders them.
    fn compare(&self, a: &Cursor, b: &Cursor) -> std::cmp::Ordering;

    /// Reads one page.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing changes on the platform.
    ///
    /// # Errors
    /// As the platform says; `Rejected` means that this place cannot be read (the bot was removed), not that the channel is broken.
    async fn poll(&self, request: PollRequest) -> Result<PollPage, ChannelError>;
}

/// Being told as it happens.
#[async_trait]
pub trait Push: Send + Sync {
    /// Opens the socket and pushes into `sink` until it ends. An event is acknowledged to the platform only after
    /// [`Sink::push`] has returned `Ok` (D1). Says [`Sink::ready`] once events flow and [`Sink::alive`] whenever the
    /// platform gave a sign of life.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping it closes the socket; what was not acknowledged comes again or is found in history.
    ///
    /// # Errors
    /// Why it ended. `Ok` = the platform asked for a new connection.
    async fn subscribe(&self, sink: Sink) -> Result<(), ChannelError>;

    /// Asks the platform whether it would open the socket, and opens none: where an app's events go to one of its sockets, another
    /// one would take them from a daemon that runs. Not asked by the driver, which finds out by subscribing.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing changes on the platform.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe): the socket's own token is refused, or too many sessions were begun.
    async fn probe(&self) -> Result<(), ChannelError> {
        Ok(())
    }
}

/// Asking whether a part arrived.
#[async_trait]
pub trait ReadBack: Send + Sync {
    /// Looks for the part by its key (or by what the platform keeps of it).
    ///
    /// # Errors
    /// A failed look says nothing: it is tried again later, and nothing is sent meanwhile (D20).
    async fn find(&self, lookup: &Lookup) -> Result<Finding, ChannelError>;
}

/// A sign of life under a message while its turn runs.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sign {
    /// Where.
    pub place: Place,
    /// Under which message.
    pub message: MessageId,
    /// What the adapter needs to take it off again.
    pub token: String,
}

/// Reactions, statuses, typing: pleasant, never necessary.
#[async_trait]
pub trait Signs: Send + Sync {
    /// What would be put on a message: written on its row before it is put on, so that the next daemon can take it
    /// off (D23).
    fn sign_for(&self, place: &Place, message: &MessageId) -> Option<Sign>;

    /// Puts it on. Errors are the adapter's to swallow (a missing scope is silent).
    async fn put_on(&self, sign: &Sign);

    /// Takes it off. `false` = not now (no connection): try again.
    async fn take_off(&self, sign: &Sign) -> bool;
}

/// Changing messages of ours that have choices: pleasant, never necessary.
#[async_trait]
pub trait Cards: Send + Sync {
    /// Puts `text` in place of the message's text, and takes its choices away. Errors are the adapter's to swallow.
    async fn close(&self, place: &Place, message: &MessageId, text: &str);
}

/// Fetching attachments.
#[async_trait]
pub trait Files: Send + Sync {
    /// Fetches one file into `into`, which does not exist yet, refusing more than `limit` bytes.
    ///
    /// # Errors
    /// As the platform says; a partial file is the caller's to remove.
    async fn fetch(&self, file: &Attachment, into: &Path, limit: u64) -> Result<u64, ChannelError>;
}
