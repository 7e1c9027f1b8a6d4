//! Where a plugin registers what it brings.

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt, sync::Arc};

use crate::{
    channel::ChannelKind,
    hook::{
        AfterToolCall, AfterToolCallHooks, BeforeToolCall, BeforeToolCallHooks, Hook, MessageReceived,
        MessageSending, MessageSendingHooks, SessionStart,
    },
    registered::{RegisteredTool, ToolSet},
    schema::SchemaError,
    service::{RegisteredService, ServiceSpec},
    tool::ToolSpec,
};

/// Why something cannot be registered. Each is a mistake of the plugin that brings it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationError {
    /// Two plugins bring the same name.
    #[error("{what} {name:?} is registered by both {first} and {second}")]
    Taken {
        /// What has a name.
        what: &'static str,
        /// The name.
        name: &'static str,
        /// The plugin that brought it first.
        first: &'static str,
        /// The plugin that brings it too.
        second: &'static str,
    },
    /// Rules, agents and the wire could not name the tool.
    #[error(
        "tool {tool:?} of {plugin}: a name is 3 to 64 characters of a-z, 0-9 and _, and begins with a letter"
    )]
    Name {
        /// The tool.
        tool: &'static str,
        /// The plugin that brings it.
        plugin: &'static str,
    },
    /// Its inputs could not be validated.
    #[error("tool {tool:?} of {plugin}: {problem}")]
    Schema {
        /// The tool.
        tool: &'static str,
        /// The plugin that brings it.
        plugin: &'static str,
        /// What is wrong with its schema.
        problem: SchemaError,
    },
}

/// Everything the plugins brought.
#[derive(Clone, Default)]
pub struct Registrar {
    channels: BTreeMap<&'static str, ChannelKind>,
    tools: BTreeMap<&'static str, RegisteredTool>,
    services: BTreeMap<&'static str, RegisteredService>,
    message_received: Vec<Hook<dyn MessageReceived>>,
    session_start: Vec<Hook<dyn SessionStart>>,
    message_sending: Vec<Hook<dyn MessageSending>>,
    before_tool_call: Vec<Hook<dyn BeforeToolCall>>,
    after_tool_call: Vec<Hook<dyn AfterToolCall>>,
}

impl fmt::Debug for Registrar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registrar")
            .field("channels", &self.channels)
            .field("tools", &self.tools)
            .field("services", &self.services)
            .field("message_received", &self.message_received)
            .field("session_start", &self.session_start)
            .field("message_sending", &self.message_sending)
            .field("before_tool_call", &self.before_tool_call)
            .field("after_tool_call", &self.after_tool_call)
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
            return Err(RegistrationError::Taken {
                what: "channel",
                name: kind.adapter,
                first: first.plugin,
                second: kind.plugin,
            });
        }
        self.channels.insert(kind.adapter, kind);
        Ok(())
    }

    /// A plugin brings a tool. Its schema is compiled at its first call, or by [`verify`](Self::verify); it must hold all that
    /// it refers to, since nothing is fetched.
    ///
    /// # Errors
    /// As [`RegistrationError`].
    pub fn register_tool(&mut self, plugin: &'static str, spec: ToolSpec) -> Result<(), RegistrationError> {
        let tool = spec.name;
        if !is_tool_name(tool) {
            return Err(RegistrationError::Name { tool, plugin });
        }
        if let Some(first) = self.tools.get(tool) {
            return Err(RegistrationError::Taken {
                what: "tool",
                name: tool,
                first: first.plugin,
                second: plugin,
            });
        }
        let registered = RegisteredTool::new(plugin, spec).map_err(|problem| RegistrationError::Schema {
            tool,
            plugin,
            problem,
        })?;
        self.tools.insert(tool, registered);
        Ok(())
    }

    /// Compiles the schemas of all tools, which otherwise happens at each tool's first call. A plugin's tests ask for it, so
    /// that a mistake in a schema is found before anybody calls the tool.
    ///
    /// # Errors
    /// The first tool whose schema is none.
    pub fn verify(&self) -> Result<(), RegistrationError> {
        for (&tool, registered) in &self.tools {
            let plugin = registered.plugin;
            let bad = |problem| RegistrationError::Schema {
                tool,
                plugin,
                problem,
            };
            registered.compiles().map_err(bad)?;
        }
        Ok(())
    }

    /// All tools, by name.
    pub fn tools(&self) -> impl Iterator<Item = &RegisteredTool> {
        self.tools.values()
    }

    /// The tools of the plugins that are enabled.
    pub fn tool_set(&self, is_enabled: impl Fn(&'static str) -> bool) -> ToolSet {
        self.tools()
            .filter(|tool| is_enabled(tool.plugin))
            .cloned()
            .collect()
    }

    /// A plugin brings a service.
    ///
    /// # Errors
    /// Another plugin brought the same name.
    pub fn register_service(
        &mut self,
        plugin: &'static str,
        spec: ServiceSpec,
    ) -> Result<(), RegistrationError> {
        if let Some(first) = self.services.get(spec.name) {
            return Err(RegistrationError::Taken {
                what: "service",
                name: spec.name,
                first: first.plugin,
                second: plugin,
            });
        }
        self.services
            .insert(spec.name, RegisteredService { plugin, spec });
        Ok(())
    }

    /// All services, by name.
    pub fn services(&self) -> impl Iterator<Item = &RegisteredService> {
        self.services.values()
    }

    /// A plugin wants to see every message that came in and was stored. Hooks are told in the order in which they came.
    pub fn hook_message_received(&mut self, plugin: &'static str, hook: Arc<dyn MessageReceived>) {
        self.message_received.push(Hook { plugin, hook });
    }

    /// The hooks that see every message that came in.
    #[must_use]
    pub fn message_received(&self) -> &[Hook<dyn MessageReceived>] {
        &self.message_received
    }

    /// A plugin wants to see every session that begins. Hooks are told in the order in which they came.
    pub fn hook_session_start(&mut self, plugin: &'static str, hook: Arc<dyn SessionStart>) {
        self.session_start.push(Hook { plugin, hook });
    }

    /// The hooks that see every session that begins.
    #[must_use]
    pub fn session_start(&self) -> &[Hook<dyn SessionStart>] {
        &self.session_start
    }

    /// A plugin wants to see every tool call that the gate let through, and may stop it. Hooks are asked in the order in
    /// which they came.
    pub fn hook_before_tool_call(&mut self, plugin: &'static str, hook: Arc<dyn BeforeToolCall>) {
        self.before_tool_call.push(Hook { plugin, hook });
    }

    /// The hooks that see every tool call, of the plugins that are enabled.
    #[must_use]
    pub fn before_tool_call(&self, is_enabled: impl Fn(&'static str) -> bool) -> BeforeToolCallHooks {
        enabled(&self.before_tool_call, is_enabled)
    }

    /// A plugin wants to see what became of every tool call that ran. Hooks are told in the order in which they came.
    pub fn hook_after_tool_call(&mut self, plugin: &'static str, hook: Arc<dyn AfterToolCall>) {
        self.after_tool_call.push(Hook { plugin, hook });
    }

    /// The hooks that see what became of every tool call, of the plugins that are enabled.
    #[must_use]
    pub fn after_tool_call(&self, is_enabled: impl Fn(&'static str) -> bool) -> AfterToolCallHooks {
        enabled(&self.after_tool_call, is_enabled)
    }

    /// A plugin wants to see every answer before it is rendered. Hooks are asked in the order in which they came.
    pub fn hook_message_sending(&mut self, plugin: &'static str, hook: Arc<dyn MessageSending>) {
        self.message_sending.push(Hook { plugin, hook });
    }

    /// The hooks that see every answer, of the plugins that are enabled.
    #[must_use]
    pub fn message_sending(&self, is_enabled: impl Fn(&'static str) -> bool) -> MessageSendingHooks {
        enabled(&self.message_sending, is_enabled)
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

/// In their order.
fn enabled<H: ?Sized>(hooks: &[Hook<H>], is_enabled: impl Fn(&'static str) -> bool) -> Vec<Arc<H>> {
    hooks
        .iter()
        .filter(|hook| is_enabled(hook.plugin))
        .map(|hook| Arc::clone(&hook.hook))
        .collect()
}

/// `[a-z][a-z0-9_]{2,63}`: what every agent takes, and what a rule can name without escapes.
fn is_tool_name(name: &str) -> bool {
    (3..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}
