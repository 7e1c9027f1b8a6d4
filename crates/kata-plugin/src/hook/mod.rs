//! Hooks: where a plugin may look at, change or stop what passes.

mod message;
mod session;
mod tool;

use std::{fmt, sync::Arc};

pub use message::{Draft, MessageReceived, MessageSending, MessageSendingHooks, Received, Sending};
pub use session::{Session, SessionStart};
pub use tool::{AfterToolCall, AfterToolCallHooks, Before, BeforeToolCall, BeforeToolCallHooks, Outcome};

/// A hook, and the plugin that brought it: where that one is not enabled, the hook is not asked.
pub struct Hook<H: ?Sized> {
    /// The plugin it comes from.
    pub plugin: &'static str,
    /// The hook.
    pub hook: Arc<H>,
}

// === impl Hook ===

impl<H: ?Sized> Clone for Hook<H> {
    fn clone(&self) -> Self {
        Self {
            plugin: self.plugin,
            hook: Arc::clone(&self.hook),
        }
    }
}

impl<H: ?Sized> fmt::Debug for Hook<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook")
            .field("plugin", &self.plugin)
            .finish_non_exhaustive()
    }
}
