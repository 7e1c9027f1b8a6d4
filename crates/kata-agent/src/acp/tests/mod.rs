//! Turns against an agent that the test plays, over pipes in memory. Processes are in `tests/processes.rs`.

mod agent;
pub(super) mod authority;
mod bench;
mod ends;
mod replay;
mod seeding;
mod sessions;
mod turns;
mod warmth;
