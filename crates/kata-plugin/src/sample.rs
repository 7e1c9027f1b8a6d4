//! What the tests of this crate call.

use std::sync::Arc;

use async_trait::async_trait;
use kata_channel::{ChannelKey, Place};
use kata_perm::{ToolCall, ToolDefault};
use serde_json::{Value, json};

use crate::{
    registered::{RegisteredTool, ToolSet},
    tool::{SideEffect, Tool, ToolContext, ToolEffect, ToolError, ToolOutput, ToolSpec},
};

/// Says what it was told.
pub(crate) struct Echo;

#[async_trait]
impl Tool for Echo {
    async fn call(&self, _: &ToolContext, input: Value) -> Result<ToolOutput, ToolError> {
        Ok(ToolOutput::json(input))
    }
}

/// `slack_echo {text}`, carried out by `handler`.
pub(crate) fn spec(handler: impl Tool) -> ToolSpec {
    ToolSpec {
        name: "slack_echo",
        description: "Says what it was told.",
        input: json!({"type": "object", "properties": {"text": {"type": "string"}}}),
        default: ToolDefault::Allow,
        effects: &[ToolEffect::Reads],
        side_effect: SideEffect::None,
        handler: Arc::new(handler),
    }
}

/// What a workspace with the Slack plugin has.
pub(crate) fn set(specs: impl IntoIterator<Item = ToolSpec>) -> ToolSet {
    let registered = |spec| RegisteredTool::new("kata-slack", spec).unwrap();
    specs.into_iter().map(registered).collect()
}

pub(crate) fn context() -> Arc<ToolContext> {
    let place = Place {
        conversation: "C1".into(),
        thread: None,
    };
    Arc::new(ToolContext::new(
        ChannelKey::new("ws-1", "team"),
        place,
        "daemon-team-1",
    ))
}

pub(crate) fn call() -> ToolCall {
    ToolCall::new("slack_echo", json!({"text": "hi"}))
}
