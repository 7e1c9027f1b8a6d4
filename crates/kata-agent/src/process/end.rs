//! How a program ended.

use std::{fmt, process::ExitStatus};

/// What a shell, and a guard, add to the number of the signal that killed a program.
const KILLED: i32 = 128;

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Code(i32),
    Signal(i32),
}

// === impl End ===

impl End {
    /// Reads a status; of a guard, whose exit code tells its program's signal.
    pub(super) fn of(status: ExitStatus, is_guarded: bool) -> Self {
        match status.code() {
            Some(code) if is_guarded && code > KILLED => Self::Signal(code - KILLED),
            Some(code) => Self::Code(code),
            None => Self::Signal(signal(status)),
        }
    }

    pub(crate) fn is_success(self) -> bool {
        self == Self::Code(0)
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "ended with exit code {code}"),
            Self::Signal(signal) => write!(f, "was killed by signal {signal}"),
        }
    }
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;

    status.signal().unwrap_or_default()
}

#[cfg(not(unix))]
fn signal(_: ExitStatus) -> i32 {
    0
}
