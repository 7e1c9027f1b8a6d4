//! What is for us: the channel's trigger patterns. Behind the commands, which count without the trigger.

use std::{borrow::Cow, sync::Arc};

use kata_regex::{Case, Exhausted, JsRegex, Limits, PatternError};
use tracing::warn;

use crate::{
    inbound::{Disposition, Inbound, Kind, Text},
    ingress::Step,
};

/// No trigger worth removing is longer: a text that is a word for us with its trigger is short. Bytes.
const LONGEST: usize = 512;

/// What a channel's pattern may cost: a message is looked at once, so a search may take some tens of milliseconds at worst.
const LIMITS: Limits = Limits {
    longest: 4096,
    compiled: 4 << 20,
    backtracks: 1_000_000,
};

/// The trigger patterns of a channel: any match suffices, none = every message. Clones share the compiled patterns.
#[derive(Clone, Debug)]
pub struct Trigger {
    patterns: Arc<[JsRegex]>,
}

impl Trigger {
    /// Compiles the patterns of a channel.
    ///
    /// # Errors
    /// Names the first pattern that is no JavaScript regular expression, or one that cannot be translated.
    pub fn compile(patterns: &[String]) -> Result<Self, PatternError> {
        let patterns = patterns
            .iter()
            .map(|pattern| JsRegex::new(pattern, Case::Ignored, &LIMITS))
            .collect::<Result<_, _>>()?;
        Ok(Self { patterns })
    }

    /// Whether the text is for us: the raw one is tried first, then the readable one. A pattern that gives up counts as no
    /// match, and is reported when nothing else matched.
    fn matches(&self, text: &Text) -> Result<bool, Exhausted> {
        let mut gave_up = Ok(false);
        for text in [&text.raw, &text.readable] {
            for pattern in &*self.patterns {
                match pattern.is_match(text) {
                    Ok(true) => return Ok(true),
                    Ok(false) => {}
                    Err(exhausted) => gave_up = Err(exhausted),
                }
            }
        }
        gave_up
    }

    /// Whether a message is for us.
    pub(super) fn is_met(&self, message: &Inbound) -> bool {
        // A slash command addresses us by its name; edits and deletions touch only what was let in before.
        if self.patterns.is_empty() || message.kind != Kind::Message {
            return true;
        }
        self.matches(&message.text).unwrap_or_else(|error| {
            warn!(channel = %message.channel, msg = %message.id, %error, "a message was taken for one without the trigger");
            false
        })
    }

    /// The texts that may be a word for us (a chat command, an answer): each reading as it is, and each short one without
    /// what a pattern matched.
    pub(super) fn readings<'t>(&'t self, text: &'t Text) -> impl Iterator<Item = Cow<'t, str>> {
        let texts = [&text.raw, &text.readable, &text.prompt].map(String::as_str);
        let bare = texts
            .into_iter()
            .filter(|text| text.len() <= LONGEST)
            .flat_map(|text| self.remainders(text));
        texts.into_iter().map(Cow::from).chain(bare.map(Cow::from))
    }

    /// The text without what a pattern matched, once for each pattern that does match.
    fn remainders<'t>(&'t self, text: &'t str) -> impl Iterator<Item = String> + 't {
        self.patterns.iter().filter_map(move |pattern| {
            let found = pattern.find(text).ok().flatten()?;
            let rest = format!("{}{}", &text[..found.start], &text[found.end..]);
            Some(rest.trim_start_matches([',', ':', ' ']).to_owned())
        })
    }
}

impl Step for Trigger {
    fn step(&self, message: &mut Inbound) {
        if !self.is_met(message) {
            message.disposition = Disposition::Refused("without the trigger");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{inbound::OrderKey, ingress::sample};

    fn passes(patterns: &[&str], mut message: Inbound) -> bool {
        let patterns: Vec<_> = patterns.iter().map(ToString::to_string).collect();
        Trigger::compile(&patterns)
            .expect("valid patterns")
            .step(&mut message);
        message.disposition == Disposition::Turn
    }

    #[test]
    fn any_pattern_suffices_and_none_is_every_message() {
        assert!(passes(&[], sample::message("anything")));
        assert!(passes(&["^hey", "kata"], sample::message("ask KATA")));
        assert!(!passes(&["^hey", "kata"], sample::message("oh hey")));
    }

    #[test]
    fn the_raw_text_is_tried_before_the_readable_one() {
        let text = Text {
            raw: "<@U1> a &lt; b".into(),
            readable: "@kata a < b".into(),
            prompt: "a < b".into(),
        };
        let message = Inbound {
            text,
            ..sample::message("")
        };
        for pattern in ["<@U1>", "&lt;", "@kata", "a < b"] {
            assert!(passes(&[pattern], message.clone()), "{pattern}");
        }
        assert!(!passes(&["^a"], message), "the prompt is not looked at");
    }

    #[test]
    fn commands_edits_and_deletions_need_no_trigger() {
        assert!(passes(&["kata"], sample::command("/kata", "hello")));
        let edit = Inbound {
            kind: Kind::Edit { edited: OrderKey(2) },
            ..sample::message("hello")
        };
        assert!(passes(&["kata"], edit));
        assert!(passes(
            &["kata"],
            Inbound {
                kind: Kind::Deletion,
                ..sample::message("")
            }
        ));
    }

    #[test]
    fn a_pattern_that_gives_up_is_no_match() {
        let trap = format!("{}!", "a".repeat(60));
        assert!(!passes(&["^(?=((a|a)+)+$)"], sample::message(&trap)));
        assert!(
            passes(&["^(?=((a|a)+)+$)", "!$"], sample::message(&trap)),
            "another pattern may still match"
        );
    }

    #[test]
    fn a_bad_pattern_is_named() {
        let error = Trigger::compile(&["fine".into(), "(".into()]).expect_err("an open group");
        assert!(error.to_string().contains("`(`"), "{error}");
    }
}
