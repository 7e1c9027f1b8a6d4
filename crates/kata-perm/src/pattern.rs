//! JavaScript regular expressions without flags, as people write them in a permissions file.

mod list;

use kata_regex::{Case, Exhausted, JsRegex, Limits};

pub(crate) use self::list::Patterns;

use crate::written::FromText;

/// What a pattern may cost: a call is looked at by many of them, so a search may take a few milliseconds at worst.
const LIMITS: Limits = Limits {
    longest: 4096,
    compiled: 1 << 20,
    backtracks: 100_000,
};

/// A pattern that is searched for anywhere in a text.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    /// What every match starts with, if the pattern is bound to the start: most searches end here.
    prefix: String,
    regex: JsRegex,
}

/// A pattern that must match a tool's name as a whole.
#[derive(Clone, Debug)]
pub(crate) enum NamePattern {
    /// No sign of it means anything but itself.
    Exact(String),
    Pattern(Pattern),
}

// === impl Pattern ===

impl Pattern {
    pub(crate) fn is_match(&self, text: &str) -> Result<bool, Exhausted> {
        if !text.starts_with(&self.prefix) {
            return Ok(false);
        }
        self.regex.is_match(text)
    }
}

impl FromText for Pattern {
    const SCHEMA: &'static str = "A JavaScript regular expression without flags, searched for anywhere.";

    fn from_text(text: &str) -> Result<Self, String> {
        let regex = JsRegex::new(text, Case::Counts, &LIMITS).map_err(|error| error.to_string())?;
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
