//! Discord's objects. <https://docs.discord.com/developers/resources/message#message-object>

use serde_json::{Map, Value, json};

use super::{
    id::{self, Id},
    world::{APP, BOT, Channel, ChannelKind, File, GUILD, Message, OTHER_BOT, User, World},
};

/// The world as one app sees it.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) world: &'a World,
    /// Where files are downloaded.
    pub(crate) base: &'a str,
    /// The app may read what people write to each other.
    /// <https://docs.discord.com/developers/events/gateway#message-content-intent>
    pub(crate) content: bool,
}

pub(crate) fn text(id: Id) -> Value {
    id.to_string().into()
}

pub(crate) fn user(user: &User) -> Value {
    let mut out = json!({
        "id": user.id.to_string(), "username": user.name, "discriminator": "0", "global_name": null, "avatar": null,
        "public_flags": 0, "flags": 0, "primary_guild": null, "banner": null, "accent_color": null,
        "avatar_decoration_data": null, "collectibles": null,
    });
    if user.is_bot {
        out["bot"] = true.into();
        out["discriminator"] = "0042".into();
    }
    out
}

pub(crate) fn member(roles: &[Id]) -> Value {
    json!({
        "roles": roles.iter().map(|r| text(*r)).collect::<Vec<_>>(), "joined_at": "2024-01-01T00:00:00.000000+00:00",
        "deaf": false, "mute": false, "flags": 0, "nick": null, "avatar": null, "banner": null,
        "premium_since": null, "pending": false, "communication_disabled_until": null,
    })
}

/// A time as Discord writes it.
pub(crate) fn time(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}

impl View<'_> {
    pub(crate) fn user(&self, id: Id) -> Value {
        let unknown = || User {
            id,
            name: "Deleted User".into(),
            is_bot: false,
        };
        let found = self.world.users.get(&id);
        user(&found.cloned().unwrap_or_else(unknown))
    }

    fn author(&self, message: &Message) -> Value {
        match message.webhook {
            // An interaction's answer is written by the app's bot; a webhook has a name and no account.
            Some(webhook) if webhook != APP => json!({
                "id": webhook.to_string(), "username": "deploys", "discriminator": "0000", "global_name": null,
                "avatar": null, "public_flags": 0, "flags": 0, "bot": true, "primary_guild": null,
            }),
            _ => self.user(message.author),
        }
    }

    /// Whom it mentions: by name, and by a reply that pings.
    fn mentioned(&self, channel: &Channel, message: &Message) -> Vec<Id> {
        let mut mentioned = message.mentioned(&["@", "@!"]);
        mentioned.retain(|id| self.world.users.contains_key(id));
        let replied = message.replies_to.filter(|_| message.pings);
        if let Some(to) = replied.and_then(|id| channel.messages.get(&id))
            && !mentioned.contains(&to.author)
        {
            mentioned.push(to.author);
        }
        mentioned
    }

    /// Without the intent an app reads its own words, direct messages, and what mentions it.
    fn may_read(&self, channel: &Channel, message: &Message) -> bool {
        self.content
            || channel.is_dm()
            || message.author == BOT
            || self.mentioned(channel, message).contains(&BOT)
    }

    pub(crate) fn message(&self, channel: &Channel, message: &Message) -> Value {
        let mut out = self.plain(channel, message);
        if let Some(to) = message.replies_to {
            let referenced = channel.messages.get(&to);
            out["referenced_message"] = referenced.map_or(Value::Null, |to| self.plain(channel, to));
        }
        out
    }

    /// Without the message that it replies to: that is told once, and not in turn.
    fn plain(&self, channel: &Channel, message: &Message) -> Value {
        let readable = self.may_read(channel, message);
        let mentions: Vec<Value> = self
            .mentioned(channel, message)
            .into_iter()
            .map(|id| self.user(id))
            .collect();
        let roles: Vec<Value> = message.mentioned(&["@&"]).into_iter().map(text).collect();
        let mut out = json!({
            "id": message.id.to_string(), "channel_id": channel.id.to_string(), "type": message.kind,
            "author": self.author(message), "content": "", "timestamp": time(id::moment(message.id)),
            "edited_timestamp": message.edited.map(time), "tts": false, "mention_everyone": false,
            "mentions": mentions, "mention_roles": roles, "attachments": [], "embeds": [], "components": [],
            "pinned": false, "flags": message.flags,
        });
        let object = out.as_object_mut().expect("an object");
        if readable {
            self.content_of(channel, message, object);
        }
        self.origin(channel, message, object);
        if !message.reactions.is_empty() {
            object.insert("reactions".into(), reactions(message));
        }
        if let Some(thread) = self.world.channels.get(&message.id) {
            object.insert("thread".into(), self.channel(thread));
        }
        out
    }

    fn content_of(&self, channel: &Channel, message: &Message, out: &mut Map<String, Value>) {
        out["content"] = message.content.as_str().into();
        out["embeds"] = message.embeds.as_slice().into();
        out["components"] = message.components.as_slice().into();
        let files = message.files.iter().map(|f| self.attachment(channel.id, f));
        out["attachments"] = files.collect();
    }

    /// Where it comes from: a webhook, an interaction, a reply.
    fn origin(&self, channel: &Channel, message: &Message, out: &mut Map<String, Value>) {
        if let Some(webhook) = message.webhook {
            out.insert("webhook_id".into(), text(webhook));
        }
        if matches!(message.author, BOT | OTHER_BOT) {
            let app = if message.author == BOT { APP } else { OTHER_BOT };
            out.insert("application_id".into(), text(app));
        }
        if let Some((id, kind, user)) = message.interaction {
            let metadata = json!({
                "id": id.to_string(), "type": kind, "user": self.user(user), "authorizing_integration_owners": {},
            });
            out.insert("interaction_metadata".into(), metadata);
        }
        if let Some(to) = message.replies_to {
            let mut reference =
                json!({"type": 0, "channel_id": channel.id.to_string(), "message_id": to.to_string()});
            if !channel.is_dm() {
                reference["guild_id"] = text(GUILD);
            }
            out.insert("message_reference".into(), reference);
        }
    }

    /// A link into the CDN is signed and ends.
    /// <https://docs.discord.com/developers/reference#signed-attachment-cdn-urls>
    pub(crate) fn attachment(&self, channel: Id, file: &File) -> Value {
        let path = format!("{}/attachments/{channel}/{}/{}", self.base, file.id, file.name);
        let url = format!("{path}?ex=7fffffff&is=60000000&hm={:064x}", file.id);
        json!({
            "id": file.id.to_string(), "filename": file.name, "size": file.content.len(), "url": url,
            "proxy_url": url, "content_type": file.mimetype,
        })
    }

    /// The message of an event says where it was written and by what member.
    pub(crate) fn event(&self, channel: &Channel, message: &Message) -> Value {
        let mut out = self.message(channel, message);
        if let Some(nonce) = &message.nonce {
            out["nonce"] = nonce.clone();
        }
        if !channel.is_dm() {
            out["guild_id"] = text(GUILD);
            if message.webhook.is_none() {
                out["member"] = member(&[]);
            }
        }
        out
    }

    pub(crate) fn channel(&self, channel: &Channel) -> Value {
        let last = channel.newest().map(text);
        if let Some(recipient) = channel.recipient {
            return json!({
                "id": channel.id.to_string(), "type": 1, "flags": 0, "last_message_id": last,
                "recipients": [self.user(recipient)],
            });
        }
        let mut out = json!({
            "id": channel.id.to_string(), "type": channel.kind.number(), "flags": 0, "last_message_id": last,
            "guild_id": GUILD.to_string(), "name": channel.name, "parent_id": channel.parent.map(text),
            "rate_limit_per_user": 0,
        });
        let more = match &channel.thread {
            Some(_) => self.thread(channel),
            None => json!({
                "position": 0, "nsfw": false, "topic": null, "permission_overwrites": [], "last_pin_timestamp": null,
            }),
        };
        if let (Some(out), Value::Object(more)) = (out.as_object_mut(), more) {
            out.extend(more);
        }
        if channel.kind == ChannelKind::Forum {
            out["available_tags"] = json!([]);
        }
        out
    }

    fn thread(&self, channel: &Channel) -> Value {
        let thread = channel.thread.as_ref().expect("the caller looked");
        // The message that a thread began with is not counted.
        let count = channel.messages.keys().filter(|id| **id != channel.id).count();
        json!({
            "owner_id": thread.owner.to_string(), "message_count": count, "total_message_sent": count,
            "member_count": 1,
            "thread_metadata": {
                "archived": thread.archived, "locked": thread.locked, "auto_archive_duration": 4320,
                "archive_timestamp": time(thread.turned), "create_timestamp": time(id::moment(channel.id)),
            },
        })
    }
}

fn reactions(message: &Message) -> Value {
    let count = |(emoji, by): (&String, &std::collections::BTreeSet<Id>)| {
        json!({
            "emoji": {"id": null, "name": emoji}, "count": by.len(), "me": by.contains(&BOT), "me_burst": false,
            "count_details": {"burst": 0, "normal": by.len()}, "burst_colors": [],
        })
    };
    message.reactions.iter().map(count).collect()
}
