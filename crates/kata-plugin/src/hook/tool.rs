//! Tool calls, before and after they ran.

use std::{error::Error, sync::Arc};

use async_trait::async_trait;
use kata_perm::ToolCall;

use crate::tool::{ToolContext, ToolOutput};

/// What a hook says of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Before {
    /// It may run.
    Go,
    /// It must not.
    Block {
        /// Why, as a sentence for the agent.
        reason: String,
    },
}

/// Sees every call that the gate let through, and may stop it. A hook that fails or takes too long stops the call: what
/// could not be looked at does not run.
#[async_trait]
pub trait BeforeToolCall: Send + Sync + 'static {
    /// Its name, which the agent is told when it stops a call.
    fn name(&self) -> &str;

    /// Looks at the call.
    ///
    /// # Cancel safety
    /// Must be cancel safe: past its deadline it is dropped.
    ///
    /// # Errors
    /// Why it could not look, as a sentence.
    async fn before(&self, context: &ToolContext, call: &ToolCall) -> Result<Before, String>;
}

/// Hooks, in the order in which they came.
pub type BeforeToolCallHooks = Vec<Arc<dyn BeforeToolCall>>;

/// What became of a call.
#[derive(Clone, Copy, Debug)]
pub enum Outcome<'a> {
    /// It ran.
    Done(&'a ToolOutput),
    /// It failed; what it does may have been done all the same.
    Failed(&'a (dyn Error + Send + Sync + 'static)),
}

/// Sees what became of every call that ran. It changes nothing: a hook that fails or takes too long is logged.
#[async_trait]
pub trait AfterToolCall: Send + Sync + 'static {
    /// Its name, for the log.
    fn name(&self) -> &str;

    /// Looks at the call and its outcome.
    ///
    /// # Cancel safety
    /// Must be cancel safe: past its deadline, or with the turn, it is dropped.
    ///
    /// # Errors
    /// Why it could not look, as a sentence.
    async fn after(&self, context: &ToolContext, call: &ToolCall, outcome: Outcome<'_>)
    -> Result<(), String>;
}

/// Hooks, in the order in which they came.
pub type AfterToolCallHooks = Vec<Arc<dyn AfterToolCall>>;
