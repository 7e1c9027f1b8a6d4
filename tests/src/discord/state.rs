//! All that the fake knows, behind one lock.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    fault::Faults,
    gateway::{Hub, intent},
    id::Id,
    json::{self, View},
    record::Record,
    rest::Buckets,
    world::{BOT, Channel, ChannelKind, GUILD, Message, World},
};

/// An interaction that may be answered.
#[derive(Clone, Debug)]
pub(crate) struct Interaction {
    pub(crate) id: Id,
    /// Its type: 2 a command, 3 a component.
    pub(crate) kind: u8,
    pub(crate) user: Id,
    pub(crate) channel: Id,
    /// The message whose button was pressed.
    pub(crate) on: Option<Id>,
    pub(crate) begun: Instant,
    /// Its fifteen minutes are over.
    pub(crate) expired: bool,
    /// The type of the callback, once there was one.
    pub(crate) callback: Option<u64>,
    pub(crate) original: Option<Id>,
}

/// The nonces of the past few minutes.
#[derive(Debug)]
pub(crate) struct Nonce {
    pub(crate) message: Id,
    pub(crate) at: Instant,
}

#[derive(Debug)]
pub(crate) struct State {
    /// `http://127.0.0.1:port`.
    pub(crate) base: String,
    pub(crate) world: World,
    pub(crate) record: Record,
    pub(crate) faults: Faults,
    pub(crate) buckets: Buckets,
    pub(crate) hub: Hub,
    /// Known bot tokens, and whether each is good.
    pub(crate) tokens: HashMap<String, bool>,
    /// The privileged intents that are switched on in the developer portal.
    pub(crate) privileged: u64,
    pub(crate) interactions: HashMap<String, Interaction>,
    /// How long an interaction waits for its first answer.
    pub(crate) patience: Duration,
    /// Registered commands: of the app, and of the guild.
    pub(crate) commands: BTreeMap<Option<Id>, Vec<Value>>,
    pub(crate) nonces: HashMap<String, Nonce>,
    pub(crate) removed: BTreeSet<Id>,
    /// No page holds more than this, whatever the caller's `limit` is.
    pub(crate) page_cap: usize,
    /// Links into the CDN are past their time.
    pub(crate) links_expired: bool,
    pub(crate) session_starts_left: u32,
    /// Where sessions are to be resumed, if not here.
    pub(crate) resumes_at: Option<String>,
}

impl State {
    pub(crate) fn new(base: String) -> Self {
        Self {
            base,
            world: World::new(),
            record: Record::default(),
            faults: Faults::default(),
            buckets: Buckets::default(),
            hub: Hub::default(),
            tokens: HashMap::from([(super::BOT_TOKEN.to_owned(), true)]),
            privileged: intent::PRIVILEGED,
            interactions: HashMap::new(),
            patience: Duration::from_secs(3),
            commands: BTreeMap::new(),
            nonces: HashMap::new(),
            removed: BTreeSet::new(),
            page_cap: 100,
            links_expired: false,
            session_starts_left: 1000,
            resumes_at: None,
        }
    }

    /// The world as the HTTP API shows it.
    pub(crate) fn view(&self) -> View<'_> {
        View {
            world: &self.world,
            base: &self.base,
            content: self.privileged & intent::MESSAGE_CONTENT != 0,
        }
    }

    /// Puts a message into its channel; tells the sessions if `told`.
    ///
    /// # Panics
    /// If there is no such channel: a mistake of the test.
    pub(crate) fn say(&mut self, channel: Id, message: Message, told: bool) -> Id {
        let id = message.id;
        self.world.channel(channel).messages.insert(id, message);
        if told {
            self.tell_message("MESSAGE_CREATE", channel, id);
        }
        id
    }

    /// Tells of a message as it is now.
    pub(crate) fn tell_message(&mut self, event: &'static str, channel: Id, id: Id) {
        let Self { world, hub, base, .. } = self;
        let Some((place, message)) = world
            .channels
            .get(&channel)
            .and_then(|c| Some((c, c.messages.get(&id)?)))
        else {
            return;
        };
        if !place.visible {
            return;
        }
        let needed = if place.is_dm() {
            intent::DIRECT_MESSAGES
        } else {
            intent::GUILD_MESSAGES
        };
        let shown = |content| {
            let view = View { world, base, content };
            view.event(place, message)
        };
        hub.dispatch(event, needed, |intents| {
            shown(intents & intent::MESSAGE_CONTENT != 0)
        });
    }

    /// Tells of something that happened in a channel.
    pub(crate) fn tell(&mut self, event: &'static str, channel: Id, needed: Needed, mut d: Value) {
        let place = self.world.channel(channel);
        if !place.visible {
            return;
        }
        if !place.is_dm() {
            d["guild_id"] = json::text(GUILD);
        }
        let needed = if place.is_dm() { needed.dm } else { needed.guild };
        self.hub.dispatch(event, needed, |_| d.clone());
    }

    /// Tells of a channel or thread as it is now.
    pub(crate) fn tell_channel(&mut self, event: &'static str, channel: Id) {
        let view = self.view();
        let Some(place) = self.world.channels.get(&channel).filter(|c| c.visible) else {
            return;
        };
        let mut d = view.channel(place);
        if event == "THREAD_CREATE" {
            d["newly_created"] = true.into();
        }
        self.hub.dispatch(event, intent::GUILDS, |_| d.clone());
    }

    /// Takes a message out of its channel and tells of it.
    pub(crate) fn remove(&mut self, channel: Id, id: Id, told: bool) {
        self.world.channel(channel).messages.remove(&id);
        self.removed.insert(id);
        if told {
            let d = json!({"id": id.to_string(), "channel_id": channel.to_string()});
            self.tell("MESSAGE_DELETE", channel, Needed::MESSAGES, d);
        }
    }

    /// What the bot is told of its guild when a session begins.
    /// <https://docs.discord.com/developers/events/gateway-events#guild-create>
    pub(crate) fn guild_create(&self) -> Value {
        let view = self.view();
        let seen = |c: &&Channel| c.visible && c.kind != ChannelKind::Dm;
        let places = || self.world.channels.values().filter(seen);
        let channels: Vec<Value> = places()
            .filter(|c| c.thread.is_none())
            .map(|c| view.channel(c))
            .collect();
        let threads: Vec<Value> = places()
            .filter(|c| c.thread.is_some() && !c.archived())
            .map(|c| view.channel(c))
            .collect();
        let mut bot = json::member(&[super::world::BOT_ROLE]);
        bot["user"] = view.user(BOT);
        let mut out = super::rest::guild(self);
        let more = json!({
            "joined_at": "2024-01-01T00:00:00.000000+00:00", "large": false, "unavailable": false,
            "member_count": self.world.users.len(), "voice_states": [], "members": [bot], "channels": channels,
            "threads": threads, "presences": [], "stage_instances": [], "guild_scheduled_events": [],
            "soundboard_sounds": [],
        });
        if let (Some(out), Value::Object(more)) = (out.as_object_mut(), more) {
            out.extend(more);
        }
        out
    }
}

/// The intent that an event needs, in a guild and in a direct message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needed {
    guild: u64,
    dm: u64,
}

impl Needed {
    pub(crate) const MESSAGES: Self = Self {
        guild: intent::GUILD_MESSAGES,
        dm: intent::DIRECT_MESSAGES,
    };
    pub(crate) const REACTIONS: Self = Self {
        guild: intent::GUILD_MESSAGE_REACTIONS,
        dm: intent::DIRECT_MESSAGE_REACTIONS,
    };
    pub(crate) const TYPING: Self = Self {
        guild: intent::GUILD_MESSAGE_TYPING,
        dm: intent::DIRECT_MESSAGE_TYPING,
    };
}
