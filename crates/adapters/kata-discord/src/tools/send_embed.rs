//! `discord_send_embed`: a message with a box, where the turn is.

use std::sync::Arc;

use async_trait::async_trait;
use http::Method;
use kata_plugin::{SideEffect, Tool, ToolContext, ToolDefault, ToolEffect, ToolError, ToolOutput, ToolSpec};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::here::{Here, unwritten};
use crate::{
    adapter::quiet,
    registry::Registry,
    rest::{Call, wire::Made},
};

/// All texts of an embed together: <https://docs.discord.com/developers/resources/message#embed-object-embed-limits>.
const LONGEST: usize = 6_000;

pub(super) fn spec(registry: Arc<Registry>) -> ToolSpec {
    ToolSpec {
        name: "discord_send_embed",
        description: "Posts a message with an embed (a titled box with fields) into the Discord channel of this turn.",
        input: json!({
            "type": "object",
            "properties": {
                "title": {"type": "string", "minLength": 1, "maxLength": 256},
                "description": {"type": "string", "maxLength": 4096, "description": "Discord Markdown."},
                "url": {"type": "string", "pattern": "^https?://", "maxLength": 2000, "description": "Where the title leads."},
                "color": {"type": "integer", "minimum": 0, "maximum": 16_777_215},
                "fields": {
                    "type": "array", "maxItems": 25,
                    "items": {
                        "type": "object",
                        "properties": {
                            "name": {"type": "string", "minLength": 1, "maxLength": 256},
                            "value": {"type": "string", "minLength": 1, "maxLength": 1024},
                            "inline": {"type": "boolean"},
                        },
                        "required": ["name", "value"],
                        "additionalProperties": false,
                    },
                },
                "footer": {"type": "string", "maxLength": 2048},
                "text": {"type": "string", "maxLength": 2000, "description": "Above the embed."},
            },
            "required": ["title"],
            "additionalProperties": false,
        }),
        default: ToolDefault::Ask,
        effects: &[ToolEffect::Writes],
        side_effect: SideEffect::EveryTime,
        handler: Arc::new(SendEmbed { registry }),
    }
}

struct SendEmbed {
    registry: Arc<Registry>,
}

#[derive(Deserialize)]
struct Input {
    title: String,
    description: Option<String>,
    url: Option<String>,
    color: Option<u32>,
    #[serde(default)]
    fields: Vec<Field>,
    footer: Option<String>,
    text: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct Field {
    name: String,
    value: String,
    #[serde(default)]
    inline: bool,
}

#[async_trait]
impl Tool for SendEmbed {
    async fn call(&self, context: &ToolContext, input: Value) -> Result<ToolOutput, ToolError> {
        let input: Input = serde_json::from_value(input).map_err(|e| ToolError::Input(e.to_string()))?;
        let length = input.length();
        if length > LONGEST {
            return Err(ToolError::Input(format!(
                "the embed's texts have {length} characters together; Discord takes {LONGEST}"
            )));
        }
        let here = Here::find(&self.registry, context, None).await?;
        let call = Call::new(
            "send an embed",
            Method::POST,
            format!("/channels/{}/messages", here.channel()),
        );
        let made: Made = here
            .desk
            .account
            .rest
            .send(call, &input.body())
            .await
            .map_err(unwritten)?;
        Ok(ToolOutput::json(
            json!({"channel": here.channel(), "message": made.id}),
        ))
    }
}

// === impl Input ===

impl Input {
    fn length(&self) -> usize {
        let texts = [Some(&self.title), self.description.as_ref(), self.footer.as_ref()];
        let fields = self.fields.iter().flat_map(|field| [&field.name, &field.value]);
        let all = texts.into_iter().flatten().chain(fields);
        all.map(|text| text.chars().count()).sum()
    }

    fn body(&self) -> Value {
        let mut embed = json!({"title": self.title, "fields": self.fields});
        for (name, value) in [
            ("description", self.description.as_ref().map(|text| json!(text))),
            ("url", self.url.as_ref().map(|url| json!(url))),
            ("color", self.color.map(|color| json!(color))),
            ("footer", self.footer.as_ref().map(|text| json!({"text": text}))),
        ] {
            if let Some(value) = value {
                embed[name] = value;
            }
        }
        let mut body = json!({"embeds": [embed], "allowed_mentions": quiet(false)});
        if let Some(text) = &self.text {
            body["content"] = text.as_str().into();
        }
        body
    }
}
