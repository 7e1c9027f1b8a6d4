//! Keeps a program from outliving the daemon: a process between the two.
//!
//! The daemon holds the write end of a pipe, the guard reads it. However the daemon ends, SIGKILL included, the kernel
//! closes that end, and the guard ends the program's process group: SIGTERM, and SIGKILL 2 s later. There is no
//! other way to end a guard but to end its program.
//!
//! What leaves the group on purpose (`setsid`) is not found again, and a guard that is itself killed by SIGKILL ends
//! nothing.

use std::{ffi::OsString, path::PathBuf};

#[cfg(unix)]
pub use self::unix::run;

#[cfg(unix)]
mod unix;

/// How a guard is started: `{program} {args…} --control {descriptor} -- {command…}`. That program hands the rest to
/// [`run`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The program: the daemon's own.
    pub program: PathBuf,
    /// What stands before `--control`: the subcommand.
    pub args: Vec<OsString>,
}
