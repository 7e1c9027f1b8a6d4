//! The exit codes, in one table.

use std::process::ExitCode;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Drained, or done.
    Done,
    /// The configuration or the command line cannot be used (`EX_USAGE`).
    BadConfig,
    /// A bug, or state that cannot be read (`EX_SOFTWARE`).
    Bug,
    /// Try again later: another daemon holds the directory (`EX_TEMPFAIL`).
    TryLater,
}

impl Exit {
    /// The number the system sees.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::BadConfig => 64,
            Self::Bug => 70,
            Self::TryLater => 75,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
