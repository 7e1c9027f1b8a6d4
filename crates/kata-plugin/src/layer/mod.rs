//! The TOOL stack, and [`MessageSendingLayer`] of the way out: what stands between an agent's call and the tool that carries it
//! out. Each layer of the tool stack is a
//! [`tower::Layer`] over `Service<ToolCall, Response = ToolOutput, Error = Error>`, and knows nothing of its neighbours.
//!
//! From the outside in, with the permission gate of kata-perm between the first and the second:
//! [`ValidateLayer`] · gate · [`BeforeToolCallLayer`] · [`AfterToolCallLayer`] · [`ToolLimitLayer`] · [`BoundLayer`] ·
//! [`ToolTimeoutLayer`] · [`Tools`]. What does not fit its schema is not asked about; a person who takes minutes holds no slot
//! and uses up no timeout; a hook that looks at results sees what timed out too.

mod after;
mod before;
mod bound;
mod limit;
mod sending;
#[cfg(test)]
mod tests;
mod timeout;
mod tools;
mod validate;

pub use after::{AfterToolCallLayer, AfterToolCallService};
pub use before::{BeforeToolCallLayer, BeforeToolCallService, Blocked};
pub use bound::{Bound, BoundLayer};
pub use limit::{ToolLimit, ToolLimitLayer};
pub use sending::{MessageSendingLayer, MessageSendingService, Withheld};
pub use timeout::{ToolTimeout, ToolTimeoutLayer};
pub use tools::{Tools, UnknownTool};
pub use validate::{Invalid, Validate, ValidateLayer};

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt as _;
use tokio::time::timeout;

/// What stands in the stack's errors. Its text is one sentence for the agent.
pub type Error = kata_perm::gate::Error;

/// How long one hook may look at one thing.
pub const HOOK: Duration = Duration::from_secs(5);

/// What a hook says, within [`HOOK`]; or why it says nothing. A hook that panics costs its own look: the panic itself stands in
/// the log.
pub(crate) async fn asked<T>(hook: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    match timeout(HOOK, AssertUnwindSafe(hook).catch_unwind()).await {
        Ok(Ok(said)) => said,
        Ok(Err(_)) => Err("it broke down".to_owned()),
        Err(_) => Err(format!("it did not answer within {HOOK:?}")),
    }
}
