//! A guild: its people, channels, threads and messages. Plain data, no I/O.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::id::{Clock, Id};

pub(crate) const GUILD: Id = 900_000_000_000_000_001;
pub(crate) const GUILD_NAME: &str = "subarachnoid";
pub(crate) const OWNER: Id = 900_000_000_000_000_002;
pub(crate) const BOT: Id = 900_000_000_000_000_003;
pub(crate) const APP: Id = 900_000_000_000_000_004;
/// The role that Discord makes for the bot when it is invited.
pub(crate) const BOT_ROLE: Id = 900_000_000_000_000_005;
pub(crate) const OTHER_BOT: Id = 900_000_000_000_000_006;
pub(crate) const WEBHOOK: Id = 900_000_000_000_000_007;
pub(crate) const BOT_NAME: &str = "kata";

/// The kinds of channel that the fake has.
/// <https://docs.discord.com/developers/resources/channel#channel-object-channel-types>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// A text channel of the guild.
    Text,
    /// A direct message.
    Dm,
    /// A voice channel, which has a chat beside it.
    Voice,
    /// A thread in a text channel, or a post in a forum.
    Thread,
    /// A thread that only those see who are in it.
    PrivateThread,
    /// A channel in which there are only threads.
    Forum,
}

impl ChannelKind {
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Text => 0,
            Self::Dm => 1,
            Self::Voice => 2,
            Self::Thread => 11,
            Self::PrivateThread => 12,
            Self::Forum => 15,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) is_bot: bool,
}

/// What a thread has besides what a channel has.
#[derive(Clone, Debug)]
pub(crate) struct Thread {
    pub(crate) owner: Id,
    pub(crate) archived: bool,
    pub(crate) locked: bool,
    /// When it was last archived or unarchived.
    pub(crate) turned: jiff::Timestamp,
}

#[derive(Clone, Debug)]
pub(crate) struct Channel {
    pub(crate) id: Id,
    pub(crate) kind: ChannelKind,
    pub(crate) name: String,
    pub(crate) parent: Option<Id>,
    /// The other side of a direct message.
    pub(crate) recipient: Option<Id>,
    pub(crate) thread: Option<Thread>,
    /// The bot has `VIEW_CHANNEL`.
    pub(crate) visible: bool,
    /// The bot has `SEND_MESSAGES` and its kin.
    pub(crate) writable: bool,
    /// The bot has `READ_MESSAGE_HISTORY`.
    pub(crate) readable: bool,
    pub(crate) messages: BTreeMap<Id, Message>,
}

impl Channel {
    pub(crate) fn new(id: Id, kind: ChannelKind, name: &str) -> Self {
        Self {
            id,
            kind,
            name: name.to_owned(),
            parent: None,
            recipient: None,
            thread: None,
            visible: true,
            writable: true,
            readable: true,
            messages: BTreeMap::new(),
        }
    }

    pub(crate) fn is_dm(&self) -> bool {
        self.kind == ChannelKind::Dm
    }

    pub(crate) fn archived(&self) -> bool {
        self.thread.as_ref().is_some_and(|t| t.archived)
    }

    pub(crate) fn newest(&self) -> Option<Id> {
        self.messages.keys().next_back().copied()
    }
}

/// The kinds of message.
/// <https://docs.discord.com/developers/resources/message#message-object-message-types>
pub(crate) mod kind {
    pub(crate) const DEFAULT: u8 = 0;
    pub(crate) const USER_JOIN: u8 = 7;
    pub(crate) const REPLY: u8 = 19;
    pub(crate) const CHAT_INPUT_COMMAND: u8 = 20;
}

/// The flag of a deferred answer that is not there yet.
pub(crate) const LOADING: u64 = 1 << 7;

#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) mimetype: String,
    pub(crate) content: Vec<u8>,
}

#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: Id,
    pub(crate) author: Id,
    pub(crate) kind: u8,
    pub(crate) content: String,
    pub(crate) edited: Option<jiff::Timestamp>,
    pub(crate) replies_to: Option<Id>,
    /// Whether a reply pings the one it answers.
    pub(crate) pings: bool,
    pub(crate) nonce: Option<Value>,
    pub(crate) flags: u64,
    pub(crate) files: Vec<File>,
    pub(crate) embeds: Vec<Value>,
    pub(crate) components: Vec<Value>,
    pub(crate) webhook: Option<Id>,
    /// The interaction that it answers: id, kind, user.
    pub(crate) interaction: Option<(Id, u8, Id)>,
    pub(crate) reactions: BTreeMap<String, BTreeSet<Id>>,
}

impl Message {
    pub(crate) fn new(id: Id, author: Id, content: &str) -> Self {
        Self {
            id,
            author,
            kind: kind::DEFAULT,
            content: content.to_owned(),
            edited: None,
            replies_to: None,
            pings: false,
            nonce: None,
            flags: 0,
            files: Vec::new(),
            embeds: Vec::new(),
            components: Vec::new(),
            webhook: None,
            interaction: None,
            reactions: BTreeMap::new(),
        }
    }

    /// The ids between `<`, one of `sigils`, and `>` in its text.
    pub(crate) fn mentioned(&self, sigils: &[&str]) -> Vec<Id> {
        let mut found = Vec::new();
        for part in self.content.split('<').skip(1) {
            let inside = part.split_once('>').map_or("", |(inside, _)| inside);
            let digits = sigils.iter().find_map(|sigil| inside.strip_prefix(sigil));
            if let Some(id) = digits.and_then(super::id::parse)
                && !found.contains(&id)
            {
                found.push(id);
            }
        }
        found
    }
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) users: BTreeMap<Id, User>,
    pub(crate) channels: BTreeMap<Id, Channel>,
    pub(crate) clock: Clock,
}

impl World {
    pub(crate) fn new() -> Self {
        let mut world = Self {
            users: BTreeMap::new(),
            channels: BTreeMap::new(),
            clock: Clock::default(),
        };
        world.add_user(BOT, BOT_NAME, true);
        world.add_user(OWNER, "owner", false);
        world.add_user(OTHER_BOT, "otherbot", true);
        world
    }

    pub(crate) fn add_user(&mut self, id: Id, name: &str, is_bot: bool) {
        let name = name.to_owned();
        self.users.insert(id, User { id, name, is_bot });
    }

    /// # Panics
    /// If there is no such channel: a mistake of the test.
    pub(crate) fn channel(&mut self, id: Id) -> &mut Channel {
        self.channels
            .get_mut(&id)
            .unwrap_or_else(|| panic!("no channel {id}"))
    }

    /// The message that somebody sees under this id, wherever it is.
    pub(crate) fn find(&self, id: Id) -> Option<(&Channel, &Message)> {
        self.channels
            .values()
            .find_map(|c| Some((c, c.messages.get(&id)?)))
    }

    /// The direct message of the bot and `user`, opened if there is none.
    pub(crate) fn dm_with(&mut self, user: Id) -> Id {
        let known = self.channels.values().find(|c| c.recipient == Some(user));
        if let Some(channel) = known {
            return channel.id;
        }
        let mut channel = Channel::new(self.clock.next(), ChannelKind::Dm, "");
        channel.recipient = Some(user);
        let id = channel.id;
        self.channels.insert(id, channel);
        id
    }

    /// A thread in `parent`, with this id. In a private one the bot is a member.
    pub(crate) fn add_thread(&mut self, id: Id, parent: Id, owner: Id, name: &str, kind: ChannelKind) {
        let above = self.channel(parent);
        let (visible, writable, readable) = (above.visible, above.writable, above.readable);
        let thread = Thread {
            owner,
            archived: false,
            locked: false,
            turned: jiff::Timestamp::now(),
        };
        let channel = Channel {
            parent: Some(parent),
            thread: Some(thread),
            visible,
            writable,
            readable,
            ..Channel::new(id, kind, name)
        };
        self.channels.insert(id, channel);
    }

    /// An id that is free in the channel, at `at` or just after it.
    pub(crate) fn free_id(&self, channel: Id, mut at: Id) -> Id {
        if let Some(channel) = self.channels.get(&channel) {
            while channel.messages.contains_key(&at) {
                at += 1;
            }
        }
        at
    }
}
