//! Buttons under the bot's messages, slash commands, and people who use them.
//! <https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-object>

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    FakeDiscord,
    id::{Id, known},
    json::{member, text},
    record::Posted,
    state::{Interaction, State},
    world::{APP, GUILD, Message},
};

/// # Buttons and commands
impl FakeDiscord {
    /// What stands on the buttons that a message has now.
    #[must_use]
    pub fn buttons(&self, message: &str) -> Vec<String> {
        self.shared.look(|state| {
            let found = state.world.find(known(message));
            found.map(|(_, message)| labels(message)).unwrap_or_default()
        })
    }

    /// Waits until a message of ours has buttons; gives the newest such message.
    pub async fn wait_card(&self) -> Posted {
        self.until("a message with buttons", |state| {
            let has_buttons = |posted: &&Posted| {
                let found = state.world.find(known(&posted.id));
                found.is_some_and(|(_, message)| !labels(message).is_empty())
            };
            state.record.posted.iter().rev().find(has_buttons).cloned()
        })
        .await
    }

    /// Waits until a message has no buttons any more; gives its text.
    pub async fn wait_closed(&self, message: &str) -> String {
        self.until(&format!("{message} without buttons"), |state| {
            let (_, message) = state.world.find(known(message))?;
            labels(message).is_empty().then(|| message.content.clone())
        })
        .await
    }

    /// Another app's button in the place of ours: the one with this label has this `custom_id` from now on.
    ///
    /// # Panics
    /// If the message has no such button.
    pub fn rename_button(&self, message: &str, label: &str, custom_id: &str) {
        self.shared.change(|state| {
            let messages = state
                .world
                .channels
                .values_mut()
                .find_map(|c| c.messages.get_mut(&known(message)));
            let rows = messages.into_iter().flat_map(|message| &mut message.components);
            let mut buttons = rows.filter_map(|row| row["components"].as_array_mut()).flatten();
            let button = buttons.find(|button| button["label"] == label);
            button.expect("the test names a button of its own")["custom_id"] = custom_id.into();
        });
    }

    /// `user` presses the button under a message that has this label or `custom_id`. It reaches the app only over an
    /// open connection, as with Discord. Gives the interaction's id.
    ///
    /// # Panics
    /// If the message has no such button (any more), or it is greyed out: nobody could press it.
    pub fn press(&self, user: &str, message: &str, button: &str) -> String {
        self.shared.change(|state| {
            let (channel, found) = state
                .world
                .find(known(message))
                .expect("the test names a message");
            let is_meant = |b: &&Value| b["label"] == button || b["custom_id"] == button;
            let pressed = buttons(found).find(is_meant).filter(|b| b["disabled"] != true);
            let custom_id =
                pressed.unwrap_or_else(|| panic!("the message {message} has no button {button:?}"));
            let data =
                json!({"component_type": 2, "custom_id": custom_id["custom_id"], "id": custom_id["id"]});
            let (channel, on) = (channel.id, found.id);
            interact(state, 3, user, channel, Some(on), data)
        })
    }

    /// `user` types a registered command with options (`{"prompt": "hello"}`). It reaches the app only over an open
    /// connection. Gives the interaction's id.
    ///
    /// # Panics
    /// If no such command is registered: nobody could type it.
    pub fn slash_command(&self, channel: &str, user: &str, name: &str, options: &Value) -> String {
        self.shared.change(|state| {
            let all = state.commands.values().flatten();
            let command = all.clone().find(|c| c["name"] == name).cloned();
            let command = command.unwrap_or_else(|| panic!("no command /{name} is registered"));
            let given = options.as_object().into_iter().flatten();
            let given: Vec<Value> = given
                .map(|(name, value)| {
                    let defined = command["options"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .find(|o| o["name"] == **name);
                    let defined = defined.unwrap_or_else(|| panic!("/{command} has no option {name}"));
                    json!({"name": name, "type": defined["type"], "value": value})
                })
                .collect();
            let data = json!({
                "id": command["id"], "name": name, "type": 1, "guild_id": GUILD.to_string(), "options": given,
            });
            interact(state, 2, user, known(channel), None, data)
        })
    }

    /// The names of the commands that are registered for the guild, and for the app.
    #[must_use]
    pub fn commands(&self) -> Vec<String> {
        self.shared.look(|state| {
            let all = state.commands.values().flatten();
            all.filter_map(|c| c["name"].as_str().map(str::to_owned))
                .collect()
        })
    }

    /// Registers commands for the guild, as by another program with the bot's token, or an earlier version of this one.
    pub fn set_commands(&self, commands: &[Value]) {
        self.shared
            .change(|state| state.commands.insert(Some(GUILD), commands.to_vec()));
    }

    /// The guild's command of this name.
    #[must_use]
    pub fn command(&self, name: &str) -> Option<Value> {
        self.shared.look(|state| {
            let mut all = state.commands.values().flatten();
            all.find(|c| c["name"] == name).cloned()
        })
    }

    /// Waits until a command is registered.
    pub async fn wait_command(&self, name: &str) {
        self.until(&format!("the command /{name}"), |state| {
            state
                .commands
                .values()
                .flatten()
                .any(|c| c["name"] == name)
                .then_some(())
        })
        .await;
    }
}

fn buttons(message: &Message) -> impl Iterator<Item = &Value> {
    let rows = message
        .components
        .iter()
        .filter_map(|row| row["components"].as_array());
    rows.flatten().filter(|component| component["type"] == 2)
}

/// Of the buttons that can be pressed.
fn labels(message: &Message) -> Vec<String> {
    let open = buttons(message).filter(|b| b["disabled"] != true);
    open.filter_map(|b| b["label"].as_str().map(str::to_owned))
        .collect()
}

fn interact(state: &mut State, kind: u8, user: &str, channel: Id, on: Option<Id>, data: Value) -> String {
    let id = state.world.clock.next();
    let token = format!("aW50ZXJhY3Rpb246{id}");
    let interaction = Interaction {
        id,
        kind,
        user: known(user),
        channel,
        on,
        begun: Instant::now(),
        expired: false,
        callback: None,
        original: None,
    };
    let d = payload(state, &interaction, &token, data);
    // It is shown to whoever is there now, and to nobody later.
    if state.hub.open() > 0 {
        state.interactions.insert(token, interaction);
        state.hub.dispatch("INTERACTION_CREATE", 0, |_| d.clone());
    }
    id.to_string()
}

fn payload(state: &State, interaction: &Interaction, token: &str, data: Value) -> Value {
    let view = state.view();
    let place = &state.world.channels[&interaction.channel];
    let who = view.user(interaction.user);
    let mut out = json!({
        "id": interaction.id.to_string(), "application_id": APP.to_string(), "type": interaction.kind, "data": data,
        "channel_id": place.id.to_string(), "channel": view.channel(place), "token": token, "version": 1,
        "app_permissions": "379964640320", "locale": "en-US", "entitlements": [], "attachment_size_limit": 10_485_760,
        "authorizing_integration_owners": {"0": GUILD.to_string()}, "context": u8::from(place.is_dm()),
    });
    if place.is_dm() {
        out["user"] = who;
    } else {
        let mut by = member(&[]);
        by["user"] = who;
        by["permissions"] = "379964640320".into();
        out["member"] = by;
        out["guild_id"] = text(GUILD);
        out["guild_locale"] = "en-US".into();
        out["guild"] = json!({"id": GUILD.to_string(), "locale": "en-US", "features": []});
    }
    if let Some(on) = interaction.on.and_then(|id| place.messages.get(&id)) {
        out["message"] = view.message(place, on);
    }
    out
}
