//! What becomes of a transcript that has grown too long: its newest part stays, a summary takes the place of the rest.
//!
//! [`plan()`] says whether and where to cut. The [`Cut`] holds the [instruction](Cut::instruction) by which the agent itself
//! writes the summary, [takes it](Cut::apply) if it makes the session small enough, and [writes one
//! itself](Cut::fallback) where the agent failed, wrote too much, or would cost too much. A summary that was taken makes
//! the session fit: nothing is compacted again for the same prompt.
//!
//! It stores nothing. Whoever does archives as many of the oldest entries as were [folded](Cut::folded) and puts the
//! summary before the others, in one transaction: until then the old transcript is whole.
//!
//! ```
//! use kata_channel::Timestamp;
//! use kata_session::{Entry, Transcript, compaction::{Limits, Plan, plan}};
//!
//! let at = Timestamp::from_millis(0);
//! let mut transcript: Transcript = (0..40).map(|n| Entry::answer(format!("Step {n} is done."), at, None)).collect();
//! let limits = Limits::new(1_000, 250, 200);
//! if let Plan::Compact(cut) = plan(&transcript, &limits, 100) {
//!     // Here the agent is asked what `cut.instruction()` says. It failed, let us say.
//!     transcript = cut.apply(&cut.fallback())?;
//! }
//! assert_eq!(plan(&transcript, &limits, 100), Plan::Fits);
//! # Ok::<(), kata_session::compaction::Refused>(())
//! ```

mod cut;
mod fallback;
mod instruction;
mod limits;
mod marks;
mod plan;

pub use cut::{Cut, Refused};
pub use limits::Limits;
pub use plan::{Plan, plan};

#[cfg(test)]
mod tests;
