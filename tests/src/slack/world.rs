//! A workspace: its people, conversations and messages. Plain data, no I/O.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::ts::Ts;

pub(crate) const TEAM: &str = "T0KATA0001";
pub(crate) const TEAM_DOMAIN: &str = "subarachnoid";
pub(crate) const APP: &str = "A0KATA0001";
pub(crate) const BOT_USER: &str = "U0KATABOT1";
pub(crate) const BOT: &str = "B0KATABOT1";
pub(crate) const BOT_NAME: &str = "kata";

/// The kinds of conversation that Slack has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// A public channel.
    Public,
    /// A private channel.
    Private,
    /// A direct message.
    Im,
    /// A direct message of several people.
    Mpim,
}

impl ChannelKind {
    /// Its name in the `types` argument of the list methods.
    pub(crate) fn list_type(self) -> &'static str {
        match self {
            Self::Public => "public_channel",
            Self::Private => "private_channel",
            Self::Im => "im",
            Self::Mpim => "mpim",
        }
    }

    /// Its name in an event's `channel_type`.
    pub(crate) fn event_type(self) -> &'static str {
        match self {
            Self::Public => "channel",
            Self::Private => "group",
            Self::Im => "im",
            Self::Mpim => "mpim",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) is_bot: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: ChannelKind,
    pub(crate) members: BTreeSet<String>,
    pub(crate) archived: bool,
    pub(crate) created: i64,
    pub(crate) messages: BTreeMap<Ts, Message>,
}

impl Channel {
    pub(crate) fn has(&self, user: &str) -> bool {
        self.members.contains(user)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) ts: Ts,
    pub(crate) user: String,
    pub(crate) text: String,
    pub(crate) subtype: Option<&'static str>,
    /// Written by an app: Slack adds `bot_id`, `app_id` and `bot_profile`.
    pub(crate) bot_id: Option<String>,
    pub(crate) thread: Option<Ts>,
    pub(crate) edited: Option<(String, Ts)>,
    pub(crate) metadata: Option<Value>,
    pub(crate) files: Vec<String>,
    pub(crate) blocks: Vec<Value>,
    pub(crate) reactions: BTreeMap<String, BTreeSet<String>>,
}

impl Message {
    pub(crate) fn new(ts: Ts, user: &str, text: &str) -> Self {
        Self {
            ts,
            user: user.to_owned(),
            text: text.to_owned(),
            subtype: None,
            bot_id: None,
            thread: None,
            edited: None,
            metadata: None,
            files: Vec::new(),
            blocks: Vec::new(),
            reactions: BTreeMap::new(),
        }
    }

    /// A reply is shown in its thread, not in the conversation, unless it was broadcast.
    pub(crate) fn in_conversation(&self) -> bool {
        self.thread.is_none_or(|t| t == self.ts) || self.subtype == Some("thread_broadcast")
    }
}

#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) mimetype: String,
    pub(crate) content: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) channels: BTreeMap<String, Channel>,
    pub(crate) files: BTreeMap<String, File>,
    last_ts: Ts,
    serial: u64,
}

impl World {
    pub(crate) fn new() -> Self {
        let mut world = Self {
            users: BTreeMap::new(),
            channels: BTreeMap::new(),
            files: BTreeMap::new(),
            last_ts: Ts(0),
            serial: 0,
        };
        world.add_user(BOT_USER, BOT_NAME, true);
        world
    }

    /// A number that is not used twice.
    pub(crate) fn serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// The next message's timestamp: the time, and later than every one before it.
    pub(crate) fn next_ts(&mut self) -> Ts {
        let now = Ts(jiff::Timestamp::now().as_microsecond());
        self.last_ts = now.max(Ts(self.last_ts.0 + 1));
        self.last_ts
    }

    pub(crate) fn add_user(&mut self, id: &str, name: &str, is_bot: bool) {
        self.users.insert(
            id.to_owned(),
            User {
                id: id.to_owned(),
                name: name.to_owned(),
                is_bot,
            },
        );
    }

    pub(crate) fn add_channel(&mut self, id: &str, name: &str, kind: ChannelKind, members: &[&str]) {
        let channel = Channel {
            id: id.to_owned(),
            name: name.to_owned(),
            kind,
            members: members.iter().map(|m| (*m).to_owned()).collect(),
            archived: false,
            created: 1_700_000_000,
            messages: BTreeMap::new(),
        };
        self.channels.insert(id.to_owned(), channel);
    }

    /// The direct conversation of the bot and `user`, opened if there is none.
    pub(crate) fn im_with(&mut self, user: &str) -> String {
        let known = self
            .channels
            .values()
            .find(|c| c.kind == ChannelKind::Im && c.has(user));
        if let Some(channel) = known {
            return channel.id.clone();
        }
        let id = format!("D{:09}", self.serial());
        self.add_channel(&id, "", ChannelKind::Im, &[user, BOT_USER]);
        id
    }

    /// Puts a message into its conversation.
    ///
    /// # Panics
    /// If there is no such conversation: a mistake of the test.
    pub(crate) fn put(&mut self, channel: &str, message: Message) {
        let channel = self
            .channels
            .get_mut(channel)
            .unwrap_or_else(|| panic!("no channel {channel}"));
        // A message becomes a thread's root by its first reply.
        if let Some(root) = message.thread.filter(|t| *t != message.ts)
            && let Some(root) = channel.messages.get_mut(&root)
        {
            root.thread = Some(root.ts);
        }
        channel.messages.insert(message.ts, message);
    }

    /// A timestamp that is free in the conversation, at `at` or just after it.
    pub(crate) fn free_ts(&self, channel: &str, mut at: Ts) -> Ts {
        if let Some(channel) = self.channels.get(channel) {
            while channel.messages.contains_key(&at) {
                at.0 += 1;
            }
        }
        at
    }
}
