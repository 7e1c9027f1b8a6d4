//! Patterns of which one has to match.

use super::Pattern;
use crate::written::Written;

/// Patterns in order. What the matches of each begin with lies side by side here: to fetch it from every pattern, each in its
/// own corner of memory, takes longer than all else that is done with them.
#[derive(Clone, Debug)]
pub(crate) struct Patterns {
    starts: Vec<Start>,
    patterns: Vec<Written<Pattern>>,
}

/// The first bytes of what every match starts with.
#[derive(Clone, Copy, Debug)]
struct Start {
    length: u8,
    bytes: [u8; 15],
}

// === impl Patterns ===

impl Patterns {
    pub(crate) fn new(patterns: Vec<Written<Pattern>>) -> Self {
        let starts = patterns.iter().map(|pattern| Start::of(&pattern.value.prefix));
        Self {
            starts: starts.collect(),
            patterns,
        }
    }

    /// The first pattern, as it was written, that `is_match` says matches. It is only asked about those that may match `text`.
    pub(crate) fn first(&self, text: &str, is_match: impl Fn(&Pattern) -> bool) -> Option<&str> {
        let all = self.starts.iter().zip(&self.patterns);
        let mut able = all
            .filter(|(start, _)| start.begins(text))
            .map(|(_, pattern)| pattern);
        let found = able.find(|pattern| is_match(&pattern.value))?;
        Some(&found.text)
    }
}

// === impl Start ===

impl Start {
    fn of(prefix: &str) -> Self {
        let mut start = Self {
            length: 0,
            bytes: [0; 15],
        };
        for (at, byte) in start.bytes.iter_mut().zip(prefix.bytes()) {
            *at = byte;
            start.length += 1;
        }
        start
    }

    fn begins(&self, text: &str) -> bool {
        text.as_bytes()
            .starts_with(&self.bytes[..usize::from(self.length)])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::written::FromText;

    fn written(text: &str) -> Written<Pattern> {
        Written {
            text: text.to_owned(),
            value: Pattern::from_text(text).unwrap_or_else(|error| panic!("{error}")),
        }
    }

    proptest! {
        #[test]
        fn the_first_is_the_first_that_matches(
            patterns in prop::collection::vec("\\^?(ab|a-long-name-of-a-tool|b)[ab]{0,2}(\\(x\\|y\\))?[?$]?", 0..8),
            text in "(ab|a-long-name-of-a-tool|b)?[abxy]{0,4}",
        ) {
            let patterns: Vec<_> = patterns.iter().map(|text| written(text)).collect();
            let is_match = |pattern: &Pattern| pattern.is_match(&text).unwrap_or(false);
            let expect = patterns.iter().find(|pattern| is_match(&pattern.value)).map(|pattern| pattern.text.clone());
            let list = Patterns::new(patterns);
            prop_assert_eq!(list.first(&text, is_match), expect.as_deref());
        }
    }
}
