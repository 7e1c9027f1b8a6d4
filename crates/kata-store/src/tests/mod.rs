//! The store on real SQLite in a temporary folder.

mod admission;
mod answering;
mod asking;
mod auditing;
mod desk;
pub(crate) mod effort;
mod explained;
mod gate_model;
mod gate_scale;
mod granting;
mod judging;
#[cfg(feature = "failpoints")]
mod killed;
#[cfg(feature = "failpoints")]
mod killed_gate;
mod migrating;
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
