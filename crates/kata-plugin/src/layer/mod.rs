//! The TOOL stack: what stands between an agent's call and the tool that carries it out. Each layer is a
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
#[cfg(test)]
mod tests;
mod timeout;
mod tools;
mod validate;

pub use after::{AfterToolCallLayer, AfterToolCallService};
pub use before::{BeforeToolCallLayer, BeforeToolCallService, Blocked};
pub use bound::{Bound, BoundLayer};
pub use limit::{ToolLimit, ToolLimitLayer};
pub use timeout::{ToolTimeout, ToolTimeoutLayer};
pub use tools::{Tools, UnknownTool};
pub use validate::{Invalid, Validate, ValidateLayer};

use std::time::Duration;

/// What stands in the stack's errors. Its text is one sentence for the agent.
pub type Error = kata_perm::gate::Error;

/// How long one hook may look at one call.
pub const HOOK: Duration = Duration::from_secs(5);
