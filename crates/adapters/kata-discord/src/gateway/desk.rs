//! A channel as a reader of Discord: which events are for it, and how it reads them and its history.

use std::sync::Arc;

use kata_channel::{ChannelError, ChannelKey, Clock, Inbound, Place, settings::ReplyIn};

use super::frame::{Event, What};
use crate::{
    account::{Account, Me},
    errors::{CallError, code},
    read::{self, Reader, Scene},
    rest::wire::Message,
};

/// What of a channel's configuration matters to reading.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) key: ChannelKey,
    /// Channels named in its filter; empty = whatever comes.
    pub(crate) named: Vec<String>,
    /// The one server that is served; none = all that the bot is in, and direct conversations.
    pub(crate) guild: Option<String>,
    /// Whom the configuration names: owners of the workspace first, then `settings.senders`.
    pub(crate) people: Vec<String>,
    pub(crate) reply_in: ReplyIn,
    pub(crate) account: Arc<Account>,
    pub(crate) clock: Clock,
}

// === impl Desk ===

impl Desk {
    /// The place of a channel or thread; none = the bot cannot see it, and no answer could go there. A thread that is named itself
    /// is a conversation of its own.
    ///
    /// # Errors
    /// Discord did not say.
    pub(crate) async fn place(&self, channel: &str) -> Result<Option<Place>, ChannelError> {
        if self.names(channel) {
            return Ok(Some(Place::conversation(channel)));
        }
        match self.account.atlas.find(channel, &self.account.rest).await {
            Ok(spot) => Ok(Some(spot.place(channel))),
            Err(error) if is_hidden(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn names(&self, channel: &str) -> bool {
        self.named.iter().any(|named| named == channel)
    }

    /// Whether a server is served; none = a direct conversation.
    pub(crate) fn is_in(&self, guild: Option<&str>) -> bool {
        self.guild.is_none() || self.guild.as_deref() == guild
    }

    /// Whether what happened there is for this channel. A conversation that a sibling names is the sibling's alone. `channelIds`
    /// do not restrict slash commands and presses.
    pub(super) fn takes(&self, place: &Place, what: &What) -> bool {
        let conversation = place.conversation.as_str();
        if self.names(conversation) {
            return true;
        }
        let anywhere = matches!(what, What::Interaction(_));
        let claims = &self.account.claims;
        let thread_of_another = place
            .thread
            .as_ref()
            .is_some_and(|thread| claims.belongs_to_another(thread.as_str(), &self.key));
        (self.named.is_empty() || anywhere)
            && !thread_of_another
            && !claims.belongs_to_another(conversation, &self.key)
    }

    /// What an event means to this channel, if anything.
    pub(super) fn read(&self, event: &Event, place: &Place, me: &Me) -> Option<Inbound> {
        let reader = self.reader(me);
        let scene = Scene {
            place,
            guild: event.guild.as_deref(),
        };
        match &event.what {
            What::Said(message) => reader.said(message, scene),
            What::Changed(message) => reader.changed(message, scene),
            What::Deleted(id) => reader.deleted(id, scene),
            What::Reacted(reaction, name) => reader.reacted(reaction, name, scene, self.clock.wall()),
            What::Interaction(interaction) => read::interaction(
                interaction,
                &reader,
                scene,
                self.account.endpoint.base(),
                self.clock.wall(),
            ),
        }
    }

    /// What messages found in a place's history mean to this channel.
    ///
    /// # Errors
    /// `connect` has not succeeded yet, or Discord does not say where we are.
    pub(crate) async fn read_history(
        &self,
        place: &Place,
        said: &[Message],
    ) -> Result<Vec<Inbound>, ChannelError> {
        if said.is_empty() {
            return Ok(Vec::new());
        }
        let me = self.account.me()?;
        let (atlas, rest) = (&self.account.atlas, &self.account.rest);
        let spot = atlas.find(read::channel(place), rest).await?;
        if let Some(guild) = spot.guild.as_deref() {
            atlas.learn_roles(guild, &me.user, rest).await?;
        }
        let reader = self.reader(&me);
        let scene = Scene {
            place,
            guild: spot.guild.as_deref(),
        };
        Ok(said
            .iter()
            .flat_map(|message| reader.history(message, scene))
            .collect())
    }

    fn reader<'a>(&'a self, me: &'a Me) -> Reader<'a> {
        Reader {
            channel: &self.key,
            reply_in: self.reply_in,
            me,
            atlas: &self.account.atlas,
        }
    }

    #[cfg(test)]
    pub(crate) fn for_test(slug: &str, named: &[&str]) -> Arc<Self> {
        let endpoint = crate::endpoint::Endpoint::new(None).unwrap();
        let tls = crate::endpoint::tls().unwrap();
        let account = Arc::new(Account::new(endpoint, tls, "token".into()));
        account.pretend(Me {
            user: "900".into(),
            name: "kata".into(),
            application: "901".into(),
        });
        Arc::new(Self {
            key: ChannelKey::new("w", slug),
            named: named.iter().map(|&id| id.to_owned()).collect(),
            guild: None,
            people: Vec::new(),
            reply_in: ReplyIn::Auto,
            account,
            clock: Clock::system(),
        })
    }
}

fn is_hidden(error: &CallError) -> bool {
    matches!(error.code(), Some(code::UNKNOWN_CHANNEL | code::MISSING_ACCESS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deleted() -> What {
        What::Deleted("1".into())
    }

    #[tokio::test]
    async fn a_sibling_that_names_a_channel_has_it_and_its_threads_to_itself() {
        let open = Desk::for_test("open", &[]);
        let claims = &open.account.claims;
        let named = ["2".to_owned(), "4".to_owned()];
        let _claimed = claims.register(&ChannelKey::new("w", "named"), &named).unwrap();
        for (place, taken) in [
            (Place::conversation("2"), false),
            (Place::thread("2", "3"), false),
            (Place::thread("9", "4"), false),
            (Place::thread("9", "5"), true),
        ] {
            assert_eq!(open.takes(&place, &deleted()), taken, "{place:?}");
        }
    }

    #[tokio::test]
    async fn commands_are_not_restricted_by_channel_ids() {
        let desk = Desk::for_test("named", &["2"]);
        let command = What::Interaction(Box::default());
        assert!(desk.takes(&Place::thread("2", "3"), &deleted()));
        assert!(!desk.takes(&Place::conversation("9"), &deleted()));
        assert!(desk.takes(&Place::conversation("9"), &command));
    }

    #[tokio::test]
    async fn a_thread_that_is_named_is_a_conversation() {
        let desk = Desk::for_test("named", &["4"]);
        assert_eq!(desk.place("4").await, Ok(Some(Place::conversation("4"))));
    }
}
