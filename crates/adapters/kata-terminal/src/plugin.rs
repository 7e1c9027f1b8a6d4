//! The plugin that brings the terminal.

use std::sync::Arc;

use kata_plugin::{ChannelKind, Plugin, Registrar, RegistrationError};

use crate::{Terminal, adapter::TerminalAdapter};

/// The adapter's name in a channel config.
pub const ADAPTER: &str = "terminal";

const ID: &str = "kata-terminal";

/// Brings channels that talk to one terminal.
#[derive(Clone, Debug)]
pub struct TerminalPlugin {
    terminal: Terminal,
}

// === impl TerminalPlugin ===

impl TerminalPlugin {
    /// Channels made by this plugin share `terminal`: one at a time reads, all may print.
    #[must_use]
    pub fn new(terminal: Terminal) -> Self {
        Self { terminal }
    }
}

impl Plugin for TerminalPlugin {
    fn id(&self) -> &'static str {
        ID
    }

    fn name(&self) -> &'static str {
        "Terminal"
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn register(&self, to: &mut Registrar) -> Result<(), RegistrationError> {
        let terminal = self.terminal.clone();
        to.register_channel(ChannelKind {
            adapter: ADAPTER,
            plugin: ID,
            endpoint_variable: None,
            make: Arc::new(move |ctx| {
                Ok(Arc::new(TerminalAdapter::new(
                    terminal.clone(),
                    ctx.key,
                    ctx.clock,
                )))
            }),
        })
    }
}
