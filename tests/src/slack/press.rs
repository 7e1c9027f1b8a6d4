//! Buttons under the app's messages, and people who press them.
//! <https://docs.slack.dev/reference/interaction-payloads/block_actions-payload>

use serde_json::{Value, json};

use super::{
    FakeSlack, blocks,
    record::Posted,
    state::{ResponseUrl, State},
    ts::Ts,
    world::{APP, ChannelKind, Message, TEAM, TEAM_DOMAIN},
};

/// # Buttons
impl FakeSlack {
    /// The blocks that a message has now.
    #[must_use]
    pub fn blocks(&self, channel: &str, ts: &str) -> Vec<Value> {
        let ts: Ts = ts.parse().expect("a timestamp");
        self.shared.look(|state| {
            let message = state
                .world
                .channels
                .get(channel)
                .and_then(|c| c.messages.get(&ts));
            message.map(|m| m.blocks.clone()).unwrap_or_default()
        })
    }

    /// What stands on the buttons that the message `ts` has now.
    #[must_use]
    pub fn buttons(&self, ts: &str) -> Vec<String> {
        self.shared.look(|state| {
            let found = find(state, ts).map(|(_, message)| labels(message));
            found.unwrap_or_default()
        })
    }

    /// Waits until a message of ours has buttons; gives the newest such message.
    pub async fn wait_card(&self) -> Posted {
        self.until("a message with buttons", |state| {
            let has_buttons = |posted: &&Posted| {
                find(state, &posted.ts).is_some_and(|(_, message)| !labels(message).is_empty())
            };
            state.record.posted.iter().rev().find(has_buttons).cloned()
        })
        .await
    }

    /// Waits until the message `ts` has no buttons any more; gives its text.
    pub async fn wait_closed(&self, ts: &str) -> String {
        self.until(&format!("{ts} without buttons"), |state| {
            let (_, message) = find(state, ts)?;
            labels(message).is_empty().then(|| message.text.clone())
        })
        .await
    }

    /// Another app's button in the place of ours: the one with this value has this `action_id` from now on.
    ///
    /// # Panics
    /// If the message has no such button.
    pub fn rename_action(&self, ts: &str, value: &str, action_id: &str) {
        let at: Ts = ts.parse().expect("a timestamp");
        self.shared.change(|state| {
            let mut messages = state
                .world
                .channels
                .values_mut()
                .filter_map(|c| c.messages.get_mut(&at));
            let mut elements = messages
                .next()
                .into_iter()
                .flat_map(|message| &mut message.blocks);
            let button = elements.find_map(|block| {
                let elements = block.get_mut("elements")?.as_array_mut()?;
                elements.iter_mut().find(|element| element["value"] == value)
            });
            button.expect("the test names a button of its own")["action_id"] = action_id.into();
        });
    }

    /// `user` presses the button under the message `ts` that has this value, or this label. It reaches the app only if a
    /// socket is open, as with Slack. Gives the press's `action_ts`, by which its acknowledgement is known.
    ///
    /// # Panics
    /// If the message has no such button (any more): nobody could press it.
    pub fn press(&self, user: &str, ts: &str, button: &str) -> String {
        self.shared.change(|state| {
            let (action_ts, payload) = pressed(state, user, ts, button)
                .unwrap_or_else(|| panic!("the message {ts} has no button {button:?}"));
            state.hub.enqueue("interactive", payload, Some(action_ts.clone()));
            action_ts
        })
    }
}

fn find<'s>(state: &'s State, ts: &str) -> Option<(&'s str, &'s Message)> {
    let ts: Ts = ts.parse().ok()?;
    let channels = state.world.channels.values();
    channels
        .filter_map(|c| Some((c.id.as_str(), c.messages.get(&ts)?)))
        .next()
}

fn labels(message: &Message) -> Vec<String> {
    let label = |button: &Value| button["text"]["text"].as_str().map(str::to_owned);
    blocks::buttons(&message.blocks)
        .filter_map(|(_, button)| label(button))
        .collect()
}

fn pressed(state: &mut State, user: &str, ts: &str, button: &str) -> Option<(String, Value)> {
    let action_ts = state.world.next_ts().to_string();
    let serial = state.world.serial();
    let (channel, message) = find(state, ts)?;
    let is_meant = |found: &Value| found["value"] == button || found["text"]["text"] == button;
    let (block, element) = blocks::buttons(&message.blocks).find(|(_, found)| is_meant(found))?;
    let mut action = element.clone();
    action["block_id"] = block.into();
    action["action_ts"] = action_ts.clone().into();
    let mut container = json!({
        "type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": false,
    });
    if let Some(thread) = message.thread {
        container["thread_ts"] = thread.to_string().into();
    }
    let view = state.view(channel, true);
    let user_name = state
        .world
        .users
        .get(user)
        .map(|u| u.name.as_str())
        .unwrap_or_default();
    let response_url = format!("{}/response/{serial}", state.base);
    let payload = json!({
        "type": "block_actions", "team": {"id": TEAM, "domain": TEAM_DOMAIN}, "enterprise": null,
        "user": {"id": user, "username": user_name, "name": user_name, "team_id": TEAM},
        "api_app_id": APP, "token": "verification-token", "container": container,
        "trigger_id": format!("13345224609.738474920.{serial}"), "is_enterprise_install": false,
        "channel": {"id": channel, "name": shown_name(view.channel.kind, &view.channel.name)},
        "message": view.message(message), "state": {"values": {}}, "response_url": response_url,
        "actions": [action],
    });
    let url = ResponseUrl {
        channel: channel.to_owned(),
        uses: 5,
        expired: false,
    };
    state.response_urls.insert(serial.to_string(), url);
    Some((action_ts, payload))
}

/// In an interaction only a public channel is named by its name.
fn shown_name(kind: ChannelKind, name: &str) -> &str {
    match kind {
        ChannelKind::Public => name,
        ChannelKind::Private => "privategroup",
        ChannelKind::Im => "directmessage",
        ChannelKind::Mpim => "mpdm",
    }
}
