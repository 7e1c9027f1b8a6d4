//! What is said to us. Behind the approval router, since `yes 7Q4` counts without a mention.

use std::collections::HashSet;

use crate::{
    id::ConversationId,
    inbound::{Disposition, Inbound, Kind},
    ingress::Step,
    settings::Filter,
};

/// Refuses messages in conversations that the channel does not serve: outside the named ones, or, where none is named, in a
/// group without a mention of us.
#[derive(Clone, Debug)]
pub struct Addressed {
    named: HashSet<ConversationId>,
}

impl Addressed {
    /// For one channel.
    #[must_use]
    pub fn new(filter: &Filter) -> Self {
        Self {
            named: filter.named().iter().map(|id| id.as_str().into()).collect(),
        }
    }

    pub(super) fn is_served(&self, message: &Inbound) -> bool {
        match message.kind {
            // A slash command addresses us wherever it is typed: `channelIds` restrict messages alone. An edit reaches
            // no further than a row that exists, nor does a reaction. A choice stands under a message of ours.
            Kind::Command { .. }
            | Kind::Press
            | Kind::Edit { .. }
            | Kind::Deletion
            | Kind::Reaction { .. } => true,
            Kind::Message if self.named.is_empty() => message.is_direct || message.mentions_us,
            Kind::Message => self.named.contains(&message.place.conversation),
        }
    }
}

impl Step for Addressed {
    fn step(&self, message: &mut Inbound) {
        if !self.is_served(message) {
            message.disposition = Disposition::Refused("not addressed to us");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{id::Place, inbound::OrderKey, ingress::sample};

    fn passes(named: &[&str], mut message: Inbound) -> bool {
        let filter = Filter {
            channel_ids: Some(named.iter().map(ToString::to_string).collect()),
            ..Filter::default()
        };
        Addressed::new(&filter).step(&mut message);
        message.disposition == Disposition::Turn
    }

    fn said(place: &str) -> Inbound {
        Inbound {
            place: Place::conversation(place),
            is_direct: place.starts_with('D'),
            ..sample::message("hi")
        }
    }

    #[test]
    fn without_names_a_channel_message_must_mention_us() {
        assert!(!passes(&[], said("C1")));
        let mention = Inbound {
            mentions_us: true,
            ..said("C1")
        };
        assert!(passes(&[], mention));
        assert!(passes(&[], said("D1")), "a direct message needs no mention");
    }

    #[test]
    fn names_restrict_messages_alone() {
        assert!(passes(&["C1"], said("C1")), "no mention is needed there");
        assert!(!passes(&["C1"], said("C2")));
        assert!(!passes(&["C1"], said("D1")));
        for kind in [
            Kind::Command { name: "/kata".into() },
            Kind::Press,
            Kind::Edit { edited: OrderKey(2) },
            Kind::Deletion,
        ] {
            let message = Inbound { kind, ..said("C2") };
            assert!(passes(&["C1"], message.clone()), "{:?}", message.kind);
        }
    }
}
