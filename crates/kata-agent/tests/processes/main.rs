//! Agents that are real processes: how they start, die and are ended, with all that they have started themselves.
//!
//! This binary is its own guard, agent and daemon, so that the tests need no other one; that is why it has no test harness.
#![expect(
    clippy::unwrap_used,
    reason = "all of this is test code, which clippy cannot see without a harness"
)]

#[cfg(unix)]
mod acp;
#[cfg(unix)]
mod agent;
#[cfg(unix)]
mod daemon;
#[cfg(unix)]
mod guard;
#[cfg(unix)]
mod witness;

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    unix::main()
}

/// Process groups, which all of this is about, are a Unix's.
#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
mod unix;
