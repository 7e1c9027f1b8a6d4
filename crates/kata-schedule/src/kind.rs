//! The three kinds of schedules, by their names on the wire and in rows.

use std::{fmt, str::FromStr};

/// What a schedule's text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A cron pattern.
    Cron,
    /// Milliseconds between runs.
    Interval,
    /// One time.
    OneShot,
}

/// A kind that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the kind of a schedule is cron, interval or one-shot")]
pub struct UnknownKind {
    _private: (),
}

// === impl Kind ===

impl Kind {
    /// Its name: `cron`, `interval` or `one-shot`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Cron => "cron",
            Kind::Interval => "interval",
            Kind::OneShot => "one-shot",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Kind, UnknownKind> {
        [Kind::Cron, Kind::Interval, Kind::OneShot]
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .ok_or(UnknownKind { _private: () })
    }
}
