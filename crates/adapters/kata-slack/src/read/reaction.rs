//! Reactions: <https://docs.slack.dev/reference/events/reaction_added>. One that was taken off is nothing to us.

use kata_channel::{
    Emoji, Inbound, Kind, MessageId, OrderKey, Place, Sender, SenderId, Text, Timestamp, reaction_id,
};
use serde::Deserialize;

use super::{Reader, Scene};
use crate::ts;

/// A `reaction_added`, as far as it is one on a message.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Reaction {
    user: String,
    reaction: String,
    item: Item,
    #[serde(default)]
    event_ts: String,
}

/// What was reacted to: a message, else (of old) a file.
#[derive(Clone, Debug, Deserialize)]
struct Item {
    channel: String,
    ts: String,
}

impl Reaction {
    /// Where the message stands.
    pub(crate) fn conversation(&self) -> &str {
        &self.item.channel
    }
}

/// A reaction as a message that says the emoji. Its place is the conversation: Slack does not say in which thread.
pub(crate) fn reaction(reaction: &Reaction, reader: &Reader<'_>, now: Timestamp) -> Inbound {
    let scene = Scene {
        conversation: reaction.conversation(),
        team: &reader.me.team,
        mention: false,
    };
    let (on, by) = (MessageId::new(&*reaction.item.ts), SenderId::new(&*reaction.user));
    let emoji = Emoji::named(&reaction.reaction);
    let id = reaction_id(&on, &emoji, &by, &reaction.event_ts);
    let order = ts::order(&reaction.event_ts).unwrap_or(OrderKey(now.as_millis().saturating_mul(1_000)));
    let sent_at = ts::time(&reaction.event_ts).unwrap_or(now);
    let place = Place::conversation(scene.conversation);
    Inbound {
        text: Text::plain(emoji.as_str()),
        kind: Kind::Reaction { on, emoji },
        sender: Sender {
            name: reader.names.get(&reaction.user).cloned(),
            is_bot: false,
            is_self: reaction.user == reader.me.user,
            id: by,
        },
        ..reader.inbound(place, id.as_str(), order, sent_at, scene)
    }
}
