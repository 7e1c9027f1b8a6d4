//! JavaScript regular expressions without flags, as people write them in a permissions file.
//!
//! The translation to [`fancy_regex`]'s syntax is the one that kata-channel uses for triggers, without the flag `i`. It is
//! repeated here because this crate uses nothing of Kata's, so that another tool can take it alone.

mod class;
mod escape;
mod list;
mod translate;

use fancy_regex::{Regex, RegexBuilder};

pub(crate) use self::list::Patterns;

use crate::written::FromText;

/// Steps of backtracking for one search: a few milliseconds at worst.
const BACKTRACKS: usize = 100_000;
/// Compiled size, bytes: `a{1000}{1000}` is refused instead of eating memory.
const COMPILED: usize = 1 << 20;
/// The longest pattern, bytes.
const LONGEST: usize = 4096;

/// A pattern that is searched for anywhere in a text.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    /// What every match starts with, if the pattern is bound to the start: most searches end here.
    prefix: String,
    regex: Regex,
}

/// A pattern that must match a tool's name as a whole.
#[derive(Clone, Debug)]
pub(crate) enum NamePattern {
    /// No sign of it means anything but itself.
    Exact(String),
    Pattern(Pattern),
}

/// A search ran into the bound on backtracking: whether the text matches is not known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exhausted;

// === impl Pattern ===

impl Pattern {
    pub(crate) fn is_match(&self, text: &str) -> Result<bool, Exhausted> {
        if !text.starts_with(&self.prefix) {
            return Ok(false);
        }
        self.regex.is_match(text).map_err(|_| Exhausted)
    }
}

impl FromText for Pattern {
    const SCHEMA: &'static str = "A JavaScript regular expression without flags, searched for anywhere.";

    fn from_text(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("the pattern is longer than {LONGEST} bytes"));
        }
        let refuse = |reason: &str| format!("the pattern `{text}` cannot be used: {reason}");
        let translated = translate::translate(text).map_err(refuse)?;
        let regex = RegexBuilder::new(&translated)
            .backtrack_limit(BACKTRACKS)
            .delegate_size_limit(COMPILED)
            .build()
            .map_err(|error| refuse(&error.to_string()))?;
        let prefix = prefix(text).unwrap_or_default();
        Ok(Self { prefix, regex })
    }
}

/// The signs after `^` that mean themselves. None where the pattern has alternatives: any of them may begin a match.
fn prefix(pattern: &str) -> Option<String> {
    let bound = pattern.strip_prefix('^').filter(|rest| !rest.contains('|'))?;
    let is_itself = |c: char| (c.is_ascii_graphic() || c == ' ') && !r"\^$.|?*+()[]{}".contains(c);
    let end = bound.find(|c| !is_itself(c)).unwrap_or(bound.len());
    let (literal, rest) = bound.split_at(end);
    // A quantifier takes back the sign before it.
    let kept = literal.len() - usize::from(rest.starts_with(['*', '?', '{']) && !literal.is_empty());
    Some(literal[..kept].to_owned())
}

// === impl NamePattern ===

impl NamePattern {
    pub(crate) fn is_match(&self, name: &str) -> Result<bool, Exhausted> {
        match self {
            Self::Exact(exact) => Ok(exact == name),
            Self::Pattern(pattern) => pattern.is_match(name),
        }
    }
}

impl FromText for NamePattern {
    const SCHEMA: &'static str =
        "A JavaScript regular expression without flags that matches a whole tool name.";

    fn from_text(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("a tool's name is empty".to_owned());
        }
        if text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        {
            return Ok(Self::Exact(text.to_owned()));
        }
        // By itself first: `a)|(b` must not become a pattern by what is put around it.
        Pattern::from_text(text)?;
        Pattern::from_text(&format!("^(?:{text})$")).map(Self::Pattern)
    }
}

#[cfg(test)]
mod tests;
