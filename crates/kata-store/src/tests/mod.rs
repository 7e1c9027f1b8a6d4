//! The store on real SQLite in a temporary folder.

mod admission;
pub(crate) mod effort;
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
