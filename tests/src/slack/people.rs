//! What a test makes the people of a workspace do.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    FakeSlack,
    state::{ResponseUrl, State},
    ts::Ts,
    world::{APP, BOT_USER, ChannelKind, File, Message, TEAM, TEAM_DOMAIN},
};

/// A file that somebody uploads.
#[derive(Clone, Copy, Debug)]
pub struct Upload<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its media type.
    pub mimetype: &'a str,
    /// Its bytes.
    pub content: &'a [u8],
}

/// A slash command that somebody typed.
#[derive(Clone, Debug)]
pub struct SlashCommand {
    /// Where it may be answered.
    pub response_url: String,
    /// Its id.
    pub trigger_id: String,
}

/// # People and places
impl FakeSlack {
    /// Adds a person.
    pub fn add_user(&self, id: &str, name: &str) {
        self.shared.change(|state| state.world.add_user(id, name, false));
    }

    /// Adds a conversation with `members` and the bot.
    pub fn add_channel(&self, id: &str, name: &str, kind: ChannelKind, members: &[&str]) {
        let members: Vec<&str> = members.iter().copied().chain([BOT_USER]).collect();
        self.shared
            .change(|state| state.world.add_channel(id, name, kind, &members));
    }

    /// Opens the direct conversation of `user` and the bot; gives its id.
    pub fn add_im(&self, user: &str) -> String {
        self.shared.change(|state| state.world.im_with(user))
    }

    /// Takes the bot out of a conversation.
    pub fn kick_bot(&self, channel: &str) {
        self.with_channel(channel, |c| {
            c.members.remove(BOT_USER);
        });
    }

    /// Invites the bot into a conversation.
    pub fn invite_bot(&self, channel: &str) {
        self.with_channel(channel, |c| {
            c.members.insert(BOT_USER.to_owned());
        });
    }

    /// Archives a conversation.
    pub fn archive(&self, channel: &str) {
        self.with_channel(channel, |c| c.archived = true);
    }

    fn with_channel(&self, id: &str, f: impl FnOnce(&mut super::world::Channel)) {
        self.shared.change(|state| {
            f(state
                .world
                .channels
                .get_mut(id)
                .unwrap_or_else(|| panic!("no channel {id}")))
        });
    }
}

/// # What people do
///
/// Each gives the message's `ts`. The app is told of it where Slack would tell it.
impl FakeSlack {
    /// `user` writes in a conversation.
    pub fn user_posts(&self, channel: &str, user: &str, text: &str) -> String {
        self.write(channel, user, text, None, true)
    }

    /// `user` replies in the thread of `root`.
    pub fn user_replies(&self, channel: &str, root: &str, user: &str, text: &str) -> String {
        self.write(channel, user, text, Some(root), true)
    }

    /// `user` writes to the bot alone.
    pub fn user_writes_to_bot(&self, user: &str, text: &str) -> String {
        let im = self.add_im(user);
        self.user_posts(&im, user, text)
    }

    /// `user` mentions the bot in front of `text`.
    pub fn user_mentions_bot(&self, channel: &str, user: &str, text: &str) -> String {
        self.user_posts(channel, user, &format!("<@{BOT_USER}> {text}"))
    }

    /// `user` writes, and the app is told nothing: a message that came while it was away.
    pub fn post_silently(&self, channel: &str, user: &str, text: &str) -> String {
        self.write(channel, user, text, None, false)
    }

    /// As [`post_silently`](Self::post_silently), in a thread.
    pub fn reply_silently(&self, channel: &str, root: &str, user: &str, text: &str) -> String {
        self.write(channel, user, text, Some(root), false)
    }

    /// As [`post_silently`](Self::post_silently), `age` ago.
    pub fn posted_ago(&self, channel: &str, user: &str, text: &str, age: Duration) -> String {
        self.shared.change(|state| {
            let age = i64::try_from(age.as_micros()).expect("an age within centuries");
            let ts = state
                .world
                .free_ts(channel, Ts(jiff::Timestamp::now().as_microsecond() - age));
            state
                .say(channel, Message::new(ts, user, text), false)
                .to_string()
        })
    }

    /// `user` shares a file.
    pub fn user_shares(&self, channel: &str, user: &str, text: &str, upload: &Upload<'_>) -> String {
        self.shared.change(|state| {
            let id = format!("F{:09}", state.world.serial());
            let file = File {
                id: id.clone(),
                name: upload.name.to_owned(),
                mimetype: upload.mimetype.to_owned(),
                content: upload.content.to_vec(),
            };
            state.world.files.insert(id.clone(), file);
            let mut message = Message::new(state.world.next_ts(), user, text);
            message.subtype = Some("file_share");
            message.files.push(id);
            state.say(channel, message, true).to_string()
        })
    }

    /// Another app's bot writes.
    pub fn other_bot_posts(&self, channel: &str, text: &str) -> String {
        self.shared.change(|state| {
            let mut message = Message::new(state.world.next_ts(), "U0OTHERBOT", text);
            message.subtype = Some("bot_message");
            message.bot_id = Some("B0OTHERBOT".into());
            state.say(channel, message, true).to_string()
        })
    }

    /// Somebody joins: a message with a subtype that nobody wrote.
    pub fn user_joins(&self, channel: &str, user: &str) -> String {
        self.shared.change(|state| {
            let mut message = Message::new(
                state.world.next_ts(),
                user,
                &format!("<@{user}> has joined the channel"),
            );
            message.subtype = Some("channel_join");
            state.say(channel, message, true).to_string()
        })
    }

    /// The author of `ts` edits it.
    pub fn user_edits(&self, channel: &str, ts: &str, text: &str) {
        let ts = parse(ts);
        self.shared.change(|state| {
            let at = state.world.next_ts();
            let channel_of = state
                .world
                .channels
                .get_mut(channel)
                .expect("the test names its own channel");
            let message = channel_of
                .messages
                .get_mut(&ts)
                .expect("the test names a message of its own");
            text.clone_into(&mut message.text);
            message.edited = Some((message.user.clone(), at));
            state.tell_edit(channel, ts);
        });
    }

    /// The author of `ts` deletes it.
    pub fn user_deletes(&self, channel: &str, ts: &str) {
        self.shared.change(|state| state.remove(channel, parse(ts)));
    }

    /// `user` reacts to the message `ts`. The event that tells of it, to be delivered once more by [`event`](Self::event).
    /// <https://docs.slack.dev/reference/events/reaction_added>
    pub fn user_reacts(&self, channel: &str, user: &str, name: &str, ts: &str) -> Value {
        self.shared.change(|state| {
            let at = state.world.next_ts().to_string();
            let channels = &mut state.world.channels;
            let messages = &mut channels
                .get_mut(channel)
                .expect("the test names its own channel")
                .messages;
            let message = messages
                .get_mut(&parse(ts))
                .expect("the test names a message that stands there");
            let author = message.user.clone();
            message
                .reactions
                .entry(name.to_owned())
                .or_default()
                .insert(user.to_owned());
            let event = json!({
                "type": "reaction_added", "user": user, "reaction": name, "item_user": author,
                "item": {"type": "message", "channel": channel, "ts": ts}, "event_ts": at,
            });
            state.tell(&event, None);
            event
        })
    }

    /// `user` types a slash command. It reaches the app only if a socket is open, as with Slack.
    pub fn slash_command(&self, channel: &str, user: &str, command: &str, text: &str) -> SlashCommand {
        self.shared
            .change(|state| command_of(state, channel, user, command, text))
    }

    fn write(&self, channel: &str, user: &str, text: &str, root: Option<&str>, told: bool) -> String {
        self.shared.change(|state| {
            let mut message = Message::new(state.world.next_ts(), user, text);
            message.thread = root.map(parse);
            state.say(channel, message, told).to_string()
        })
    }

    /// Sends the app any event, wrapped as Slack wraps it.
    pub fn event(&self, event: &Value) {
        self.shared.change(|state| state.tell(event, None));
    }
}

fn parse(ts: &str) -> Ts {
    ts.parse().unwrap_or_else(|()| panic!("{ts} is no timestamp"))
}

/// <https://docs.slack.dev/interactivity/implementing-slash-commands>
fn command_of(state: &mut State, channel: &str, user: &str, command: &str, text: &str) -> SlashCommand {
    let id = format!("{}", state.world.serial());
    let response_url = format!("{}/response/{id}", state.base);
    let url = ResponseUrl {
        channel: channel.to_owned(),
        uses: 5,
        expired: false,
    };
    state.response_urls.insert(id.clone(), url);
    let trigger_id = format!("13345224609.738474920.{id}");
    let name = |found: Option<&str>| found.unwrap_or_default().to_owned();
    let payload = json!({
        "token": "verification-token", "team_id": TEAM, "team_domain": TEAM_DOMAIN, "channel_id": channel,
        "channel_name": name(state.world.channels.get(channel).map(|c| c.name.as_str())), "user_id": user,
        "user_name": name(state.world.users.get(user).map(|u| u.name.as_str())), "command": command,
        "text": text, "api_app_id": APP, "is_enterprise_install": false, "response_url": response_url,
        "trigger_id": trigger_id,
    });
    state.hub.enqueue("slash_commands", payload, None);
    SlashCommand {
        response_url,
        trigger_id,
    }
}
