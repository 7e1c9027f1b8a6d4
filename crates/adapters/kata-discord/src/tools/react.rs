//! `discord_react`: an emoji under a message.

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
use crate::{errors::code, registry::Registry, rest::Call};

pub(super) fn spec(registry: Arc<Registry>) -> ToolSpec {
    ToolSpec {
        name: "discord_react",
        description: "Puts an emoji reaction on a message in a Discord channel.",
        input: json!({
            "type": "object",
            "properties": {
                "message": id("The message."),
                "emoji": {
                    "type": "string", "minLength": 1, "maxLength": 64,
                    "description": "The emoji itself (👍), or a server's own as name:id.",
                },
                "channel": channel(),
            },
            "required": ["message", "emoji"],
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
    message: String,
    emoji: String,
    channel: Option<String>,
}

#[async_trait]
impl Tool for React {
    async fn call(&self, context: &ToolContext, input: Value) -> Result<ToolOutput, ToolError> {
        let input: Input = serde_json::from_value(input).map_err(|e| ToolError::Input(e.to_string()))?;
        let here = Here::find(&self.registry, context, input.channel.as_deref()).await?;
        let emoji = named(&input.emoji);
        let path = format!(
            "/channels/{}/messages/{}/reactions/{}/@me",
            here.channel(),
            input.message,
            encoded(emoji)
        );
        let call = Call::new("react", Method::PUT, path);
        match here.desk.account.rest.bare(call).await {
            Ok(()) => Ok(ToolOutput::json(json!({"reacted": emoji}))),
            Err(error) if error.code() == Some(code::UNKNOWN_EMOJI) => {
                Err(ToolError::Input(format!("Discord knows no emoji {emoji:?}")))
            }
            Err(error) => Err(unwritten(error)),
        }
    }
}

/// `<:name:id>`, as it stands in a text, is meant as well.
fn named(emoji: &str) -> &str {
    let inner = emoji.strip_prefix('<').and_then(|inner| inner.strip_suffix('>'));
    let inner = inner.map(|inner| inner.strip_prefix('a').unwrap_or(inner).trim_start_matches(':'));
    inner.unwrap_or(emoji)
}

/// As one segment of a path, whatever it holds.
fn encoded(emoji: &str) -> String {
    emoji.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => out.push(byte.into()),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emoji_is_one_segment_of_the_path() {
        assert_eq!(encoded("👍"), "%F0%9F%91%8D");
        assert_eq!(encoded("../@me"), "%2E%2E%2F%40me");
        for (written, meant) in [
            ("<:wave:12>", "wave:12"),
            ("<a:party:13>", "party:13"),
            ("👍", "👍"),
        ] {
            assert_eq!(named(written), meant);
        }
    }
}
