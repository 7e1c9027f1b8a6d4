//! What may be registered, and what not.

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

fn register(name: &'static str, input: Value) -> Result<Registrar, RegistrationError> {
    let mut registrar = Registrar::new();
    let spec = ToolSpec {
        name,
        input,
        ..sample::spec(sample::Echo)
    };
    registrar.register_tool("kata-slack", spec)?;
    Ok(registrar)
}

fn verified(input: Value) -> Result<(), RegistrationError> {
    register("slack_react", input)?.verify()
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
        assert!(register(good, object()).is_ok(), "{good}");
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
        let refused = verified(schema.clone()).unwrap_err();
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
        let refused = verified(schema).unwrap_err();
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
