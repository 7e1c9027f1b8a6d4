//! Where a plugin registers what it brings.

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

    /// A plugin brings a tool. Its schema is compiled here, once; it must hold all that it refers to, since nothing is
    /// fetched.
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{SetupError, sample, service::Service};

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

    #[test]
    fn a_service_name_is_taken_once() {
        let spec = || ServiceSpec {
            name: "presence",
            make: Arc::new(|| Arc::new(Idle) as Arc<dyn Service>),
        };
        let mut registrar = Registrar::new();
        registrar.register_service("kata-irc", spec()).unwrap();
        let refused = registrar.register_service("kata-mail", spec()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "service \"presence\" is registered by both kata-irc and kata-mail"
        );
        let owners: Vec<_> = registrar.services().map(|service| service.plugin).collect();
        assert_eq!(owners, ["kata-irc"]);
    }

    /// Lets everything go.
    struct Lets(&'static str);

    #[async_trait::async_trait]
    impl BeforeToolCall for Lets {
        fn name(&self) -> &str {
            self.0
        }

        async fn before(&self, _: &crate::ToolContext, _: &crate::ToolCall) -> Result<crate::Before, String> {
            Ok(crate::Before::Go)
        }
    }

    #[test]
    fn a_workspace_has_the_hooks_of_its_plugins_alone_in_their_order() {
        let mut registrar = Registrar::new();
        for (plugin, name) in [("kata-irc", "b"), ("kata-slack", "c"), ("kata-irc", "a")] {
            registrar.hook_before_tool_call(plugin, Arc::new(Lets(name)));
        }
        let hooks = registrar.before_tool_call(|plugin| plugin == "kata-irc");
        let names: Vec<_> = hooks.iter().map(|hook| hook.name()).collect();
        assert_eq!(names, ["b", "a"]);
    }

    /// Waits to be stopped.
    struct Idle;

    #[async_trait::async_trait]
    impl Service for Idle {
        async fn run(&self, context: crate::ServiceContext) -> Result<(), String> {
            context.stop.cancelled().await;
            Ok(())
        }
    }

    fn register(name: &'static str, input: Value) -> Result<(), RegistrationError> {
        let mut registrar = Registrar::new();
        let spec = ToolSpec {
            name,
            input,
            ..sample::spec(sample::Echo)
        };
        registrar.register_tool("kata-slack", spec)
    }

    #[test]
    fn a_tool_has_a_name_that_rules_and_agents_can_name() {
        let object = || json!({"type": "object"});
        for good in [
            "abc",
            "slack_react",
            "a_1",
            "x12345678901234567890123456789012345678901234567890123456789ABC",
        ] {
            let good = good.to_ascii_lowercase().leak();
            assert_eq!(register(good, object()), Ok(()), "{good}");
        }
        let long = "x".repeat(65).leak();
        for bad in [
            "",
            "ab",
            "Slack",
            "slack-react",
            "_ab",
            "1ab",
            "slack react",
            "släck",
            long,
        ] {
            let refused = register(bad, object()).unwrap_err();
            assert!(matches!(refused, RegistrationError::Name { .. }), "{bad}");
        }
    }

    #[test]
    fn a_schema_that_cannot_validate_is_refused_with_tool_and_plugin_named() {
        let bad = [
            json!(true),
            json!({}),
            json!({"type": "string"}),
            json!({"type": ["object", "null"]}),
            json!({"type": "object", "properties": {"n": {"type": "nummer"}}}),
            json!({"type": "object", "properties": {"n": {"$ref": "#/$defs/absent"}}}),
        ];
        for schema in bad {
            let refused = register("slack_react", schema.clone()).unwrap_err();
            assert!(matches!(refused, RegistrationError::Schema { .. }), "{schema}");
            let sentence = refused.to_string();
            assert!(
                sentence.starts_with("tool \"slack_react\" of kata-slack: "),
                "{sentence}"
            );
        }
    }

    #[test]
    fn nothing_is_fetched_for_a_schema() {
        for reference in [
            "https://example.com/schema.json",
            "http://127.0.0.1:1/s",
            "file:///etc/hostname",
        ] {
            let schema = json!({"type": "object", "properties": {"n": {"$ref": reference}}});
            let refused = register("slack_react", schema).unwrap_err();
            assert!(matches!(refused, RegistrationError::Schema { .. }), "{reference}");
        }
    }

    #[test]
    fn a_workspace_has_the_tools_of_its_plugins_alone() {
        let mut registrar = Registrar::new();
        for (plugin, name) in [("kata-slack", "slack_react"), ("kata-irc", "irc_say")] {
            let spec = ToolSpec {
                name,
                ..sample::spec(sample::Echo)
            };
            registrar.register_tool(plugin, spec).unwrap();
        }
        let set = registrar.tool_set(|plugin| plugin == "kata-irc");
        assert!(set.get("irc_say").is_some() && set.get("slack_react").is_none());
        assert_eq!(set.iter().count(), 1);
    }
}
