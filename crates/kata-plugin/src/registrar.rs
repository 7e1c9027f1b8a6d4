//! What a plugin is, and where it registers what it brings.

use std::{collections::BTreeMap, fmt, sync::Arc};

use crate::{
    channel::ChannelFactory,
    hook::{MessageSending, MessageSendingHooks},
    tool::ToolSpec,
};

/// A first-party plugin, compiled in.
pub trait Plugin: Send + Sync + 'static {
    /// Its id: `kata-` and the platform's name. This is what `enabledPlugins` holds.
    fn id(&self) -> &'static str;

    /// Its name for people.
    fn name(&self) -> &'static str;

    /// Its version.
    fn version(&self) -> &'static str;

    /// Brings what it has. Called once, at start.
    ///
    /// # Errors
    /// A name is taken already.
    fn register(&self, to: &mut Registrar) -> Result<(), RegistrationError>;
}

/// A kind of channel that a plugin brings.
#[derive(Clone)]
pub struct ChannelKind {
    /// The adapter's name in a channel config (`slack`).
    pub adapter: &'static str,
    /// The plugin it comes from.
    pub plugin: &'static str,
    /// The environment variable that moves its address, for tests and proxies.
    pub endpoint_variable: Option<&'static str>,
    /// Makes one.
    pub make: ChannelFactory,
}

impl fmt::Debug for ChannelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelKind")
            .field("adapter", &self.adapter)
            .field("plugin", &self.plugin)
            .finish_non_exhaustive()
    }
}

/// A tool, and the plugin that brought it.
#[derive(Clone, Debug)]
pub struct RegisteredTool {
    /// The plugin it comes from.
    pub plugin: &'static str,
    /// The tool.
    pub spec: ToolSpec,
}

/// Two plugins bring the same name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {name:?} is registered by both {first} and {second}")]
pub struct RegistrationError {
    what: &'static str,
    name: &'static str,
    first: &'static str,
    second: &'static str,
}

/// Everything the plugins brought.
#[derive(Clone, Default)]
pub struct Registrar {
    channels: BTreeMap<&'static str, ChannelKind>,
    tools: BTreeMap<&'static str, RegisteredTool>,
    message_sending: MessageSendingHooks,
}

impl fmt::Debug for Registrar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hooks: Vec<_> = self.message_sending.iter().map(|hook| hook.name()).collect();
        f.debug_struct("Registrar")
            .field("channels", &self.channels)
            .field("tools", &self.tools)
            .field("message_sending", &hooks)
            .finish()
    }
}

impl Registrar {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A plugin brings a kind of channel.
    ///
    /// # Errors
    /// Another plugin brought the same name.
    pub fn register_channel(&mut self, kind: ChannelKind) -> Result<(), RegistrationError> {
        if let Some(first) = self.channels.get(kind.adapter) {
            return Err(RegistrationError {
                what: "channel",
                name: kind.adapter,
                first: first.plugin,
                second: kind.plugin,
            });
        }
        self.channels.insert(kind.adapter, kind);
        Ok(())
    }

    /// A plugin brings a tool.
    ///
    /// # Errors
    /// Another tool has this name.
    pub fn register_tool(&mut self, plugin: &'static str, spec: ToolSpec) -> Result<(), RegistrationError> {
        if let Some(first) = self.tools.get(spec.name) {
            return Err(RegistrationError {
                what: "tool",
                name: spec.name,
                first: first.plugin,
                second: plugin,
            });
        }
        self.tools.insert(spec.name, RegisteredTool { plugin, spec });
        Ok(())
    }

    /// All tools, by name.
    pub fn tools(&self) -> impl Iterator<Item = &RegisteredTool> {
        self.tools.values()
    }

    /// A plugin wants to see every answer before it is rendered. Hooks are asked in the order in which they came.
    pub fn hook_message_sending(&mut self, hook: Arc<dyn MessageSending>) {
        self.message_sending.push(hook);
    }

    /// The hooks that see every answer.
    #[must_use]
    pub fn message_sending(&self) -> &[Arc<dyn MessageSending>] {
        &self.message_sending
    }

    /// The kind of channel with this name.
    #[must_use]
    pub fn channel(&self, adapter: &str) -> Option<&ChannelKind> {
        self.channels.get(adapter)
    }

    /// All kinds of channels, by name.
    pub fn channels(&self) -> impl Iterator<Item = &ChannelKind> {
        self.channels.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SetupError;

    fn kind(adapter: &'static str, plugin: &'static str) -> ChannelKind {
        ChannelKind {
            adapter,
            plugin,
            endpoint_variable: None,
            make: Arc::new(|_| Err(SetupError::Invalid("not in this test".into()))),
        }
    }

    #[test]
    fn a_name_that_is_taken_is_refused_with_both_owners_named() {
        let mut registrar = Registrar::new();
        registrar.register_channel(kind("slack", "kata-slack")).unwrap();
        let refused = registrar
            .register_channel(kind("slack", "kata-other"))
            .unwrap_err();
        assert_eq!(
            refused.to_string(),
            "channel \"slack\" is registered by both kata-slack and kata-other"
        );
        assert_eq!(registrar.channel("slack").map(|k| k.plugin), Some("kata-slack"));
    }
}
