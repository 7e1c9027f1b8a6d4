//! Of what Discord sends, the fields that we read. Whatever is missing or odd elsewhere in an object is no reason to lose it.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::value::RawValue;

/// A message: <https://docs.discord.com/developers/resources/message#message-object>.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) channel_id: String,
    /// In events alone.
    pub(crate) guild_id: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: u64,
    pub(crate) content: String,
    pub(crate) flags: u64,
    pub(crate) author: Option<User>,
    /// In events alone.
    pub(crate) member: Option<Member>,
    pub(crate) webhook_id: Option<String>,
    pub(crate) edited_timestamp: Option<String>,
    pub(crate) mentions: Vec<Mention>,
    pub(crate) mention_roles: Vec<String>,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) message_reference: Option<Reference>,
    pub(crate) referenced_message: Option<Box<Referenced>>,
    /// What was forwarded.
    pub(crate) message_snapshots: Vec<Snapshot>,
    pub(crate) nonce: Option<Nonce>,
}

/// We only send texts; others may send numbers.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Nonce {
    Text(String),
    Other(serde::de::IgnoredAny),
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) username: String,
    pub(crate) global_name: Option<String>,
    pub(crate) bot: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Member {
    pub(crate) nick: Option<String>,
    pub(crate) roles: Vec<String>,
    pub(crate) user: Option<User>,
}

/// Somebody who is mentioned; in events with what they are called there.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Mention {
    #[serde(flatten)]
    pub(crate) user: User,
    pub(crate) member: Option<Box<Member>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Reference {
    /// 0 = a reply, 1 = a forward.
    #[serde(rename = "type")]
    pub(crate) kind: u64,
    pub(crate) message_id: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Referenced {
    pub(crate) author: Option<User>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Snapshot {
    pub(crate) message: Forwarded,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Forwarded {
    pub(crate) content: String,
    pub(crate) attachments: Vec<Attachment>,
}

/// <https://docs.discord.com/developers/resources/message#attachment-object>
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Attachment {
    pub(crate) id: String,
    pub(crate) filename: String,
    pub(crate) content_type: Option<String>,
    pub(crate) size: Option<u64>,
    pub(crate) url: Option<String>,
}

/// A channel or a thread: <https://docs.discord.com/developers/resources/channel#channel-object>.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Channel {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: u64,
    pub(crate) guild_id: Option<String>,
    pub(crate) parent_id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) last_message_id: Option<String>,
    /// Of a direct conversation: whoever is not the bot.
    #[serde(deserialize_with = "readable")]
    pub(crate) recipients: Vec<User>,
    pub(crate) thread_metadata: Option<ThreadMetadata>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ThreadMetadata {
    pub(crate) archive_timestamp: Option<String>,
}

/// Lists of threads.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Threads {
    #[serde(deserialize_with = "readable")]
    pub(crate) threads: Vec<Channel>,
    pub(crate) has_more: bool,
}

/// A server, as the event `GUILD_CREATE` and the REST API tell of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Guild {
    pub(crate) id: String,
    pub(crate) unavailable: bool,
    #[serde(deserialize_with = "readable")]
    pub(crate) channels: Vec<Channel>,
    #[serde(deserialize_with = "readable")]
    pub(crate) threads: Vec<Channel>,
    #[serde(deserialize_with = "readable")]
    pub(crate) roles: Vec<Role>,
    /// In the event, ours is among them.
    #[serde(deserialize_with = "readable")]
    pub(crate) members: Vec<Member>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Role {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// <https://docs.discord.com/developers/resources/application#application-object>
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Application {
    pub(crate) id: String,
    pub(crate) flags: u64,
    pub(crate) interactions_endpoint_url: Option<String>,
}

/// <https://docs.discord.com/developers/events/gateway#get-gateway-bot>
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct GatewayBot {
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) session_start_limit: Option<SessionStarts>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct SessionStarts {
    pub(crate) remaining: u64,
    /// Milliseconds.
    pub(crate) reset_after: u64,
}

/// Something that was made, and its id.
#[derive(Debug, Deserialize)]
pub(crate) struct Made {
    pub(crate) id: String,
}

/// <https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-object>
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Interaction {
    pub(crate) id: String,
    /// 2 = a command, 3 = a component.
    #[serde(rename = "type")]
    pub(crate) kind: u64,
    pub(crate) application_id: String,
    pub(crate) token: String,
    pub(crate) data: InteractionData,
    pub(crate) guild_id: Option<String>,
    pub(crate) channel_id: Option<String>,
    pub(crate) channel: Option<Channel>,
    /// In a server.
    pub(crate) member: Option<Member>,
    /// In a direct conversation.
    pub(crate) user: Option<User>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct InteractionData {
    pub(crate) name: String,
    pub(crate) options: Vec<CommandOption>,
    pub(crate) custom_id: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CommandOption {
    pub(crate) name: String,
    pub(crate) value: Option<serde_json::Value>,
    pub(crate) options: Vec<CommandOption>,
}

/// A slash command that is registered.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Command {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) options: Vec<DeclaredOption>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct DeclaredOption {
    pub(crate) name: String,
    pub(crate) description: String,
}

/// <https://docs.discord.com/developers/events/gateway-events#message-reaction-add>
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Reaction {
    pub(crate) user_id: String,
    pub(crate) channel_id: String,
    pub(crate) message_id: String,
    pub(crate) guild_id: Option<String>,
    /// In a server.
    pub(crate) member: Option<Member>,
    pub(crate) emoji: ReactionEmoji,
}

/// The character itself, or the name of a server's own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ReactionEmoji {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
}

/// A list whose odd members are left out. For lists of what surrounds us; a message that cannot be read is never left out
/// unseen, see [`Page`].
pub(crate) fn readable<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let all = Option::<Vec<serde_json::Value>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(all
        .into_iter()
        .filter_map(|one| serde_json::from_value(one).ok())
        .collect())
}

/// A page of messages. One that cannot be read as a whole keeps its id, so that history goes on behind it.
#[derive(Debug)]
pub(crate) struct Page(pub(crate) Vec<Message>);

#[derive(Default, Deserialize)]
#[serde(default)]
struct Bare {
    id: String,
    channel_id: String,
}

impl<'de> Deserialize<'de> for Page {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = Vec::<Box<RawValue>>::deserialize(deserializer)?;
        let read = |one: &RawValue| {
            serde_json::from_str(one.get()).unwrap_or_else(|_| {
                tracing::debug!(bytes = one.get().len(), "a message of discord's cannot be read");
                let bare: Bare = serde_json::from_str(one.get()).unwrap_or_default();
                // A kind that is nobody's words.
                Message {
                    id: bare.id,
                    channel_id: bare.channel_id,
                    kind: u64::MAX,
                    ..Message::default()
                }
            })
        };
        Ok(Self(all.iter().map(|one| read(one)).collect()))
    }
}

// === impl User ===

impl User {
    /// What people see.
    pub(crate) fn shown(&self) -> &str {
        self.global_name
            .as_deref()
            .filter(|name| !name.is_empty())
            .unwrap_or(&self.username)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_odd_message_does_not_hide_the_others() {
        let page: Page = serde_json::from_str(
            r#"[{"id": "3", "channel_id": "9", "content": ["odd"]}, {"id": "2", "channel_id": "9", "content": "hi"}]"#,
        )
        .unwrap();
        let [odd, good] = &page.0[..] else {
            panic!("{page:?}")
        };
        assert_eq!((&*odd.id, odd.kind), ("3", u64::MAX));
        assert_eq!((&*good.id, &*good.content, good.kind), ("2", "hi", 0));
    }

    #[test]
    fn an_odd_channel_does_not_hide_its_server() {
        let guild: Guild =
            serde_json::from_str(r#"{"id": "1", "channels": [{"id": 7}, {"id": "8"}], "threads": null}"#)
                .unwrap();
        assert_eq!(guild.channels.len(), 1);
        assert!(guild.threads.is_empty());
    }
}
