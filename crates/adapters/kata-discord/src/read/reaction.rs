//! Reactions: <https://docs.discord.com/developers/events/gateway-events#message-reaction-add>.

use kata_channel::{
    Emoji, Inbound, Kind, MessageId, OrderKey, Sender, SenderId, Text, Timestamp, reaction_id,
};

use super::{Reader, Scene, message::shown};
use crate::{rest::wire::Reaction, snowflake};

impl Reader<'_> {
    /// Somebody put a reaction on a message. Discord gives it neither an id nor a time; `occurrence` tells one that is put on again from
    /// the one before.
    pub(crate) fn reacted(
        &self,
        reaction: &Reaction,
        occurrence: &str,
        scene: Scene<'_>,
        now: Timestamp,
    ) -> Option<Inbound> {
        let name = reaction.emoji.name.as_deref().filter(|name| !name.is_empty())?;
        // A server's own emoji has an id, and a name that means nothing elsewhere.
        let emoji = match reaction.emoji.id {
            Some(_) => Emoji::named(name),
            None => Emoji::new(name),
        };
        let on = MessageId::new(reaction.message_id.as_str());
        let user = reaction.member.as_ref().and_then(|member| member.user.as_ref());
        let nick = reaction.member.as_ref().and_then(|member| member.nick.as_deref());
        let by = SenderId::new(reaction.user_id.as_str());
        let is_self = reaction.user_id == self.me.user;
        let id = reaction_id(&on, &emoji, &by, occurrence);
        let order = snowflake::order(&snowflake::at(now)).unwrap_or(OrderKey(0));
        Some(Inbound {
            kind: Kind::Reaction { on, emoji },
            sender: Sender {
                id: by,
                name: user.map(|user| shown(nick, user)).filter(|name| !name.is_empty()),
                is_bot: is_self || user.is_some_and(|user| user.bot),
                is_self,
            },
            text: Text::plain(name),
            ..self.inbound(id.as_str(), order, now, scene)
        })
    }
}

#[cfg(test)]
mod tests {
    use kata_channel::{ChannelKey, Place, settings::ReplyIn};
    use serde_json::json;

    use super::*;
    use crate::{account::Me, atlas::Atlas};

    #[test]
    fn a_reaction_names_its_message_and_whoever_reacted() {
        // The fields of <https://docs.discord.com/developers/events/gateway-events#message-reaction-add>.
        let reaction: Reaction = serde_json::from_value(json!({
            "user_id": "5", "channel_id": "2", "message_id": "334385199974967042", "guild_id": "1",
            "member": {"user": {"id": "5", "username": "ada"}, "nick": "Ada"},
            "emoji": {"id": null, "name": "🔁"}, "burst": false, "type": 0,
        }))
        .unwrap();
        let (atlas, key, me) = (Atlas::default(), ChannelKey::new("w", "a"), Me::default());
        let reader = Reader {
            channel: &key,
            reply_in: ReplyIn::Auto,
            me: &me,
            atlas: &atlas,
        };
        let place = Place::conversation("2");
        let scene = Scene {
            place: &place,
            guild: Some("1"),
        };
        let read = |reaction: &Reaction, occurrence| {
            reader.reacted(reaction, occurrence, scene, Timestamp::from_millis(5))
        };
        let said = read(&reaction, "s/1").unwrap();
        assert_ne!(
            read(&reaction, "s/3").unwrap().id,
            said.id,
            "put on again it is another"
        );
        assert!(
            matches!(&said.kind, Kind::Reaction { on, emoji } if on.as_str() == "334385199974967042" && *emoji == Emoji::new("🔁"))
        );
        assert_eq!(
            (said.sender.id.as_str(), said.sender.name.as_deref()),
            ("5", Some("Ada"))
        );
        assert_eq!(
            read(&reaction, "s/1"),
            Some(said),
            "delivered twice it is the same"
        );
        assert_eq!(read(&Reaction::default(), ""), None);
    }
}
