//! JavaScript regular expressions, as people write them in a channel's configuration and in a permissions file.
//!
//! They are translated into the syntax of [`fancy_regex`], which has look-around and back references and, unlike
//! JavaScript's engines, a bound on backtracking. Three differences remain:
//! - text is matched by code points, not by UTF-16 halves: `.` takes an emoji whole;
//! - where case is ignored, letters fold as Unicode folds them: `k` also matches the Kelvin sign;
//! - a repeated group that may match nothing (`(a??)*`) is left where JavaScript would try it once more.
//!
//! This crate refuses to know: where patterns come from, what a match means, what a search that gave up leads to.
//!
//! ```
//! use kata_regex::{Case, JsRegex, Limits};
//!
//! let limits = Limits { longest: 4096, compiled: 1 << 20, backtracks: 100_000 };
//! let pattern = JsRegex::new(r"^hey (?!you)\w+\b", Case::Ignored, &limits)?;
//! assert_eq!(pattern.is_match("Hey Kata, are you there?"), Ok(true));
//! assert_eq!(pattern.is_match("Hey you"), Ok(false));
//! # Ok::<(), kata_regex::PatternError>(())
//! ```

mod class;
mod escape;
mod translate;

use std::ops::Range;

use fancy_regex::{Regex, RegexBuilder};

/// A compiled JavaScript pattern, unanchored, with no flag but perhaps `i`.
#[derive(Clone, Debug)]
pub struct JsRegex {
    regex: Regex,
}

/// Whether case counts: JavaScript's flag `i`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Without the flag.
    Counts,
    /// With the flag.
    Ignored,
}

/// What a pattern may cost. There is no default: it depends on how often, and on what, a pattern is tried.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest pattern, bytes.
    pub longest: usize,
    /// Compiled size, bytes: `a{1000}{1000}` is refused instead of eating memory.
    pub compiled: usize,
    /// Steps of backtracking for one search; a million are some tens of milliseconds.
    pub backtracks: usize,
}

/// A pattern that JavaScript would refuse, that cannot be said in our engine, or that is over a limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// The text is over [`Limits::longest`]. It is not repeated here.
    #[error("the pattern is longer than {longest} bytes")]
    TooLong {
        /// The limit, bytes.
        longest: usize,
    },
    /// It cannot be compiled within the limits.
    #[error("the pattern `{pattern}` cannot be used: {reason}")]
    Refused {
        /// As it was written.
        pattern: String,
        /// What is wrong with it, as the end of a sentence.
        reason: String,
    },
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
    pub fn new(pattern: &str, case: Case, limits: &Limits) -> Result<Self, PatternError> {
        let longest = limits.longest;
        if pattern.len() > longest {
            return Err(PatternError::TooLong { longest });
        }
        let refuse = |reason: String| PatternError::Refused {
            pattern: pattern.to_owned(),
            reason,
        };
        let translated = translate::translate(pattern).map_err(|reason| refuse(reason.to_owned()))?;
        let regex = RegexBuilder::new(&translated)
            .case_insensitive(case == Case::Ignored)
            .backtrack_limit(limits.backtracks)
            .delegate_size_limit(limits.compiled)
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
