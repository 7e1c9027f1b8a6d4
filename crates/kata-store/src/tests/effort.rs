//! How much SQLite does for an operation: the steps of its virtual machine. Unlike time, it is the same on any machine.

use std::cell::Cell;

use rusqlite::{CachedStatement, StatementStatus};

thread_local! {
    static STEPS: Cell<i64> = const { Cell::new(0) };
}

pub(crate) fn note(statement: &CachedStatement<'_>) {
    let steps = statement.reset_status(StatementStatus::VmStep);
    STEPS.with(|total| total.set(total.get() + i64::from(steps)));
}

/// The steps since the last call, on this thread.
pub(super) fn take() -> i64 {
    STEPS.with(|total| total.replace(0))
}
