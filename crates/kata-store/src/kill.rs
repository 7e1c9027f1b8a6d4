//! Places to die at, for the kill tests. With the feature `failpoints`, a point that is set to `return` aborts the process.

/// The operations that have a point before and one after their commit: `{name}.before_commit` and
/// `{name}.after_commit`. Several operations may share a commit; each one's points are passed then.
pub const KILL_POINTS: &[&str] = &[
    "admit",
    "claim",
    "finish",
    "fail",
    "busy",
    "give_back",
    "cancel",
    "claim_out",
    "prepare",
    "settle",
    "adopt",
    "sweep",
];

/// The same for the operations of the gate.
pub const GATE_KILL_POINTS: &[&str] = &[
    "judge", "ask", "resolve", "expire", "withdraw", "grants", "revoke",
];

/// The same for the operations of scheduled tasks.
pub const TASK_KILL_POINTS: &[&str] = &[
    "create_task",
    "cancel_task",
    "set_task",
    "park_task",
    "fire",
    "end_fire",
    "skip",
    "claim_task",
];

/// The same for the operations of pairing.
pub const PAIRING_KILL_POINTS: &[&str] = &["pair", "unpair"];

/// The same for the operations on what is remembered of sessions.
pub const SESSION_KILL_POINTS: &[&str] = &["compact", "expire_sessions"];

/// Where a batch of operations stands.
#[derive(Clone, Copy)]
pub(crate) enum When {
    Before,
    After,
}

/// Passes the points of these operations.
#[cfg(feature = "failpoints")]
pub(crate) fn pass(operations: &[&'static str], when: When) {
    let when = match when {
        When::Before => "before_commit",
        When::After => "after_commit",
    };
    for operation in operations {
        let name = format!("{operation}.{when}");
        // An abort and not an exit: what a kill -9 leaves behind is what is tested.
        fail::fail_point!(&name, |_| std::process::abort());
    }
}

#[cfg(not(feature = "failpoints"))]
pub(crate) fn pass(_operations: &[&'static str], _when: When) {}

/// A disk that is full at the commit of one of these operations: their point `{name}.refused` is set to `return`.
#[cfg(feature = "failpoints")]
pub(crate) fn refuse(operations: &[&'static str]) -> Result<(), crate::StoreError> {
    for operation in operations {
        let name = format!("{operation}.refused");
        fail::fail_point!(&name, |_| Err(crate::StoreError::disk_full()));
    }
    Ok(())
}

#[cfg(not(feature = "failpoints"))]
pub(crate) fn refuse(_operations: &[&'static str]) -> Result<(), crate::StoreError> {
    Ok(())
}
