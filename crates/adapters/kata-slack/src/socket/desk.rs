//! A channel as a reader of Slack: which events are for it, and how it reads them and its history.

use std::{collections::BTreeSet, sync::Arc};

use kata_channel::{ChannelError, ChannelKey, Clock, Inbound, Place, settings::ReplyIn};

use super::envelope::{Event, Origin, What};
use crate::{
    account::{Account, Me},
    names::Lexicon,
    read::{self, Reader, Scene},
    web::wire::Message,
};

/// What of a channel's configuration matters to reading.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) key: ChannelKey,
    /// Conversations named in its filter; empty = whatever comes.
    pub(crate) named: Vec<String>,
    pub(crate) reply_in: ReplyIn,
    pub(crate) account: Arc<Account>,
    pub(crate) clock: Clock,
}

// === impl Desk ===

impl Desk {
    /// Whether an event is for this channel. A conversation that a sibling names is the sibling's alone. `channelIds`
    /// do not restrict slash commands, so one that is given where no channel is at home is taken all the same; and so is a
    /// press under what we said there.
    pub(super) fn takes(&self, event: &Event) -> bool {
        let Ok(me) = self.account.me() else { return false };
        self.takes_from(&event.origin, &me)
            && self.takes_in(
                &event.conversation,
                !matches!(event.what, What::Message { .. } | What::Reaction(_)),
            )
    }

    fn takes_in(&self, conversation: &str, anywhere: bool) -> bool {
        if self.named.iter().any(|named| named == conversation) {
            return true;
        }
        (self.named.is_empty() || anywhere)
            && !self.account.claims.belongs_to_another(conversation, &self.key)
    }

    /// An app in several workspaces has one socket for all of them.
    fn takes_from(&self, origin: &Origin, me: &Me) -> bool {
        origin.teams.is_empty()
            || origin.teams.contains(&me.team)
            || me.enterprise.is_some() && me.enterprise == origin.enterprise
    }

    /// What an event means to this channel, if anything.
    pub(super) fn read(&self, event: &Event, me: &Me, names: &Lexicon) -> Option<Inbound> {
        let reader = Reader {
            channel: &self.key,
            reply_in: self.reply_in,
            me,
            names,
        };
        match &event.what {
            What::Message { message, mention } => {
                let scene = Scene {
                    conversation: &event.conversation,
                    team: &me.team,
                    mention: *mention,
                };
                reader.event(message, scene)
            }
            What::Command(command) => Some(read::command(command, &reader, self.clock.wall())),
            What::Press(press) => Some(read::press(press, &reader, self.clock.wall())),
            What::Reaction(reaction) => Some(read::reaction(reaction, &reader, self.clock.wall())),
        }
    }

    /// What messages found in a place's history mean to this channel.
    ///
    /// # Errors
    /// `connect` has not succeeded yet.
    pub(crate) async fn read_history(
        &self,
        place: &Place,
        said: &[Message],
    ) -> Result<Vec<Inbound>, ChannelError> {
        let me = self.account.me()?;
        let mut ids = BTreeSet::new();
        said.iter().for_each(|message| read::ids(message, &mut ids));
        let names = self.account.names.resolve(ids, &self.account.web).await;
        let reader = Reader {
            channel: &self.key,
            reply_in: self.reply_in,
            me: &me,
            names: &names,
        };
        let scene = Scene {
            conversation: place.conversation.as_str(),
            team: &me.team,
            mention: false,
        };
        Ok(said
            .iter()
            .flat_map(|message| reader.history(message, scene))
            .collect())
    }

    #[cfg(test)]
    pub(crate) fn for_test(slug: &str, named: &[&str]) -> Arc<Self> {
        let endpoint = crate::endpoint::Endpoint::new(None).unwrap();
        let account = Arc::new(Account::new(
            endpoint,
            &crate::endpoint::tls().unwrap(),
            "xoxb-test".into(),
        ));
        account.pretend(Me {
            user: "UBOT".into(),
            team: "T1".into(),
            ..Me::default()
        });
        Arc::new(Self {
            key: ChannelKey::new("w", slug),
            named: named.iter().map(|&id| id.to_owned()).collect(),
            reply_in: ReplyIn::Auto,
            account,
            clock: Clock::system(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sibling_that_names_a_conversation_has_it_to_itself() {
        let open = Desk::for_test("open", &[]);
        let _claimed = open
            .account
            .claims
            .register(&ChannelKey::new("w", "named"), &["C1".into()])
            .unwrap();
        assert!(!open.takes_in("C1", false));
        assert!(!open.takes_in("C1", true));
        assert!(open.takes_in("C2", false));
    }

    #[test]
    fn commands_are_not_restricted_by_channel_ids() {
        let named = Desk::for_test("named", &["C1"]);
        assert!(named.takes_in("C1", false) && named.takes_in("C1", true));
        assert!(!named.takes_in("C2", false));
        assert!(named.takes_in("C2", true));
    }

    #[test]
    fn an_event_of_another_workspace_is_not_ours() {
        let desk = Desk::for_test("a", &[]);
        let me = desk.account.me().unwrap();
        let of = |team: &str| Origin {
            teams: vec![team.into()],
            enterprise: None,
        };
        assert!(desk.takes_from(&of("T1"), &me));
        assert!(!desk.takes_from(&of("T2"), &me));
        assert!(desk.takes_from(&Origin::default(), &me));
    }
}
