//! Strangers who were let in, and those who may ask to be.

use std::{
    collections::HashSet,
    sync::{Arc, PoisonError, RwLock},
};

use crate::{
    id::SenderId,
    inbound::{Inbound, Kind, Text},
    ingress::{Addressed, Trigger},
};

/// Who was let in, in a channel. In memory, since nothing in the ingress stack waits (D1): whoever keeps the pairings fills
/// it before anything comes in, and changes it with each pairing.
///
/// Clones share the senders.
#[derive(Clone, Debug, Default)]
pub struct Paired {
    senders: Arc<RwLock<HashSet<SenderId>>>,
}

/// What a channel has for strangers: those who were let in, and a code for others where it gives any.
#[derive(Clone, Debug, Default)]
pub struct Door {
    paired: Paired,
    /// None: strangers get silence.
    knocks: Option<Knocks>,
}

/// Which messages of a stranger ask to be let in: those that would be for us if it were.
#[derive(Clone, Debug)]
struct Knocks {
    addressed: Addressed,
    trigger: Trigger,
}

// === impl Paired ===

impl Paired {
    /// Makes it these.
    pub fn replace(&self, senders: impl IntoIterator<Item = SenderId>) {
        *self.senders.write().unwrap_or_else(PoisonError::into_inner) = senders.into_iter().collect();
    }

    /// The sender is let in.
    pub fn add(&self, sender: SenderId) {
        self.senders
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(sender);
    }

    /// The sender is a stranger again.
    pub fn remove(&self, sender: &SenderId) {
        self.senders
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(sender);
    }

    pub(super) fn contains(&self, sender: &SenderId) -> bool {
        let senders = self.senders.read().unwrap_or_else(PoisonError::into_inner);
        senders.contains(sender)
    }
}

// === impl Door ===

impl Door {
    /// Those who were let in may speak; all others get silence.
    #[must_use]
    pub fn closed(paired: Paired) -> Self {
        Self { paired, knocks: None }
    }

    /// Others get a code, for a direct message that would be for us.
    #[must_use]
    pub fn with_codes(paired: Paired, addressed: Addressed, trigger: Trigger) -> Self {
        Self {
            paired,
            knocks: Some(Knocks { addressed, trigger }),
        }
    }

    pub(super) fn is_open_to(&self, sender: &SenderId) -> bool {
        self.paired.contains(sender)
    }

    /// Whether a stranger's message asks to be let in. Neither an edit nor a command does, nor what a bot says.
    pub(super) fn is_knocked_at(&self, message: &Inbound) -> bool {
        let sender = &message.sender;
        let is_person = !sender.is_bot && !sender.is_self;
        let asks = message.kind == Kind::Message && message.is_direct && is_person;
        let would_be_heard =
            |knocks: &Knocks| knocks.addressed.is_served(message) && knocks.trigger.is_met(message);
        asks && self.knocks.as_ref().is_some_and(would_be_heard)
    }
}

/// What a stranger wrote is kept nowhere.
pub(super) fn forget_words(message: &mut Inbound) {
    message.text = Text::default();
    message.attachments.clear();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::Place,
        inbound::{Consumed, Disposition, OrderKey, Role, Sender},
        ingress::{SenderGate, Step, sample},
        settings::{Filter, Settings},
    };

    fn filter(named: &[&str], patterns: &[&str]) -> Filter {
        let strings = |texts: &[&str]| Some(texts.iter().map(ToString::to_string).collect());
        Filter {
            channel_ids: strings(named),
            trigger_patterns: strings(patterns),
        }
    }

    fn gate(filter: &Filter, paired: &Paired) -> SenderGate {
        let trigger = Trigger::compile(filter.patterns()).expect("valid patterns");
        let door = Door::with_codes(paired.clone(), Addressed::new(filter), trigger);
        SenderGate::new(filter, &Settings::default(), ["U0".into()]).door(door)
    }

    fn direct(by: &str, text: &str) -> Inbound {
        Inbound {
            sender: sample::sender(by),
            place: Place::conversation("D1"),
            is_direct: true,
            ..sample::message(text)
        }
    }

    fn passed(gate: &SenderGate, mut message: Inbound) -> Inbound {
        gate.step(&mut message);
        message
    }

    #[test]
    fn a_stranger_who_writes_to_us_asks_to_be_let_in_and_its_words_are_kept_nowhere() {
        let gate = gate(&filter(&[], &[]), &Paired::default());
        let asked = passed(&gate, direct("U9", "please run this"));
        assert_eq!(asked.disposition, Disposition::Consumed(Consumed::Pairing));
        assert_eq!((asked.text, asked.role), (Text::default(), Role::Stranger));
    }

    #[test]
    fn who_is_paired_is_a_member_at_once_and_a_stranger_again_when_it_is_taken_back() {
        let paired = Paired::default();
        let gate = gate(&filter(&[], &[]), &paired);
        paired.add("U9".into());
        let heard = passed(&gate, direct("U9", "hello"));
        assert_eq!((heard.disposition, heard.role), (Disposition::Turn, Role::Member));
        paired.remove(&"U9".into());
        assert_eq!(passed(&gate, direct("U9", "hello")).role, Role::Stranger);
        paired.replace(["U8".into()]);
        assert_eq!(passed(&gate, direct("U8", "hello")).role, Role::Member);
    }

    #[test]
    fn only_what_would_be_for_us_asks() {
        let silence = Disposition::Refused("a stranger");
        let nobody = Paired::default();
        let plain = gate(&filter(&[], &[]), &nobody);
        let bot = Inbound {
            sender: Sender {
                is_bot: true,
                ..sample::sender("B1")
            },
            ..direct("B1", "hello")
        };
        assert_eq!(passed(&plain, bot).disposition, Disposition::Refused("a bot"));
        let us = Inbound {
            sender: Sender {
                is_self: true,
                ..sample::sender("U9")
            },
            ..direct("U9", "a note to myself")
        };
        assert_eq!(
            passed(&plain, us).disposition,
            Disposition::Refused("our own message")
        );
        for kind in [
            Kind::Press,
            Kind::Command { name: "/kata".into() },
            Kind::Edit { edited: OrderKey(2) },
        ] {
            let message = Inbound {
                kind,
                ..direct("U9", "hello")
            };
            assert_eq!(
                passed(&plain, message.clone()).disposition,
                silence,
                "{:?}",
                message.kind
            );
        }
        let in_passing = Inbound {
            is_direct: false,
            ..direct("U9", "hello")
        };
        assert_eq!(passed(&plain, in_passing).disposition, silence);
        let elsewhere = gate(&filter(&["C1"], &[]), &nobody);
        assert_eq!(passed(&elsewhere, direct("U9", "hello")).disposition, silence);
        let called = gate(&filter(&[], &["kata"]), &nobody);
        assert_eq!(
            passed(&called, direct("U9", "happy birthday")).disposition,
            silence
        );
        let asked = passed(&called, direct("U9", "kata, hello")).disposition;
        assert_eq!(asked, Disposition::Consumed(Consumed::Pairing));
    }
}
