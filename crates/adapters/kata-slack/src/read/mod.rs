//! From Slack's words to ours: a message, an edit, a deletion, a command, a press or a reaction becomes an [`Inbound`]; everything else
//! (joins, topics, unfurls) is nothing to us.

mod command;
mod message;
mod press;
mod reaction;
mod text;

use std::collections::BTreeSet;

use kata_channel::{
    Attachment, ChannelKey, Disposition, Inbound, Kind, MessageId, OrderKey, Place, Role, Sender, SenderId,
    Text, Timestamp, settings::ReplyIn,
};
use serde_json::{Map, Value};

use crate::{account::Me, names::Lexicon, web::wire::Message};

pub(crate) use command::{command, response_url_until};
pub(crate) use press::{CHOICE, press};
pub(crate) use reaction::{Reaction, reaction};

/// For whom and with what knowledge something is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    /// The channel it is read for.
    pub(crate) channel: &'a ChannelKey,
    /// Where that channel answers.
    pub(crate) reply_in: ReplyIn,
    /// Who we are.
    pub(crate) me: &'a Me,
    /// Names for ids.
    pub(crate) names: &'a Lexicon,
}

/// Where something was said, when the message itself does not tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'a> {
    /// The conversation.
    pub(crate) conversation: &'a str,
    /// The workspace.
    pub(crate) team: &'a str,
    /// Slack itself says that the message addresses us (`app_mention`).
    pub(crate) mention: bool,
}

/// The ids whose names a reader of this message wants.
pub(crate) fn ids(message: &Message, into: &mut BTreeSet<String>) {
    for message in [Some(message), message.message.as_deref()].into_iter().flatten() {
        into.extend(message.user.clone());
        text::ids(message.text.as_deref().unwrap_or_default(), into);
    }
}

/// The same for a slash command.
pub(crate) fn ids_of_command(user: &str, text: &str, into: &mut BTreeSet<String>) {
    into.insert(user.to_owned());
    text::ids(text, into);
}

impl Reader<'_> {
    /// What an event's message means to the channel, if anything.
    pub(crate) fn event(&self, message: &Message, scene: Scene<'_>) -> Option<Inbound> {
        match message.subtype.as_deref() {
            Some("message_changed") => self.changed(message, scene),
            Some("message_deleted") => self.deleted(message, scene),
            _ => self.said(message, scene),
        }
    }

    /// What a message found in history means to the channel. One that was edited is told twice, as the message and
    /// as its edit: the message may be waiting here with its older text (D7).
    pub(crate) fn history(&self, message: &Message, scene: Scene<'_>) -> Vec<Inbound> {
        if message.subtype.as_deref() == Some("tombstone") {
            return message
                .ts
                .as_deref()
                .and_then(|ts| self.deletion(ts, message, scene))
                .into_iter()
                .collect();
        }
        let Some(said) = self.said(message, scene) else {
            return Vec::new();
        };
        let edit = edited(message).map(|edited| Inbound {
            kind: Kind::Edit { edited },
            ..said.clone()
        });
        std::iter::once(said).chain(edit).collect()
    }

    fn inbound(
        &self,
        place: Place,
        id: &str,
        order: OrderKey,
        sent_at: Timestamp,
        scene: Scene<'_>,
    ) -> Inbound {
        let mut metadata = Map::new();
        metadata.insert("slackChannel".into(), Value::from(scene.conversation));
        metadata.insert("team".into(), Value::from(scene.team));
        if let Some(thread) = &place.thread {
            metadata.insert("threadTs".into(), Value::from(thread.as_str()));
        }
        Inbound {
            channel: self.channel.clone(),
            place,
            id: MessageId::new(id),
            order,
            kind: Kind::Message,
            sender: Sender {
                id: SenderId::new(""),
                name: None,
                is_bot: false,
                is_self: false,
            },
            text: Text::default(),
            mentions_us: false,
            is_direct: is_direct(scene.conversation),
            sent_at,
            attachments: Vec::<Attachment>::new(),
            metadata,
            role: Role::Stranger,
            disposition: Disposition::Turn,
            not_before: None,
        }
    }

    fn read_text(&self, raw: &str) -> (Text, bool) {
        text::read(raw, self.me, self.names)
    }
}

/// Slack's ids say what they name: a `D` is a conversation of two.
fn is_direct(conversation: &str) -> bool {
    conversation.starts_with('D')
}

fn edited(message: &Message) -> Option<OrderKey> {
    message
        .edited
        .as_ref()
        .and_then(|edited| crate::ts::order(&edited.ts))
}
