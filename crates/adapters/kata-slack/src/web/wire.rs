//! Slack's JSON as far as we read it. Everything that Slack might leave out is optional, everything else is ignored.

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

/// A message, in an event and in history alike: <https://docs.slack.dev/reference/events/message>.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Message {
    pub(crate) subtype: Option<String>,
    pub(crate) hidden: Option<bool>,
    pub(crate) ts: Option<String>,
    pub(crate) thread_ts: Option<String>,
    pub(crate) channel: Option<String>,
    pub(crate) channel_type: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) bot_id: Option<String>,
    pub(crate) bot_profile: Option<BotProfile>,
    pub(crate) text: Option<String>,
    pub(crate) edited: Option<Edited>,
    pub(crate) files: Option<Vec<File>>,
    pub(crate) attachments: Option<Vec<Unfurl>>,
    pub(crate) metadata: Option<Metadata>,
    pub(crate) latest_reply: Option<String>,
    /// The message as it is now (`message_changed`).
    pub(crate) message: Option<Box<Message>>,
    /// The message as it was (`message_changed`, `message_deleted`).
    pub(crate) previous_message: Option<Box<Message>>,
    pub(crate) deleted_ts: Option<String>,
}

/// Who a bot is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct BotProfile {
    pub(crate) name: Option<String>,
}

/// When a person last changed a message.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Edited {
    pub(crate) ts: String,
}

/// A file that was shared: <https://docs.slack.dev/reference/objects/file-object>.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct File {
    pub(crate) id: Option<String>,
    pub(crate) mode: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) mimetype: Option<String>,
    pub(crate) size: Option<u64>,
    pub(crate) url_private: Option<String>,
    pub(crate) url_private_download: Option<String>,
}

/// What Slack calls a message attachment: a forwarded message, or an integration's text.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Unfurl {
    pub(crate) text: Option<String>,
    pub(crate) fallback: Option<String>,
}

/// What an app wrote on its message, other apps' shapes included.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Metadata {
    pub(crate) event_type: Option<String>,
    pub(crate) event_payload: Value,
}

/// The press of a button of ours, out of a `block_actions` payload:
/// <https://docs.slack.dev/reference/interaction-payloads/block_actions-payload>.
#[derive(Clone, Debug)]
pub(crate) struct Press {
    pub(crate) conversation: String,
    /// Slack calls the conversation a direct message.
    pub(crate) is_direct: bool,
    pub(crate) team: Option<String>,
    /// The message that has the button.
    pub(crate) message: String,
    pub(crate) thread: Option<String>,
    pub(crate) user: String,
    pub(crate) action: String,
    /// What the button says.
    pub(crate) says: String,
    /// When it was pressed, as a `ts`.
    pub(crate) at: String,
}

/// Answer of `conversations.history` and `conversations.replies`. `ok` is demanded: an answer that is no JSON at all
/// (a captive portal) reaches us as `{}`.
#[derive(Debug, Deserialize)]
pub(crate) struct History {
    #[serde(rename = "ok")]
    _ok: bool,
    messages: Vec<Box<RawValue>>,
    #[serde(default)]
    pub(crate) has_more: bool,
    #[serde(default)]
    response_metadata: Option<PageMetadata>,
}

/// Answer of `users.conversations`.
#[derive(Debug, Deserialize)]
pub(crate) struct Conversations {
    pub(crate) channels: Vec<Conversation>,
    #[serde(default)]
    response_metadata: Option<PageMetadata>,
}

/// A conversation, named or not.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Conversation {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: Option<String>,
}

/// Answer of `conversations.info`.
#[derive(Debug, Deserialize)]
pub(crate) struct ConversationInfo {
    pub(crate) channel: Conversation,
}

/// Answer of `users.info`.
#[derive(Debug, Deserialize)]
pub(crate) struct UserInfo {
    pub(crate) user: User,
}

/// A person or bot.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct User {
    pub(crate) name: Option<String>,
    pub(crate) real_name: Option<String>,
    pub(crate) profile: Profile,
}

/// How a person wants to be called.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Profile {
    pub(crate) display_name: Option<String>,
    pub(crate) real_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PageMetadata {
    next_cursor: Option<String>,
}

/// Answer of `auth.test`: <https://docs.slack.dev/reference/methods/auth.test>.
#[derive(Debug, Deserialize)]
pub(crate) struct AuthTest {
    pub(crate) ok: bool,
    #[serde(default)]
    pub(crate) error: Option<String>,
    #[serde(default)]
    pub(crate) user_id: String,
    #[serde(default)]
    pub(crate) user: Option<String>,
    #[serde(default)]
    pub(crate) bot_id: Option<String>,
    #[serde(default)]
    pub(crate) team_id: String,
    #[serde(default)]
    pub(crate) enterprise_id: Option<String>,
}

/// Answer of `apps.connections.open`.
#[derive(Deserialize)]
pub(crate) struct ConnectionsOpen {
    pub(crate) url: url::Url,
}

/// Answer of `chat.postMessage`.
#[derive(Debug, Deserialize)]
pub(crate) struct Posted {
    pub(crate) ts: String,
}

/// An answer of which only `ok` matters.
#[derive(Debug, Deserialize)]
pub(crate) struct Done {
    #[serde(rename = "ok")]
    _ok: bool,
}

/// An answer of which nothing matters.
#[derive(Debug, Deserialize)]
pub(crate) struct Nothing {}

// === impl History ===

impl History {
    /// The messages that can be read. One that cannot is passed over: it could not be read the next time either, and
    /// everything after it would wait for ever.
    pub(crate) fn messages(&self) -> Vec<Message> {
        let read = self
            .messages
            .iter()
            .filter_map(|raw| match serde_json::from_str(raw.get()) {
                Ok(message) => Some(message),
                Err(error) => {
                    tracing::debug!(
                        line = error.line(),
                        column = error.column(),
                        "a message in history cannot be read"
                    );
                    None
                }
            });
        read.collect()
    }

    pub(crate) fn next_cursor(&self) -> Option<&str> {
        self.response_metadata.as_ref().and_then(PageMetadata::next)
    }
}

// === impl Conversations ===

impl Conversations {
    pub(crate) fn next_cursor(&self) -> Option<&str> {
        self.response_metadata.as_ref().and_then(PageMetadata::next)
    }
}

impl PageMetadata {
    fn next(&self) -> Option<&str> {
        self.next_cursor.as_deref().filter(|cursor| !cursor.is_empty())
    }
}

/// The scopes that a `missing_scope` answer names.
pub(crate) fn needed(body: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Needed {
        needed: Option<String>,
    }
    serde_json::from_str::<Needed>(body)
        .ok()?
        .needed
        .filter(|scopes| !scopes.is_empty())
}
