//! From Discord's words to ours: a message, an edit, a deletion, a command or a press becomes an [`Inbound`]; everything else (joins,
//! pins, embeds that unfold) is nothing to us.

mod interaction;
mod message;
mod reaction;
mod text;

use kata_channel::{
    Attachment, ChannelKey, Disposition, Inbound, Kind, MessageId, OrderKey, Place, Role, Sender, SenderId,
    Text, Timestamp, settings::ReplyIn,
};
use serde_json::{Map, Value};

use crate::{account::Me, atlas::Atlas};

pub(crate) use interaction::{CHOICE, interaction, is_press, response_url, response_url_until};
pub(crate) use message::MessageRef;

/// For whom and with what knowledge something is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    /// The channel it is read for.
    pub(crate) channel: &'a ChannelKey,
    /// Where that channel answers.
    pub(crate) reply_in: ReplyIn,
    /// Who we are.
    pub(crate) me: &'a Me,
    /// Names and roles.
    pub(crate) atlas: &'a Atlas,
}

/// Where something was said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'a> {
    /// The place.
    pub(crate) place: &'a Place,
    /// The server; none = a direct conversation.
    pub(crate) guild: Option<&'a str>,
}

/// The channel or thread that Discord knows a place by.
pub(crate) fn channel(place: &Place) -> &str {
    place
        .thread
        .as_ref()
        .map_or(place.conversation.as_str(), |thread| thread.as_str())
}

impl Reader<'_> {
    fn inbound(&self, id: &str, order: OrderKey, sent_at: Timestamp, scene: Scene<'_>) -> Inbound {
        let mut metadata = Map::new();
        metadata.insert("discordChannel".into(), Value::from(channel(scene.place)));
        if let Some(guild) = scene.guild {
            metadata.insert("guild".into(), Value::from(guild));
        }
        Inbound {
            channel: self.channel.clone(),
            place: scene.place.clone(),
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
            is_direct: scene.guild.is_none(),
            sent_at,
            attachments: Vec::<Attachment>::new(),
            metadata,
            role: Role::Stranger,
            disposition: Disposition::Turn,
            not_before: None,
        }
    }
}
