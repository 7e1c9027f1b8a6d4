//! `slack_react`: an emoji under a message.

use std::sync::Arc;

use async_trait::async_trait;
use kata_plugin::{SideEffect, Tool, ToolContext, ToolDefault, ToolEffect, ToolError, ToolOutput, ToolSpec};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    channel,
    here::{Here, unwritten},
    ts,
};
use crate::{
    registry::Registry,
    web::{Call, wire::Done},
};

pub(super) fn spec(registry: Arc<Registry>) -> ToolSpec {
    ToolSpec {
        name: "slack_react",
        description: "Puts an emoji reaction on a message in a Slack conversation.",
        input: json!({
            "type": "object",
            "properties": {
                "timestamp": ts("The message."),
                "name": {
                    "type": "string", "pattern": "^:?[a-z0-9_+'-]{1,100}(::skin-tone-[2-6])?:?$",
                    "description": "The emoji's name: thumbsup.",
                },
                "channel": channel(),
            },
            "required": ["timestamp", "name"],
            "additionalProperties": false,
        }),
        default: ToolDefault::Ask,
        effects: &[ToolEffect::Writes],
        side_effect: SideEffect::Idempotent,
        handler: Arc::new(React { registry }),
    }
}

struct React {
    registry: Arc<Registry>,
}

#[derive(Deserialize)]
struct Input {
    timestamp: String,
    name: String,
    channel: Option<String>,
}

#[async_trait]
impl Tool for React {
    async fn call(&self, context: &ToolContext, input: Value) -> Result<ToolOutput, ToolError> {
        let input: Input = serde_json::from_value(input).map_err(|e| ToolError::Input(e.to_string()))?;
        let Here { desk, conversation } = Here::find(&self.registry, context, input.channel.as_deref())?;
        let name = input.name.trim_matches(':');
        let body = json!({"channel": conversation, "timestamp": input.timestamp, "name": name});
        let call = Call::method("reactions.add");
        match desk.account.web.post::<_, Done>(call, &body).await {
            Ok(_) => {}
            Err(error) if error.code() == Some("already_reacted") => {}
            Err(error) if error.code() == Some("invalid_name") => {
                return Err(ToolError::Input(format!("Slack knows no emoji {name:?}")));
            }
            Err(error) => return Err(unwritten(error)),
        }
        Ok(ToolOutput::json(json!({"reacted": name})))
    }
}
