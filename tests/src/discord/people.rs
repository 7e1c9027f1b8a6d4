//! What a test makes the people of a guild do.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    BOT_USER, FakeDiscord,
    id::{Clock, known},
    rest,
    state::{Needed, State},
    world::{Channel, ChannelKind, File, Message, OTHER_BOT, WEBHOOK, kind},
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

/// # People and places
impl FakeDiscord {
    /// Adds a person to the guild.
    pub fn add_user(&self, id: &str, name: &str) {
        self.shared
            .change(|state| state.world.add_user(known(id), name, false));
    }

    /// Adds a channel to the guild. Threads come from [`user_starts_thread`](Self::user_starts_thread), direct messages
    /// from [`add_dm`](Self::add_dm).
    pub fn add_channel(&self, channel: &str, name: &str, kind: ChannelKind) {
        assert!(
            matches!(kind, ChannelKind::Text | ChannelKind::Voice | ChannelKind::Forum),
            "no channel of the guild's list"
        );
        let id = known(channel);
        self.shared.change(|state| {
            state.world.channels.insert(id, Channel::new(id, kind, name));
            state.tell_channel("CHANNEL_CREATE", id);
        });
    }

    /// Opens the direct message of `user` and the bot; gives its id.
    pub fn add_dm(&self, user: &str) -> String {
        self.shared
            .change(|state| state.world.dm_with(known(user)).to_string())
    }

    /// Whether the bot may see a channel at all.
    pub fn set_visible(&self, channel: &str, visible: bool) {
        self.with_channel(channel, |c| c.visible = visible);
    }

    /// Whether the bot may write in a channel; in a direct message, whether its owner takes messages.
    pub fn set_writable(&self, channel: &str, writable: bool) {
        self.with_channel(channel, |c| c.writable = writable);
    }

    /// Whether the bot may read a channel's history. Without, it is shown as empty.
    pub fn set_readable(&self, channel: &str, readable: bool) {
        self.with_channel(channel, |c| c.readable = readable);
    }

    fn with_channel(&self, channel: &str, f: impl FnOnce(&mut Channel)) {
        self.shared.change(|state| f(state.world.channel(known(channel))));
    }

    /// `user` begins a thread at a message; gives the thread's id, which is the message's.
    pub fn user_starts_thread(&self, channel: &str, message: &str, user: &str, name: &str) -> String {
        let (id, parent) = (known(message), known(channel));
        self.shared
            .change(|state| rest::begin_thread(state, id, parent, known(user), name));
        message.to_owned()
    }

    /// `user` begins a private thread and takes the bot in; gives its id.
    pub fn user_starts_private_thread(&self, channel: &str, user: &str, name: &str) -> String {
        self.shared.change(|state| {
            let id = state.world.clock.next();
            let (parent, owner) = (known(channel), known(user));
            state
                .world
                .add_thread(id, parent, owner, name, ChannelKind::PrivateThread);
            state.tell_channel("THREAD_CREATE", id);
            id.to_string()
        })
    }

    /// `user` opens a post in a forum; gives its id, which is its first message's too.
    pub fn user_opens_post(&self, forum: &str, user: &str, title: &str, text: &str) -> String {
        self.shared.change(|state| {
            let id = state.world.clock.next();
            rest::begin_thread(state, id, known(forum), known(user), title);
            state
                .say(id, Message::new(id, known(user), text), true)
                .to_string()
        })
    }

    /// A thread is archived, or taken back.
    pub fn archive(&self, thread: &str, archived: bool) {
        self.shared.change(|state| {
            rest::turn_thread(state, known(thread), Some(archived), None);
            state.tell_channel("THREAD_UPDATE", known(thread));
        });
    }

    /// A thread is locked: nobody but moderators writes in it.
    pub fn lock(&self, thread: &str) {
        self.shared.change(|state| {
            rest::turn_thread(state, known(thread), Some(true), Some(true));
            state.tell_channel("THREAD_UPDATE", known(thread));
        });
    }

    /// A channel or thread is deleted, with all that is in it.
    pub fn delete_channel(&self, channel: &str) {
        self.shared
            .change(|state| rest::delete_channel(state, known(channel)));
    }
}

/// # What people do
///
/// Each gives the message's id. The app is told of it where Discord would tell it.
impl FakeDiscord {
    /// `user` writes in a channel, a thread or a direct message.
    pub fn user_posts(&self, channel: &str, user: &str, text: &str) -> String {
        self.write(channel, user, text, true)
    }

    /// `user` writes to the bot alone.
    pub fn user_writes_to_bot(&self, user: &str, text: &str) -> String {
        let dm = self.add_dm(user);
        self.user_posts(&dm, user, text)
    }

    /// `user` mentions the bot in front of `text`.
    pub fn user_mentions_bot(&self, channel: &str, user: &str, text: &str) -> String {
        self.user_posts(channel, user, &format!("<@{BOT_USER}> {text}"))
    }

    /// `user` replies to a message; `pings` = with the mention switched on, as clients have it at first.
    pub fn user_replies(&self, channel: &str, to: &str, user: &str, text: &str, pings: bool) -> String {
        self.shared.change(|state| {
            let mut message = Message::new(state.world.clock.next(), known(user), text);
            (message.replies_to, message.pings, message.kind) = (Some(known(to)), pings, kind::REPLY);
            state.say(known(channel), message, true).to_string()
        })
    }

    /// `user` writes, and the app is told nothing: a message that came while it was away.
    pub fn post_silently(&self, channel: &str, user: &str, text: &str) -> String {
        self.write(channel, user, text, false)
    }

    /// As [`post_silently`](Self::post_silently), `age` ago.
    pub fn posted_ago(&self, channel: &str, user: &str, text: &str, age: Duration) -> String {
        self.shared.change(|state| {
            let id = state.world.free_id(known(channel), Clock::ago(age));
            state
                .say(known(channel), Message::new(id, known(user), text), false)
                .to_string()
        })
    }

    /// `user` shares a file.
    pub fn user_shares(&self, channel: &str, user: &str, text: &str, upload: &Upload<'_>) -> String {
        self.shared.change(|state| {
            let file = File {
                id: state.world.clock.next(),
                name: upload.name.to_owned(),
                mimetype: upload.mimetype.to_owned(),
                content: upload.content.to_vec(),
            };
            let mut message = Message::new(state.world.clock.next(), known(user), text);
            message.files.push(file);
            state.say(known(channel), message, true).to_string()
        })
    }

    /// Another app's bot writes.
    pub fn other_bot_posts(&self, channel: &str, text: &str) -> String {
        self.write(channel, &OTHER_BOT.to_string(), text, true)
    }

    /// A webhook writes.
    pub fn webhook_posts(&self, channel: &str, text: &str) -> String {
        self.shared.change(|state| {
            let mut message = Message::new(state.world.clock.next(), WEBHOOK, text);
            message.webhook = Some(WEBHOOK);
            state.say(known(channel), message, true).to_string()
        })
    }

    /// Somebody joins: a message of a kind that nobody wrote.
    pub fn user_joins(&self, channel: &str, user: &str) -> String {
        self.shared.change(|state| {
            let mut message = Message::new(state.world.clock.next(), known(user), "");
            message.kind = kind::USER_JOIN;
            state.say(known(channel), message, true).to_string()
        })
    }

    /// The author of a message edits it.
    pub fn user_edits(&self, channel: &str, message: &str, text: &str) {
        self.shared.change(|state| {
            let edited = own(state, channel, message);
            text.clone_into(&mut edited.content);
            edited.edited = Some(jiff::Timestamp::now());
            state.tell_message("MESSAGE_UPDATE", known(channel), known(message));
        });
    }

    /// A link in the message got its preview: an update that is no edit.
    pub fn preview_unfurls(&self, channel: &str, message: &str) {
        self.shared.change(|state| {
            let embed = json!({"type": "link", "url": "https://example.org/", "title": "Example"});
            own(state, channel, message).embeds.push(embed);
            state.tell_message("MESSAGE_UPDATE", known(channel), known(message));
        });
    }

    /// The author of a message deletes it.
    pub fn user_deletes(&self, channel: &str, message: &str) {
        self.shared
            .change(|state| state.remove(known(channel), known(message), true));
    }

    /// A moderator deletes many at once.
    pub fn bulk_deletes(&self, channel: &str, messages: &[&str]) {
        self.shared.change(|state| {
            messages
                .iter()
                .for_each(|id| state.remove(known(channel), known(id), false));
            let d = json!({"ids": messages, "channel_id": channel});
            state.tell("MESSAGE_DELETE_BULK", known(channel), Needed::MESSAGES, d);
        });
    }

    /// `user` puts an emoji under a message.
    pub fn user_reacts(&self, channel: &str, message: &str, user: &str, emoji: &str) {
        self.shared.change(|state| {
            let reactions = &mut own(state, channel, message).reactions;
            reactions.entry(emoji.to_owned()).or_default().insert(known(user));
            let author = own(state, channel, message).author.to_string();
            let d = json!({
                "user_id": user, "channel_id": channel, "message_id": message, "message_author_id": author,
                "emoji": {"id": null, "name": emoji}, "burst": false, "type": 0,
            });
            state.tell("MESSAGE_REACTION_ADD", known(channel), Needed::REACTIONS, d);
        });
    }

    /// `user` takes an emoji off a message.
    pub fn user_unreacts(&self, channel: &str, message: &str, user: &str, emoji: &str) {
        self.shared.change(|state| {
            let reactions = &mut own(state, channel, message).reactions;
            reactions
                .entry(emoji.to_owned())
                .or_default()
                .remove(&known(user));
            let d = json!({
                "user_id": user, "channel_id": channel, "message_id": message,
                "emoji": {"id": null, "name": emoji}, "burst": false, "type": 0,
            });
            state.tell("MESSAGE_REACTION_REMOVE", known(channel), Needed::REACTIONS, d);
        });
    }

    /// `user` begins to type.
    pub fn user_types(&self, channel: &str, user: &str) {
        let now = jiff::Timestamp::now().as_second();
        let d = json!({"channel_id": channel, "user_id": user, "timestamp": now});
        self.shared
            .change(|state| state.tell("TYPING_START", known(channel), Needed::TYPING, d));
    }

    /// Sends every session an event, whatever it is.
    pub fn event(&self, event: &str, d: &Value) {
        self.shared
            .change(|state| state.hub.dispatch(event, 0, |_| d.clone()));
    }

    fn write(&self, channel: &str, user: &str, text: &str, told: bool) -> String {
        self.shared.change(|state| {
            let message = Message::new(state.world.clock.next(), known(user), text);
            state.say(known(channel), message, told).to_string()
        })
    }
}

/// # Panics
/// If the channel has no such message: a mistake of the test.
fn own<'s>(state: &'s mut State, channel: &str, message: &str) -> &'s mut Message {
    let found = state
        .world
        .channel(known(channel))
        .messages
        .get_mut(&known(message));
    found.unwrap_or_else(|| panic!("no message {message} in {channel}"))
}
