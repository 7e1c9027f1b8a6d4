//! The plugin contract: one crate a platform brings channels and tools (later also services) into the daemon
//! through a [`Registrar`]. First-party only, compiled in, enabled per workspace.
//!
//! Beside the contract stands what every tool call passes: the [`layer`]s of the TOOL stack, and the [`mcp`] face that
//! tools show to agents.
//!
//! This crate refuses to know: the wire to the host, the store, which plugins exist, who may call what.

mod channel;
mod hook;
pub mod layer;
pub mod mcp;
mod registered;
mod registrar;
#[cfg(test)]
mod sample;
mod schema;
mod tool;

pub use channel::{ChannelContext, ChannelFactory, SetupError};
pub use hook::{
    AfterToolCall, AfterToolCallHooks, Before, BeforeToolCall, BeforeToolCallHooks, Draft, MessageSending,
    MessageSendingHooks, Outcome, Sending,
};
pub use kata_perm::{ToolCall, ToolDefault};
pub use layer::{
    AfterToolCallLayer, BeforeToolCallLayer, BoundLayer, ToolLimitLayer, ToolTimeoutLayer, Tools,
    ValidateLayer,
};
pub use registered::{RegisteredTool, ToolSet};
pub use registrar::{ChannelKind, Plugin, Registrar, RegistrationError};
pub use schema::{Misfit, SchemaError};
pub use tool::{SideEffect, Tool, ToolContext, ToolEffect, ToolError, ToolOutput, ToolSpec};
