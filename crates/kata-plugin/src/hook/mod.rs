//! Hooks: where a plugin may look at, change or stop what passes.

mod message;
mod tool;

pub use message::{Draft, MessageSending, MessageSendingHooks, Sending};
pub use tool::{AfterToolCall, AfterToolCallHooks, Before, BeforeToolCall, BeforeToolCallHooks, Outcome};
