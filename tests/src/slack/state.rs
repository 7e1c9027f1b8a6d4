//! All that the fake knows, behind one lock.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};

use super::{
    fault::Faults,
    hub::Hub,
    json::View,
    record::Record,
    ts::Ts,
    world::{APP, BOT, BOT_USER, ChannelKind, Message, TEAM, World},
};

/// Which end of the history the pages start from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PageOrder {
    /// The first page holds the newest messages.
    #[default]
    NewestFirst,
    /// With `oldest` given, the first page holds the oldest messages after it.
    OldestFirst,
}

/// A token that the fake knows.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) app_level: bool,
    /// Why it is refused.
    pub(crate) refused: Option<&'static str>,
}

/// A slash command's `response_url`: five uses within half an hour.
/// <https://docs.slack.dev/interactivity/handling-user-interaction/#message_responses>
#[derive(Clone, Debug)]
pub(crate) struct ResponseUrl {
    pub(crate) channel: String,
    pub(crate) uses: u32,
    pub(crate) expired: bool,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) base: String,
    pub(crate) world: World,
    pub(crate) tokens: HashMap<String, Token>,
    pub(crate) scopes: BTreeSet<&'static str>,
    pub(crate) faults: Faults,
    pub(crate) record: Record,
    pub(crate) hub: Hub,
    /// Socket Mode URLs handed out and not used yet.
    pub(crate) tickets: BTreeSet<String>,
    pub(crate) response_urls: HashMap<String, ResponseUrl>,
    pub(crate) order: PageOrder,
    /// At most this many items a page, whatever `limit` says: Slack may return fewer.
    pub(crate) page_cap: usize,
}

impl State {
    pub(crate) fn new(base: String) -> Self {
        let token = |app_level| Token {
            app_level,
            refused: None,
        };
        Self {
            base,
            world: World::new(),
            tokens: HashMap::from([
                ("xoxb-test".to_owned(), token(false)),
                ("xapp-test".to_owned(), token(true)),
            ]),
            scopes: super::access::ALL_SCOPES.iter().copied().collect(),
            faults: Faults::default(),
            record: Record::default(),
            hub: Hub::default(),
            tickets: BTreeSet::new(),
            response_urls: HashMap::new(),
            order: PageOrder::default(),
            page_cap: usize::MAX,
        }
    }

    pub(crate) fn view<'a>(&'a self, channel: &str, all_metadata: bool) -> View<'a> {
        let channel = self
            .world
            .channels
            .get(channel)
            .unwrap_or_else(|| panic!("no channel {channel}"));
        View {
            channel,
            all_metadata,
            files: &self.world.files,
            base: &self.base,
        }
    }

    /// Stores a message and tells the app of it, as far as the app is told.
    pub(crate) fn say(&mut self, channel: &str, message: Message, told: bool) -> Ts {
        let ts = message.ts;
        self.world.put(channel, message);
        if told {
            self.tell_message(channel, ts);
        }
        ts
    }

    fn tell_message(&mut self, channel: &str, ts: Ts) {
        let kind = self.world.channels[channel].kind;
        let message = &self.world.channels[channel].messages[&ts];
        let mut event = self.view(channel, true).message(message);
        event["channel"] = channel.into();
        event["event_ts"] = ts.to_string().into();
        event["channel_type"] = kind.event_type().into();
        if message.subtype.is_none() && message.bot_id.is_none() {
            event["client_msg_id"] = format!("client-{ts}").into();
        }
        // A mention in a channel comes twice; in a direct message it does not.
        // https://docs.slack.dev/reference/events/app_mention
        let mentioned = message.bot_id.is_none() && message.text.contains(&format!("<@{BOT_USER}>"));
        let twin = (mentioned && kind != ChannelKind::Im).then(|| {
            let mut twin = event.clone();
            twin["type"] = "app_mention".into();
            if let Some(fields) = twin.as_object_mut() {
                fields.remove("channel_type");
                fields.remove("subtype");
            }
            twin
        });
        let events = std::iter::once(event).chain(twin);
        let in_channel = self.world.channels[channel].has(BOT_USER);
        for event in events.filter(|_| in_channel).collect::<Vec<_>>() {
            self.tell(&event, Some(ts));
        }
    }

    /// A message was edited. <https://docs.slack.dev/reference/events/message/message_changed>
    pub(crate) fn tell_edit(&mut self, channel: &str, ts: Ts) {
        let event_ts = self.world.next_ts().to_string();
        let view = self.view(channel, true);
        let Some(message) = view.channel.messages.get(&ts) else {
            return;
        };
        let event = json!({
            "type": "message", "subtype": "message_changed", "hidden": true, "channel": channel,
            "ts": event_ts, "event_ts": event_ts, "channel_type": view.channel.kind.event_type(),
            "message": view.message(message), "previous_message": view.message(message),
        });
        self.tell(&event, Some(ts));
    }

    /// Deletes a message and says so. <https://docs.slack.dev/reference/events/message/message_deleted>
    pub(crate) fn remove(&mut self, channel: &str, ts: Ts) {
        let event_ts = self.world.next_ts().to_string();
        let view = self.view(channel, true);
        let Some(message) = view.channel.messages.get(&ts) else {
            return;
        };
        let event = json!({
            "type": "message", "subtype": "message_deleted", "hidden": true, "channel": channel,
            "ts": event_ts, "event_ts": event_ts, "deleted_ts": ts.to_string(),
            "channel_type": view.channel.kind.event_type(), "previous_message": view.message(message),
        });
        if let Some(channel) = self.world.channels.get_mut(channel) {
            channel.messages.remove(&ts);
        }
        self.tell(&event, Some(ts));
    }

    /// Puts an event into an envelope and sends it to one of the app's sockets.
    pub(crate) fn tell(&mut self, event: &Value, message: Option<Ts>) {
        let serial = self.world.serial();
        let seconds = jiff::Timestamp::now().as_second();
        let payload = json!({
            "token": "verification-token", "team_id": TEAM, "context_team_id": TEAM,
            "context_enterprise_id": null, "api_app_id": APP, "event": event, "type": "event_callback",
            "event_id": format!("Ev{serial:09}"), "event_time": seconds, "is_ext_shared_channel": false,
            "event_context": format!("4-{serial}"),
            "authorizations": [{
                "enterprise_id": null, "team_id": TEAM, "user_id": BOT_USER, "is_bot": true,
                "is_enterprise_install": false,
            }],
        });
        self.hub
            .enqueue("events_api", payload, message.map(|m| m.to_string()));
    }

    /// Our app's own message.
    pub(crate) fn own_message(&mut self, text: &str, thread: Option<Ts>) -> Message {
        let ts = self.world.next_ts();
        let mut message = Message::new(ts, BOT_USER, text);
        message.bot_id = Some(BOT.to_owned());
        message.thread = thread;
        message
    }
}
