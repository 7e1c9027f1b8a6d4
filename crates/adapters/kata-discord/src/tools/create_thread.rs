//! `discord_create_thread`: a thread of a message, one of its own, or a post in a forum.

use std::sync::Arc;

use async_trait::async_trait;
use http::Method;
use kata_plugin::{SideEffect, Tool, ToolContext, ToolDefault, ToolEffect, ToolError, ToolOutput, ToolSpec};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    channel,
    here::{Here, unwritten},
    id,
};
use crate::{
    adapter::quiet,
    atlas::kind,
    errors::code,
    registry::Registry,
    rest::{Call, wire::Channel},
};

/// A thread that everybody in the channel sees.
const PUBLIC: u64 = 11;

pub(super) fn spec(registry: Arc<Registry>) -> ToolSpec {
    ToolSpec {
        name: "discord_create_thread",
        description: "Opens a thread in a Discord channel: under a message, or on its own; in a forum it is a post, which needs a text.",
        input: json!({
            "type": "object",
            "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": 100, "description": "The thread's title."},
                "message": id("The message that the thread begins at. Left out: a thread of its own."),
                "text": {"type": "string", "minLength": 1, "maxLength": 2000, "description": "A forum post's first message."},
                "channel": channel(),
            },
            "required": ["name"],
            "additionalProperties": false,
        }),
        default: ToolDefault::Ask,
        effects: &[ToolEffect::Writes],
        side_effect: SideEffect::EveryTime,
        handler: Arc::new(CreateThread { registry }),
    }
}

struct CreateThread {
    registry: Arc<Registry>,
}

#[derive(Deserialize)]
struct Input {
    name: String,
    message: Option<String>,
    text: Option<String>,
    channel: Option<String>,
}

#[async_trait]
impl Tool for CreateThread {
    async fn call(&self, context: &ToolContext, input: Value) -> Result<ToolOutput, ToolError> {
        let input: Input = serde_json::from_value(input).map_err(|e| ToolError::Input(e.to_string()))?;
        let here = Here::find(&self.registry, context, input.channel.as_deref()).await?;
        let account = &here.desk.account;
        // A thread has no threads: one is opened beside it.
        let parent = here.place.conversation.as_str();
        let spot = account
            .atlas
            .find(parent, &account.rest)
            .await
            .map_err(unwritten)?;
        let is_forum = kind::is_forum(spot.kind);
        if is_forum && input.text.is_none() {
            return Err(ToolError::Input("a forum's post needs a text".into()));
        }
        let (path, body) = match (&input.message, &input.text) {
            (_, Some(text)) if is_forum => {
                let message = json!({"content": text, "allowed_mentions": quiet(false)});
                (
                    format!("/channels/{parent}/threads"),
                    json!({"name": input.name, "message": message}),
                )
            }
            (Some(message), _) => (
                format!("/channels/{parent}/messages/{message}/threads"),
                json!({"name": input.name}),
            ),
            (None, _) => (
                format!("/channels/{parent}/threads"),
                json!({"name": input.name, "type": PUBLIC}),
            ),
        };
        let call = Call::new("open a thread", Method::POST, path);
        let opened: Channel = account
            .rest
            .send(call, &body)
            .await
            .map_err(|error| match error.code() {
                Some(code::THREAD_EXISTS) => ToolError::Input("this message has a thread already".into()),
                _ => unwritten(error),
            })?;
        account.atlas.chart(&opened);
        Ok(ToolOutput::json(json!({"channel": parent, "thread": opened.id})))
    }
}
