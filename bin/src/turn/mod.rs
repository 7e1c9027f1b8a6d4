//! The TURN stack's own layers, and what is done with a turn's outcome.

mod budget;
mod by_leave;
mod claimed;
mod end;
mod files;
mod history;
mod open;
mod record;
mod session;
mod slot;

pub(crate) use budget::BudgetLayer;
pub(crate) use by_leave::ByLeaveLayer;
pub(crate) use claimed::Claimed;
pub(crate) use end::{answered_late, run};
pub(crate) use files::FilesLayer;
pub(crate) use history::{Complaints, HistoryLayer, Past, Summarise, key_of as summary_key};
pub(crate) use open::OpenTurns;
pub(crate) use session::SessionLayer;
pub(crate) use slot::{Slot, Slots};
