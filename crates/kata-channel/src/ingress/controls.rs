//! Reactions that ask something. Right behind the sender gate: like a chat command, what they ask must not queue behind the turn
//! that it is about.

use crate::{
    control::Control,
    inbound::{Consumed, Disposition, Inbound, Kind},
    ingress::Step,
};

/// Takes reactions out of the stream of messages: what one asks stands in the table of [`Control`], and one that asks nothing
/// is nothing to us. Whether its sender may ask it of that message is the store's to say, which knows whose it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Controls;

impl Step for Controls {
    fn step(&self, message: &mut Inbound) {
        let Kind::Reaction { on, emoji } = &message.kind else {
            return;
        };
        message.disposition = match Control::of(emoji) {
            Some(what) => Disposition::Consumed(Consumed::Control { on: on.clone(), what }),
            None => Disposition::Refused("a reaction that asks nothing"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        control::Emoji,
        ingress::{SenderGate, sample},
        settings::{Filter, Settings},
    };

    fn reaction(by: &str, emoji: &str) -> Inbound {
        Inbound {
            kind: Kind::Reaction {
                on: "m1".into(),
                emoji: Emoji::new(emoji),
            },
            sender: sample::sender(by),
            ..sample::message(emoji)
        }
    }

    /// What becomes of a message in a channel that hears `U1` in `C1`.
    fn outcome(mut message: Inbound) -> Disposition {
        let filter = Filter {
            channel_ids: Some(vec!["C1".into()]),
            ..Filter::default()
        };
        let settings = Settings {
            senders: Some(vec!["U1".into()]),
            ..Settings::default()
        };
        SenderGate::new(&filter, &settings, []).step(&mut message);
        if message.disposition == Disposition::Turn {
            Controls.step(&mut message);
        }
        message.disposition
    }

    #[test]
    fn a_reaction_of_the_table_asks_what_stands_there_and_others_ask_nothing() {
        for (emoji, expect) in [
            ("🛑", Some(Control::Stop)),
            ("🔁\u{fe0f}", Some(Control::Retry)),
            ("👍", None),
        ] {
            let expect = match expect {
                Some(what) => Disposition::Consumed(Consumed::Control {
                    on: "m1".into(),
                    what,
                }),
                None => Disposition::Refused("a reaction that asks nothing"),
            };
            assert_eq!(outcome(reaction("U1", emoji)), expect, "{emoji}");
        }
    }

    #[test]
    fn a_strangers_reaction_does_nothing() {
        assert_eq!(outcome(reaction("U9", "🛑")), Disposition::Refused("a stranger"));
    }

    #[test]
    fn a_sign_of_our_own_asks_nothing() {
        let mut ours = reaction("U1", "🔁");
        ours.sender.is_self = true;
        assert_eq!(outcome(ours), Disposition::Refused("our own message"));
    }

    #[test]
    fn who_writes_the_emoji_asks_an_agent() {
        assert_eq!(
            outcome(Inbound {
                sender: sample::sender("U1"),
                ..sample::message("🛑")
            }),
            Disposition::Turn
        );
    }
}
