//! The plugin contract: one crate a platform brings channels and tools (later also services) into the daemon
//! through a [`Registrar`]. First-party only, compiled in, enabled per workspace.
//!
//! This crate refuses to know: the wire, the store, which plugins exist.

mod channel;
mod hook;
mod registrar;
mod tool;

pub use channel::{ChannelContext, ChannelFactory, SetupError};
pub use hook::{Draft, MessageSending, MessageSendingHooks, Sending};
pub use kata_perm::{ToolCall, ToolDefault};
pub use registrar::{ChannelKind, Plugin, RegisteredTool, Registrar, RegistrationError};
pub use tool::{SideEffect, Tool, ToolContext, ToolEffect, ToolError, ToolOutput, ToolSpec};
