//! Messages, their edits and their deletions: <https://docs.slack.dev/reference/events/message>.

use kata_channel::{Attachment, Inbound, Kind, Place, Sender, SenderId, settings::ReplyIn};

use super::{Reader, Scene, edited};
use crate::{
    ts,
    web::wire::{File, Message, Unfurl},
};

/// Subtypes that are somebody's words. The others report that something happened.
const SPOKEN: [&str; 4] = ["file_share", "thread_broadcast", "me_message", "bot_message"];

impl Reader<'_> {
    /// Somebody said something.
    pub(super) fn said(&self, message: &Message, scene: Scene<'_>) -> Option<Inbound> {
        let spoken = message
            .subtype
            .as_deref()
            .is_none_or(|subtype| subtype.is_empty() || SPOKEN.contains(&subtype));
        if !spoken || message.hidden == Some(true) {
            return None;
        }
        let id = message.ts.as_deref()?;
        let place = self.place(id, message.thread_ts.as_deref(), scene.conversation);
        let (text, mentioned) = self.read_text(&raw_text(message));
        Some(Inbound {
            sender: self.sender(message),
            text,
            mentions_us: mentioned || scene.mention,
            attachments: attachments(message),
            ..self.inbound(place, id, ts::order(id)?, ts::time(id)?, scene)
        })
    }

    /// A message has a new text, or is a tombstone in the place of one with replies. Slack reports link previews and
    /// reply counts as changes too: those carry no edit time, or the one of the last edit, which changes nothing (D7).
    pub(super) fn changed(&self, message: &Message, scene: Scene<'_>) -> Option<Inbound> {
        let now = message.message.as_deref()?;
        if now.subtype.as_deref() == Some("tombstone") {
            let before = message.previous_message.as_deref().unwrap_or(now);
            return self.deletion(now.ts.as_deref()?, before, scene);
        }
        let kind = Kind::Edit { edited: edited(now)? };
        self.said(
            &Message {
                hidden: None,
                ..now.clone()
            },
            scene,
        )
        .map(|said| Inbound { kind, ..said })
    }

    /// A message was deleted.
    pub(super) fn deleted(&self, message: &Message, scene: Scene<'_>) -> Option<Inbound> {
        let before = message.previous_message.as_deref().unwrap_or(message);
        self.deletion(message.deleted_ts.as_deref()?, before, scene)
    }

    pub(super) fn deletion(&self, id: &str, before: &Message, scene: Scene<'_>) -> Option<Inbound> {
        let place = self.place(id, before.thread_ts.as_deref(), scene.conversation);
        let inbound = self.inbound(place, id, ts::order(id)?, ts::time(id)?, scene);
        Some(Inbound {
            kind: Kind::Deletion,
            sender: self.sender(before),
            ..inbound
        })
    }

    /// The first message of a thread carries its own `ts` as `thread_ts` once there are replies; it belongs to the
    /// conversation, as it did before them. With `replyIn: thread` every message opens a thread, so that its answer
    /// and all that follows are one session.
    fn place(&self, id: &str, thread: Option<&str>, conversation: &str) -> Place {
        match thread.filter(|thread| !thread.is_empty() && *thread != id) {
            Some(thread) => Place::thread(conversation, thread),
            None if self.reply_in == ReplyIn::Thread => Place::thread(conversation, id),
            None => Place::conversation(conversation),
        }
    }

    fn sender(&self, message: &Message) -> Sender {
        let user = message.user.as_deref().filter(|id| !id.is_empty());
        let bot = message.bot_id.as_deref().filter(|id| !id.is_empty());
        let profile = message
            .bot_profile
            .as_ref()
            .and_then(|profile| profile.name.clone());
        let known = user.and_then(|id| self.names.get(id).cloned());
        let name = known
            .or_else(|| message.username.clone())
            .or(profile)
            .filter(|name| !name.is_empty());
        let is_self =
            user.is_some_and(|id| id == self.me.user) || bot.is_some() && bot == self.me.bot.as_deref();
        let is_bot = is_self || bot.is_some() || message.subtype.as_deref() == Some("bot_message");
        Sender {
            id: SenderId::new(user.or(bot).unwrap_or_default()),
            name,
            is_bot,
            is_self,
        }
    }
}

/// A forwarded message, or an integration's, has its words in the attachments alone.
fn raw_text(message: &Message) -> String {
    let text = message.text.clone().unwrap_or_default();
    if !text.is_empty() {
        return text;
    }
    let shown = |unfurl: &Unfurl| {
        unfurl
            .text
            .clone()
            .or_else(|| unfurl.fallback.clone())
            .filter(|t| !t.is_empty())
    };
    message
        .attachments
        .iter()
        .flatten()
        .filter_map(shown)
        .collect::<Vec<_>>()
        .join("\n")
}

fn attachments(message: &Message) -> Vec<Attachment> {
    message.files.iter().flatten().filter_map(attachment).collect()
}

/// A file that was deleted or lies beyond the plan's limit is named by Slack, but there is nothing to fetch.
fn attachment(file: &File) -> Option<Attachment> {
    if matches!(file.mode.as_deref(), Some("tombstone" | "hidden_by_limit")) {
        return None;
    }
    let id = file.id.clone().filter(|id| !id.is_empty())?;
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    Some(Attachment {
        name: given(&file.name)
            .or_else(|| given(&file.title))
            .unwrap_or_else(|| id.clone()),
        mime_type: given(&file.mimetype),
        size: file.size,
        url: given(&file.url_private_download).or_else(|| given(&file.url_private)),
        id,
    })
}
