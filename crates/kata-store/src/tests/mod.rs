//! The store on real SQLite in a temporary folder.

mod admission;
mod answering;
mod asking;
mod auditing;
mod controlling;
mod desk;
pub(crate) mod effort;
mod expiring;
mod explained;
mod firing;
mod gate_model;
mod gate_scale;
mod granting;
mod judging;
#[cfg(feature = "failpoints")]
mod killed;
#[cfg(feature = "failpoints")]
mod killed_gate;
#[cfg(feature = "failpoints")]
mod killed_pairing;
#[cfg(feature = "failpoints")]
mod killed_sessions;
#[cfg(feature = "failpoints")]
mod killed_tasks;
mod migrating;
mod model;
mod old;
mod old_tasks;
mod opening;
mod outbox;
mod pairing;
mod piled;
mod planner;
mod planning;
mod queue;
mod remembering;
mod scale;
mod support;
mod sweeping;
mod talk;
mod task_scale;
mod task_turns;
mod turns;
mod views;
mod writing;
