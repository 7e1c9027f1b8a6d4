//! `/reset` and its like. Stands before the trigger, whose match may stand before the command.

use crate::{
    inbound::{Consumed, Disposition, Inbound, Kind},
    ingress::{Step, Trigger},
};

/// Recognises the chat commands, and gives them their own way: no turn, one short answer.
#[derive(Clone, Debug)]
pub struct ChatCommands {
    trigger: Trigger,
}

impl ChatCommands {
    /// Commands count with and without what `trigger` matches.
    #[must_use]
    pub fn new(trigger: Trigger) -> Self {
        Self { trigger }
    }

    fn find(&self, message: &Inbound) -> Option<Consumed> {
        let text = &message.text;
        match &message.kind {
            // Slack swallows a typed `/reset` unless the app registered it: then the command's own name is the word.
            // Any other command without a word asks nothing of an agent.
            Kind::Command { name } if text.readable.trim().is_empty() => {
                Some(spoken(name).unwrap_or(Consumed::Help))
            }
            Kind::Command { .. } => spoken(&text.readable).or_else(|| after_a_command(&text.readable)),
            Kind::Message => self.trigger.readings(text).find_map(|text| spoken(&text)),
            Kind::Press | Kind::Edit { .. } | Kind::Deletion | Kind::Reaction { .. } => None,
        }
    }
}

impl Step for ChatCommands {
    fn step(&self, message: &mut Inbound) {
        if let Some(command) = self.find(message) {
            message.disposition = Disposition::Consumed(command);
        }
    }
}

/// The words as PROTOCOL names them: any case, trimmed, inner white space free.
fn spoken(text: &str) -> Option<Consumed> {
    match normal(text)?.as_str() {
        "/reset" | "/new" | "reset conversation" | "start over" => Some(Consumed::Reset),
        "/status" => Some(Consumed::Status),
        "/stop" => Some(Consumed::Stop),
        "/help" => Some(Consumed::Help),
        _ => None,
    }
}

/// Behind a slash command the bare word suffices (`/kata reset`).
fn after_a_command(text: &str) -> Option<Consumed> {
    match normal(text)?.as_str() {
        "reset" | "new" => Some(Consumed::Reset),
        "status" => Some(Consumed::Status),
        "stop" => Some(Consumed::Stop),
        "help" => Some(Consumed::Help),
        _ => None,
    }
}

fn normal(text: &str) -> Option<String> {
    let mut words = text.split_whitespace();
    let (first, second, rest) = (words.next()?, words.next(), words.next());
    if rest.is_some() {
        return None;
    }
    let joined = second.map_or_else(|| first.to_owned(), |second| format!("{first} {second}"));
    Some(joined.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        inbound::{OrderKey, Text},
        ingress::sample,
    };

    fn outcome(patterns: &[&str], mut message: Inbound) -> Option<Consumed> {
        let patterns: Vec<_> = patterns.iter().map(ToString::to_string).collect();
        ChatCommands::new(Trigger::compile(&patterns).expect("valid patterns")).step(&mut message);
        match message.disposition {
            Disposition::Consumed(command) => Some(command),
            _ => None,
        }
    }

    #[test]
    fn the_words_are_exact_but_for_case_and_space() {
        for (text, expect) in [
            ("/reset", Some(Consumed::Reset)),
            ("  /NEW \n", Some(Consumed::Reset)),
            ("Reset \t Conversation", Some(Consumed::Reset)),
            ("start over", Some(Consumed::Reset)),
            ("/status", Some(Consumed::Status)),
            ("/Stop", Some(Consumed::Stop)),
            ("/help", Some(Consumed::Help)),
            ("reset", None),
            ("/reset now please", None),
            ("please /reset", None),
            ("start over again", None),
            ("resetconversation", None),
            ("", None),
        ] {
            assert_eq!(outcome(&[], sample::message(text)), expect, "{text:?}");
        }
    }

    #[test]
    fn a_mention_before_the_word_does_not_hide_it() {
        let text = Text {
            raw: "<@U9> /reset".into(),
            readable: "@kata /reset".into(),
            prompt: "/reset".into(),
        };
        assert_eq!(
            outcome(
                &[],
                Inbound {
                    text,
                    ..sample::message("")
                }
            ),
            Some(Consumed::Reset)
        );
    }

    #[test]
    fn the_word_counts_with_and_without_the_trigger() {
        let kata = &["^!?kata\\b"];
        for text in ["/reset", "!kata /reset", "Kata, start over", "kata: /reset"] {
            assert_eq!(
                outcome(kata, sample::message(text)),
                Some(Consumed::Reset),
                "{text:?}"
            );
        }
        assert_eq!(
            outcome(kata, sample::message("kata reset")),
            None,
            "the bare word is for slash commands alone"
        );
    }

    #[test]
    fn behind_a_slash_command_the_bare_word_suffices() {
        for (name, text, expect) in [
            ("/kata", "reset", Some(Consumed::Reset)),
            ("/kata", " NEW ", Some(Consumed::Reset)),
            ("/kata", "start over", Some(Consumed::Reset)),
            ("/kata", "stop", Some(Consumed::Stop)),
            ("/kata", "/status", Some(Consumed::Status)),
            ("/reset", "", Some(Consumed::Reset)),
            ("/reset", "the router", None),
            ("/kata", "", Some(Consumed::Help)),
            ("/kata", "help me", None),
        ] {
            assert_eq!(outcome(&[], sample::command(name, text)), expect, "{name} {text}");
        }
    }

    #[test]
    fn an_edit_into_a_command_is_no_command() {
        let edit = Inbound {
            kind: Kind::Edit { edited: OrderKey(2) },
            ..sample::message("/reset")
        };
        assert_eq!(outcome(&[], edit), None);
    }
}
