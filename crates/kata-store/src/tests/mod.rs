//! The store on real SQLite in a temporary folder.

mod admission;
pub(crate) mod effort;
mod explained;
#[cfg(feature = "failpoints")]
mod killed;
mod model;
mod old;
mod opening;
mod outbox;
mod queue;
mod scale;
mod support;
mod sweeping;
mod turns;
mod views;
mod writing;
