//! How much SQLite does for an operation: the steps of its virtual machine. Unlike time, it is the same on any machine.

use std::cell::Cell;

use rusqlite::{CachedStatement, StatementStatus};

thread_local! {
    static STEPS: Cell<i64> = const { Cell::new(0) };
    static RUNS: Cell<i64> = const { Cell::new(0) };
    static PREPARED_AGAIN: Cell<i64> = const { Cell::new(0) };
}

pub(crate) fn note(statement: &CachedStatement<'_>) {
    let steps = statement.reset_status(StatementStatus::VmStep);
    let again = statement.reset_status(StatementStatus::RePrepare);
    STEPS.with(|total| total.set(total.get() + i64::from(steps)));
    RUNS.with(|total| total.set(total.get() + 1));
    PREPARED_AGAIN.with(|total| total.set(total.get() + i64::from(again)));
}

/// The steps since the last call, on this thread.
pub(super) fn take() -> i64 {
    STEPS.with(|total| total.replace(0))
}

/// Statements run, and statements that SQLite prepared anew to run them, since the last call, on this thread.
pub(super) fn take_statements() -> (i64, i64) {
    (
        RUNS.with(|total| total.replace(0)),
        PREPARED_AGAIN.with(|total| total.replace(0)),
    )
}
