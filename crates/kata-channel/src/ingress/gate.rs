//! Who may speak (D27). The first layer: what a stranger says is seen by nothing behind it, not even by the approval router.
//! Where a channel gives codes, what asks for one passes without its words, consumed.

use std::collections::HashSet;

use crate::{
    id::{ConversationId, SenderId},
    inbound::{Consumed, Disposition, Inbound, Kind, Role},
    ingress::{Door, Step, paired},
    settings::{Filter, Settings},
};

/// Gives each sender a [`Role`] and refuses, in silence, whoever has nothing to say here.
#[derive(Clone, Debug)]
pub struct SenderGate {
    named: HashSet<ConversationId>,
    owners: HashSet<SenderId>,
    senders: Option<HashSet<SenderId>>,
    allow_bots: bool,
    door: Door,
}

impl SenderGate {
    /// A gate for one channel. `owners` are the workspace's owners on this platform.
    pub fn new(filter: &Filter, settings: &Settings, owners: impl IntoIterator<Item = SenderId>) -> Self {
        Self {
            named: filter.named().iter().map(|id| id.as_str().into()).collect(),
            owners: owners.into_iter().collect(),
            senders: settings
                .senders
                .as_ref()
                .map(|ids| ids.iter().map(|id| id.as_str().into()).collect()),
            allow_bots: settings.allow_bots,
            door: Door::default(),
        }
    }

    /// With what the channel has for strangers; without it they get silence.
    #[must_use]
    pub fn door(self, door: Door) -> Self {
        Self { door, ..self }
    }

    fn role(&self, message: &Inbound) -> Role {
        let id = &message.sender.id;
        if self.owners.contains(id) {
            return Role::Owner;
        }
        if self.door.is_open_to(id) {
            return Role::Member;
        }
        // D27: in a named conversation everyone, unless `senders` is set; elsewhere only whom somebody named.
        let may_speak = match &self.senders {
            Some(senders) => senders.contains(id),
            None => self.named.contains(&message.place.conversation),
        };
        if may_speak { Role::Member } else { Role::Stranger }
    }

    fn refusal(&self, message: &Inbound) -> Option<&'static str> {
        if message.sender.is_self {
            return Some("our own message");
        }
        if message.sender.is_bot && !self.allow_bots {
            return Some("a bot");
        }
        (message.role == Role::Stranger).then_some("a stranger")
    }
}

impl Step for SenderGate {
    fn step(&self, message: &mut Inbound) {
        message.role = self.role(message);
        // A deletion withdraws a row and starts nothing; platforms do not always say who deleted.
        if message.kind == Kind::Deletion {
            return;
        }
        let Some(reason) = self.refusal(message) else {
            return;
        };
        message.disposition = if message.role == Role::Stranger && self.door.is_knocked_at(message) {
            paired::forget_words(message);
            Disposition::Consumed(Consumed::Pairing)
        } else {
            Disposition::Refused(reason)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::Place,
        inbound::{OrderKey, Sender},
        ingress::sample,
    };

    /// A gate with owner `U0`, the given named conversations and senders.
    fn gate(named: &[&str], senders: Option<&[&str]>) -> SenderGate {
        let strings = |ids: &[&str]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
        let filter = Filter {
            channel_ids: Some(strings(named)),
            ..Filter::default()
        };
        let settings = Settings {
            senders: senders.map(strings),
            ..Settings::default()
        };
        SenderGate::new(&filter, &settings, ["U0".into()])
    }

    fn verdict(gate: &SenderGate, mut message: Inbound) -> (Role, bool) {
        gate.step(&mut message);
        (message.role, message.disposition == Disposition::Turn)
    }

    fn said(by: &str, place: &str) -> Inbound {
        Inbound {
            sender: sample::sender(by),
            place: Place::conversation(place),
            ..sample::message("hi")
        }
    }

    #[test]
    fn a_named_conversation_is_open_to_everyone_until_senders_are_named() {
        for (senders, by, expect) in [
            (None, "U9", (Role::Member, true)),
            (None, "U0", (Role::Owner, true)),
            (Some(&["U1"][..]), "U1", (Role::Member, true)),
            (Some(&["U1"][..]), "U0", (Role::Owner, true)),
            (Some(&["U1"][..]), "U9", (Role::Stranger, false)),
            (Some(&[][..]), "U9", (Role::Stranger, false)),
        ] {
            assert_eq!(
                verdict(&gate(&["C1"], senders), said(by, "C1")),
                expect,
                "{by} with senders {senders:?}"
            );
        }
    }

    #[test]
    fn elsewhere_only_owners_and_senders_are_heard() {
        for (senders, by, expect) in [
            (None, "U9", (Role::Stranger, false)),
            (None, "U0", (Role::Owner, true)),
            (Some(&["U1"][..]), "U1", (Role::Member, true)),
            (Some(&["U1"][..]), "U9", (Role::Stranger, false)),
        ] {
            assert_eq!(
                verdict(&gate(&[], senders), said(by, "D1")),
                expect,
                "{by} with senders {senders:?}"
            );
        }
    }

    #[test]
    fn the_sender_rule_holds_for_every_kind() {
        let gate = gate(&["C1"], None);
        let command = |by, place| Inbound {
            kind: Kind::Command { name: "/kata".into() },
            ..said(by, place)
        };
        assert_eq!(verdict(&gate, command("U0", "C2")), (Role::Owner, true));
        assert_eq!(verdict(&gate, command("U9", "C2")), (Role::Stranger, false));
        assert_eq!(
            verdict(&gate, command("U9", "C1")),
            (Role::Member, true),
            "a command counts as its conversation"
        );
        let press = |by, place| Inbound {
            kind: Kind::Press,
            ..said(by, place)
        };
        assert_eq!(verdict(&gate, press("U9", "C2")), (Role::Stranger, false));
        assert_eq!(verdict(&gate, press("U9", "C1")), (Role::Member, true));
    }

    #[test]
    fn bots_are_out_unless_allowed_and_we_are_always_out() {
        let bot = Inbound {
            sender: Sender {
                is_bot: true,
                ..sample::sender("B1")
            },
            ..said("B1", "C1")
        };
        let us = Inbound {
            sender: Sender {
                is_bot: true,
                is_self: true,
                ..sample::sender("B0")
            },
            ..said("B0", "C1")
        };
        let mut gate = gate(&["C1"], None);
        assert!(!verdict(&gate, bot.clone()).1);
        gate.allow_bots = true;
        assert!(verdict(&gate, bot).1);
        assert!(!verdict(&gate, us).1);
    }

    #[test]
    fn a_strangers_edit_is_refused_and_a_deletion_passes() {
        let gate = gate(&[], None);
        let edit = |by| Inbound {
            kind: Kind::Edit { edited: OrderKey(2) },
            ..said(by, "C1")
        };
        assert!(!verdict(&gate, edit("U9")).1);
        assert!(verdict(&gate, edit("U0")).1);
        assert!(
            verdict(
                &gate,
                Inbound {
                    kind: Kind::Deletion,
                    ..said("", "C1")
                }
            )
            .1
        );
    }
}
