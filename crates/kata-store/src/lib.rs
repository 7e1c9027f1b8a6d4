//! The daemon's SQLite state: queue, outbox, cursors, sessions, grants, audit, tasks, behind one async handle.
//!
//! One thread writes; what waits for it together is committed together, with one `fsync`. Readers are a small pool
//! that cannot write. The file is the Kata 0.7 daemon's `daemon.db`, opened in place and left usable by that daemon:
//! its columns keep their meaning, ours stand beside them.
//!
//! What this crate refuses to know: platforms, agents, the wire, rules. It stores texts, names and times, keeps messages
//! of one lane in order, and makes the steps of their lives durable. When something is tried, what is said, and what the
//! rules say about a tool call, is the caller's; that a grant is used once and that every verdict is written down is ours.
//! When a task runs is the caller's too; that each run is made once is ours.
//!
//! # Example
//! ```
//! # use std::sync::Arc;
//! use kata_store::{Claim, OpenOptions, Store, UnixMs};
//!
//! # let folder = tempfile::tempdir()?;
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! let options = OpenOptions {
//!     session_key: |slug, workspace, thread_key, generation| format!("{slug}:{workspace}:{thread_key}:{generation}"),
//!     lane: |conversation, thread| format!("{conversation}/{}", thread.unwrap_or_default()),
//!     now: Arc::new(|| UnixMs(1_700_000_000_000)),
//!     min_free_bytes: 0,
//!     max_waiting_rows: 1_000_000,
//!     max_attempts: 5,
//!     max_lease_attempts: 2,
//!     audit_head: None,
//! };
//! let store = Store::open(&folder.path().join("daemon.db"), options)?.store;
//! # runtime.block_on(async {
//! let channel = store.channel("workspace", "support").await?;
//! assert!(matches!(store.claim(vec![(channel.id, 1)]).await?, Claim::Nothing { next_due: None }));
//! store.close().await?;
//! # Ok::<_, kata_store::StoreError>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod admit;
mod adopt;
mod answer;
mod approval;
mod attempt;
mod audit;
mod cancel;
mod channel;
mod claim;
mod control;
mod count;
mod cursor;
mod damage;
mod edit;
mod effect;
mod error;
mod expire;
mod gate;
mod grant;
mod job;
mod judge;
mod kill;
mod lane;
mod message;
mod migrate;
mod notice;
mod open;
mod operations;
mod outbox;
mod outgoing;
mod pairing;
mod pairings;
mod past;
mod payload;
mod reset;
mod room;
mod row;
mod session;
mod sessions;
mod settle;
mod sign;
mod state;
mod store;
mod sweep;
mod task;
mod tasks;
#[cfg(test)]
mod tests;
mod time;
mod trail;
mod transcript;
mod turn;
mod turn_end;
mod tx;
mod view;
mod words;
mod writer;

pub use adopt::Adopted;
pub use approval::{
    Answered, AnsweredFn, AnsweredWhat, Approval, ApprovalEffect, ApprovalFilter, Card, CardFn, CardPlace,
    NewApproval, OpenedApproval, Reply, Run,
};
pub use audit::{AuditFilter, AuditReport, AuditRow, Break, Broken, HeadStanding};
pub use control::{Control, ControlEffect};
pub use damage::SetAside;
pub use error::{Cause, OpenError, StoreError};
pub use expire::Expired;
pub use grant::{FileGrant, Grant, GrantFilter};
pub use judge::{Counted, Judge, Judged, Scope};
pub use kill::{GATE_KILL_POINTS, KILL_POINTS, PAIRING_KILL_POINTS, SESSION_KILL_POINTS, TASK_KILL_POINTS};
pub use message::{
    Admit, Arrival, Channel, ChannelId, CursorMove, Effect, LaneView, NewMessage, Outcome, ReplyFn,
};
pub use open::{OpenOptions, Opened};
pub use outgoing::{OutClaim, OutWork, Part, RawAnswer, Settle, Settled};
pub use pairing::{Pairing, PairingCode, PairingEffect, PairingFn, PairingOutcome};
pub use room::Room;
pub use session::SessionName;
pub use store::Store;
pub use sweep::{Retention, Swept};
pub use task::{
    AfterFailure, Created, Creator, Fire, FireEnd, FireEnded, FireView, FireWhat, Fired, FiredBy, FiredTurn,
    NewTask, NextRun, Skipped, Task, TaskFilter, TaskLimits, TaskTurn,
};
pub use time::UnixMs;
pub use transcript::{Compaction, KeptEntry, NewEntry, Record, Usage};
pub use turn::{
    Answer, Away, Claim, ClaimedRow, ClaimedTurn, Failed, Failure, Finished, NoticeFn, Retried, Take,
};
pub use view::{
    ChannelCounts, Direction, Explanation, Listed, MessageFilter, QueuePlace, SessionView, Step, View,
};
pub use words::{
    ApprovalDecision, ApprovalState, AuditKind, FireState, GrantSource, PairingState, Ruling, Speaker,
    TaskKind, Via,
};
