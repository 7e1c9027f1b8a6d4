//! JavaScript regular expressions with the flag `i`, as people write them in a channel's configuration.
//!
//! They are translated into the syntax of [`fancy_regex`], which has look-around and back references and, unlike
//! JavaScript's engines, a bound on backtracking. Three differences remain:
//! - text is matched by code points, not by UTF-16 halves: `.` takes an emoji whole;
//! - letters fold as Unicode folds them: `k` also matches the Kelvin sign;
//! - a repeated group that may match nothing (`(a??)*`) is left where JavaScript would try it once more.

mod class;
mod escape;
mod translate;

use std::ops::Range;

use fancy_regex::{Regex, RegexBuilder};

/// Steps of backtracking for one search: some tens of milliseconds at worst.
const BACKTRACKS: usize = 1_000_000;
/// Compiled size, bytes: `a{1000}{1000}` is refused instead of eating memory.
const COMPILED: usize = 4 << 20;
/// The longest pattern, bytes.
const LONGEST: usize = 4096;

/// A compiled JavaScript pattern: flag `i` and no other, unanchored.
///
/// ```
/// use kata_channel::ingress::JsRegex;
///
/// let pattern = JsRegex::new(r"^hey (?!you)\w+\b")?;
/// assert_eq!(pattern.is_match("Hey Kata, are you there?"), Ok(true));
/// assert_eq!(pattern.is_match("Hey you"), Ok(false));
/// # Ok::<(), kata_channel::ingress::PatternError>(())
/// ```
#[derive(Clone, Debug)]
pub struct JsRegex {
    regex: Regex,
}

/// A pattern that JavaScript would refuse, or that cannot be said in our engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pattern `{pattern}` cannot be used: {reason}")]
pub struct PatternError {
    pattern: String,
    reason: String,
}

/// A search ran into the bound on backtracking: whether the text matches is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a pattern gave up on a text that it backtracks over without end")]
pub struct Exhausted(());

// === impl JsRegex ===

impl JsRegex {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// Names the pattern and what is wrong with it.
    pub fn new(pattern: &str) -> Result<Self, PatternError> {
        let refuse = |reason: String| PatternError {
            pattern: pattern.to_owned(),
            reason,
        };
        if pattern.len() > LONGEST {
            return Err(refuse(format!("it is longer than {LONGEST} bytes")));
        }
        let translated = translate::translate(pattern).map_err(|reason| refuse(reason.to_owned()))?;
        let regex = RegexBuilder::new(&translated)
            .case_insensitive(true)
            .backtrack_limit(BACKTRACKS)
            .delegate_size_limit(COMPILED)
            .build()
            .map_err(|error| refuse(error.to_string()))?;
        Ok(Self { regex })
    }

    /// Whether the pattern matches anywhere in `text`.
    ///
    /// # Errors
    /// [`Exhausted`] when the bound on backtracking was met.
    pub fn is_match(&self, text: &str) -> Result<bool, Exhausted> {
        self.regex.is_match(text).map_err(|_| Exhausted(()))
    }

    /// The first match, as a range of bytes.
    ///
    /// # Errors
    /// [`Exhausted`] when the bound on backtracking was met.
    pub fn find(&self, text: &str) -> Result<Option<Range<usize>>, Exhausted> {
        let found = self.regex.find(text).map_err(|_| Exhausted(()))?;
        Ok(found.map(|found| found.range()))
    }
}

#[cfg(test)]
mod tests;
