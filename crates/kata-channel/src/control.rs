//! What a reaction asks of us: one table for all platforms. Adapters only say what happened.
//!
//! ```
//! use kata_channel::{Control, Emoji};
//!
//! // Slack has names, Discord and WhatsApp the character itself, with or without its variation selector.
//! assert_eq!(Emoji::named("octagonal_sign"), Emoji::new("🛑\u{fe0f}"));
//! assert_eq!(Control::of(&Emoji::named("octagonal_sign")), Some(Control::Stop));
//! assert_eq!(Control::of(&Emoji::new("👍")), None);
//! ```

use std::{fmt, sync::Arc};

use crate::id::{MessageId, SenderId};

/// What can be asked of us by a reaction on a message, on our answer to it, or on what we said about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Control {
    /// Ends the turn that works on the message.
    Stop,
    /// Tries the message again: a parked one is brought back, an answered one is asked again.
    Retry,
}

/// The table: the emoji, its names where a platform has names, and what it asks.
const TABLE: [(&str, &[&str], Control); 2] = [
    ("🛑", &["octagonal_sign", "stop_sign"], Control::Stop),
    ("🔁", &["repeat"], Control::Retry),
];

/// A reaction, written the same for all platforms: the character without variation selectors and skin tones, or `:name:` for
/// what only one platform knows.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Emoji(Arc<str>);

// === impl Control ===

impl Control {
    /// What a reaction asks, if it asks anything.
    #[must_use]
    pub fn of(emoji: &Emoji) -> Option<Self> {
        let row = TABLE.iter().find(|(character, ..)| *character == &*emoji.0)?;
        Some(row.2)
    }
}

// === impl Emoji ===

impl Emoji {
    /// From the character, for platforms that send it.
    #[must_use]
    pub fn new(character: &str) -> Self {
        let plain: String = character.chars().filter(|c| !is_variation(*c)).collect();
        Self(plain.into())
    }

    /// From a name, for platforms that send one, with or without colons. A name that the table does not know stays one:
    /// nothing is asked by it.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let name = name.trim_matches(':');
        // Slack appends the skin tone: `wave::skin-tone-2`.
        let name = name.split_once("::").map_or(name, |(name, _)| name);
        let known = TABLE.iter().find(|(_, names, _)| names.contains(&name));
        known.map_or_else(
            || Self(format!(":{name}:").into()),
            |(character, ..)| Self((*character).into()),
        )
    }

    /// The character, or `:name:`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Emoji {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl fmt::Display for Emoji {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of a reaction, which platforms do not give one: what its row is known by (D2). `occurrence` is whatever the
/// platform has to tell the same reaction, taken off and put on again, from an event that is delivered twice (Slack: the
/// `event_ts`); empty where it has nothing, and then each reaction of a person counts once.
#[must_use]
pub fn reaction_id(on: &MessageId, emoji: &Emoji, by: &SenderId, occurrence: &str) -> MessageId {
    MessageId::new(format!("reaction:{on}:{emoji}:{by}:{occurrence}"))
}

fn is_variation(c: char) -> bool {
    matches!(c, '\u{fe0e}' | '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_character_are_one_emoji() {
        for (name, character, control) in [
            ("octagonal_sign", "🛑", Some(Control::Stop)),
            (":octagonal_sign:", "🛑\u{fe0f}", Some(Control::Stop)),
            ("repeat", "🔁", Some(Control::Retry)),
            ("repeat", "🔁\u{fe0e}", Some(Control::Retry)),
        ] {
            assert_eq!(Emoji::named(name), Emoji::new(character), "{name}");
            assert_eq!(Control::of(&Emoji::named(name)), control, "{name}");
        }
    }

    #[test]
    fn what_the_table_does_not_know_asks_nothing() {
        for emoji in [
            Emoji::named("thumbsup"),
            Emoji::named("wave::skin-tone-2"),
            Emoji::named("party_parrot"),
            Emoji::named(""),
            Emoji::new("👍\u{1f3fd}"),
            Emoji::new(""),
            Emoji::new("octagonal_sign"),
        ] {
            assert_eq!(Control::of(&emoji), None, "{emoji}");
        }
        assert_eq!(Emoji::named("wave::skin-tone-2").as_str(), ":wave:");
        assert_eq!(Emoji::new("👍\u{1f3fd}").as_str(), "👍");
    }

    #[test]
    fn the_same_reaction_put_on_again_has_an_id_of_its_own() {
        let id = |occurrence| reaction_id(&"m1".into(), &Emoji::new("🔁"), &"U1".into(), occurrence);
        assert_eq!(id("1.000001"), id("1.000001"));
        assert_ne!(id("1.000001"), id("2.000001"));
    }
}
