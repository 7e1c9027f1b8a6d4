//! Messages, their edits and their deletions: <https://docs.discord.com/developers/resources/message>.

use kata_channel::{Attachment, Inbound, Kind, OrderKey, Place, Sender, SenderId, settings::ReplyIn};

use super::{Reader, Scene};
use crate::{
    atlas::tidy,
    rest::wire::{self, Message, User},
    snowflake,
};

/// Kinds of messages that are somebody's words: a plain one, a reply, and two that a command left. The others report that something
/// happened. <https://docs.discord.com/developers/resources/message#message-object-message-types>
const SPOKEN: [u64; 4] = [0, 19, 20, 23];

/// Where an attachment is found again: its address lives for a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MessageRef<'a> {
    pub(crate) channel: &'a str,
    pub(crate) message: &'a str,
    pub(crate) attachment: &'a str,
}

impl<'a> MessageRef<'a> {
    pub(crate) fn read(id: &'a str) -> Option<Self> {
        let mut parts = id.split('/');
        let (channel, message, attachment) = (parts.next()?, parts.next()?, parts.next()?);
        let whole = parts.next().is_none()
            && [channel, message, attachment]
                .iter()
                .all(|id| snowflake::number(id).is_some());
        whole.then_some(Self {
            channel,
            message,
            attachment,
        })
    }

    fn write(self) -> String {
        format!("{}/{}/{}", self.channel, self.message, self.attachment)
    }
}

impl Reader<'_> {
    /// What a message found in history means to the channel. One that was edited is told twice, as the message and as its edit: the
    /// message may be waiting here with its older text (D7).
    pub(crate) fn history(&self, message: &Message, scene: Scene<'_>) -> Vec<Inbound> {
        let said = self.said(message, scene);
        said.into_iter().chain(self.changed(message, scene)).collect()
    }

    /// Somebody said something.
    pub(crate) fn said(&self, message: &Message, scene: Scene<'_>) -> Option<Inbound> {
        if !SPOKEN.contains(&message.kind) {
            return None;
        }
        let author = message.author.as_ref()?;
        let id = &*message.id;
        let place = self.place(id, scene);
        let scene = Scene {
            place: &place,
            ..scene
        };
        let (text, mentioned) = self.read_text(message, scene);
        let inbound = self.inbound(id, snowflake::order(id)?, snowflake::time(id)?, scene);
        Some(Inbound {
            sender: self.sender(author, message),
            text,
            mentions_us: mentioned || self.is_addressed(message, scene),
            attachments: attachments(message),
            ..inbound
        })
    }

    /// A message has a new text. Discord reports embeds that unfold as changes too: those carry no edit time, or the one of the last
    /// edit, which changes nothing (D7).
    pub(crate) fn changed(&self, message: &Message, scene: Scene<'_>) -> Option<Inbound> {
        let edited = message.edited_timestamp.as_deref().and_then(edit_time)?;
        let said = self.said(message, scene)?;
        Some(Inbound {
            kind: Kind::Edit { edited },
            ..said
        })
    }

    /// A message was deleted. Discord does not say by whom, nor whose it was.
    pub(crate) fn deleted(&self, id: &str, scene: Scene<'_>) -> Option<Inbound> {
        let inbound = self.inbound(id, snowflake::order(id)?, snowflake::time(id)?, scene);
        Some(Inbound {
            kind: Kind::Deletion,
            ..inbound
        })
    }

    /// With `replyIn: thread` every message opens a thread, which Discord gives the message's own id; so its answer and all that follows
    /// are one session. Direct conversations have no threads.
    fn place(&self, id: &str, scene: Scene<'_>) -> Place {
        let opens = self.reply_in == ReplyIn::Thread && scene.place.thread.is_none() && scene.guild.is_some();
        match opens {
            true => Place::thread(scene.place.conversation.clone(), id),
            false => scene.place.clone(),
        }
    }

    /// A mention of us, of a role of ours, or a reply to us.
    fn is_addressed(&self, message: &Message, scene: Scene<'_>) -> bool {
        let me = &self.me.user;
        let is_reply = message
            .message_reference
            .as_ref()
            .is_some_and(|reference| reference.kind == 0);
        let replied = message
            .referenced_message
            .as_ref()
            .and_then(|m| m.author.as_ref());
        message.mentions.iter().any(|mention| mention.user.id == *me)
            || is_reply && replied.is_some_and(|author| author.id == *me)
            || scene
                .guild
                .is_some_and(|guild| self.atlas.is_ours(guild, &message.mention_roles))
    }

    fn sender(&self, author: &User, message: &Message) -> Sender {
        let is_self = author.id == self.me.user;
        let nick = message.member.as_ref().and_then(|member| member.nick.as_deref());
        Sender {
            id: SenderId::new(author.id.as_str()),
            name: Some(shown(nick, author)).filter(|name| !name.is_empty()),
            is_bot: is_self || author.bot || message.webhook_id.is_some(),
            is_self,
        }
    }

    fn read_text(&self, message: &Message, scene: Scene<'_>) -> (kata_channel::Text, bool) {
        super::text::read(&raw_text(message), &message.mentions, self, scene)
    }
}

/// What somebody is called in a server, tidied.
pub(super) fn shown(nick: Option<&str>, user: &User) -> String {
    tidy(
        nick.filter(|nick| !nick.is_empty())
            .unwrap_or_else(|| user.shown()),
    )
}

/// A forwarded message has its words in what it forwards.
fn raw_text(message: &Message) -> String {
    if !message.content.is_empty() {
        return message.content.clone();
    }
    let forwarded = message
        .message_snapshots
        .iter()
        .map(|shot| &*shot.message.content);
    forwarded
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

fn attachments(message: &Message) -> Vec<Attachment> {
    let forwarded = message
        .message_snapshots
        .iter()
        .flat_map(|shot| &shot.message.attachments);
    let all = message.attachments.iter().chain(forwarded);
    all.filter(|file| !file.id.is_empty())
        .map(|file| attachment(message, file))
        .collect()
}

fn attachment(message: &Message, file: &wire::Attachment) -> Attachment {
    let id = MessageRef {
        channel: &message.channel_id,
        message: &message.id,
        attachment: &file.id,
    };
    Attachment {
        id: id.write(),
        name: Some(file.filename.clone())
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| file.id.clone()),
        mime_type: file.content_type.clone(),
        size: file.size,
        url: file.url.clone(),
    }
}

/// The time of an edit, in microseconds since 1970.
fn edit_time(text: &str) -> Option<OrderKey> {
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(OrderKey(at.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use kata_channel::ChannelKey;
    use serde_json::{Value, json};

    use super::*;
    use crate::{account::Me, atlas::Atlas};

    fn me() -> Me {
        Me {
            user: "900".into(),
            name: "kata".into(),
            application: "901".into(),
        }
    }

    fn message(more: Value) -> Message {
        // The example of <https://docs.discord.com/developers/resources/message#message-object>, shortened.
        let mut all = json!({
            "id": "334385199974967042", "channel_id": "290926798999357250", "guild_id": "1", "type": 0,
            "author": {"username": "Mason", "id": "53908099506183680", "global_name": null, "bot": false},
            "content": "Supa Hot", "timestamp": "2017-07-11T17:27:07.299000+00:00", "edited_timestamp": null,
            "mentions": [], "mention_roles": [], "mention_everyone": false, "attachments": [], "embeds": [],
        });
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        serde_json::from_value(all).unwrap()
    }

    fn read_as(message: &Message, reply_in: ReplyIn, guild: Option<&str>) -> Vec<Inbound> {
        let (atlas, key, me) = (Atlas::default(), ChannelKey::new("w", "a"), me());
        let guild_with_role = json!({"id": "1", "members": [{"user": {"id": "900"}, "roles": ["7"]}]});
        atlas.chart_guild(&serde_json::from_value(guild_with_role).unwrap(), "900");
        let reader = Reader {
            channel: &key,
            reply_in,
            me: &me,
            atlas: &atlas,
        };
        let place = Place::conversation("290926798999357250");
        reader.history(message, Scene { place: &place, guild })
    }

    fn read(more: Value) -> Vec<Inbound> {
        read_as(&message(more), ReplyIn::Auto, Some("1"))
    }

    #[test]
    fn a_message_is_read_with_its_order_and_its_time() {
        let said = &read(json!({}))[0];
        assert_eq!(said.order, OrderKey(334_385_199_974_967_042));
        assert_eq!(said.sent_at.to_iso(), "2017-07-11T17:27:24.250Z");
        assert_eq!(said.text.readable, "Supa Hot");
        assert_eq!(said.sender.name.as_deref(), Some("Mason"));
        assert!(!said.mentions_us && !said.is_direct && !said.sender.is_bot);
    }

    #[test]
    fn a_mention_a_role_of_ours_and_a_reply_address_us_and_a_forward_does_not() {
        let us = json!({"author": {"id": "900", "username": "kata", "bot": true}});
        for (more, addressed) in [
            (json!({"mentions": [{"id": "900", "username": "kata"}]}), true),
            (json!({"mention_roles": ["7"]}), true),
            (json!({"mention_roles": ["8"]}), false),
            (
                json!({"type": 19, "message_reference": {"type": 0, "message_id": "5"}, "referenced_message": us}),
                true,
            ),
            (
                json!({"message_reference": {"type": 1, "message_id": "5"}, "referenced_message": us}),
                false,
            ),
            (json!({"mention_everyone": true}), false),
            (json!({"referenced_message": null}), false),
        ] {
            assert_eq!(read(more.clone())[0].mentions_us, addressed, "{more}");
        }
    }

    #[test]
    fn bots_and_webhooks_are_told_from_people_and_we_from_bots() {
        let sender = |more: Value| read(more)[0].sender.clone();
        assert!(sender(json!({"webhook_id": "3"})).is_bot);
        let bot = sender(json!({"author": {"id": "2", "username": "b", "bot": true}}));
        assert!(bot.is_bot && !bot.is_self);
        assert!(sender(json!({"author": {"id": "900", "username": "kata", "bot": true}})).is_self);
    }

    #[test]
    fn what_only_reports_is_nothing_to_us() {
        for kind in [6, 7, 18, 21, 24, 4_711] {
            assert!(read(json!({"type": kind})).is_empty(), "{kind}");
        }
    }

    #[test]
    fn an_edit_is_told_as_the_message_and_as_its_edit() {
        let both = read(json!({"edited_timestamp": "2017-07-11T17:28:00.500000+00:00"}));
        let [said, edit] = &both[..] else {
            panic!("{both:?}")
        };
        assert_eq!(said.kind, Kind::Message);
        assert_eq!(
            edit.kind,
            Kind::Edit {
                edited: OrderKey(1_499_794_080_500_000)
            }
        );
    }

    #[test]
    fn every_message_opens_a_thread_if_wanted_but_not_in_a_direct_conversation() {
        let thread = read_as(&message(json!({})), ReplyIn::Thread, Some("1"));
        assert_eq!(
            thread[0].place,
            Place::thread("290926798999357250", "334385199974967042")
        );
        let direct = read_as(&message(json!({})), ReplyIn::Thread, None);
        assert_eq!(direct[0].place, Place::conversation("290926798999357250"));
        assert!(direct[0].is_direct);
    }

    #[test]
    fn a_forward_has_the_words_and_files_of_what_it_forwards() {
        let file = json!({"id": "8", "filename": "a.txt", "size": 3, "url": "https://cdn.discordapp.com/a"});
        let snapshot = json!({"message": {"content": "old words", "attachments": [file]}});
        let said = &read(json!({"content": "", "message_snapshots": [snapshot]}))[0];
        assert_eq!(said.text.readable, "old words");
        let id = &said.attachments[0].id;
        assert_eq!(id, "290926798999357250/334385199974967042/8");
        assert_eq!(MessageRef::read(id).unwrap().attachment, "8");
        assert_eq!(MessageRef::read("../1/2"), None);
    }
}
