//! `discord_send_file`: files, where the turn is.
//!
//! What they hold stands in the call, and no path of this computer: so it stands in the question to whoever is asked, and nothing
//! else can leave.

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::Method;
use kata_plugin::{SideEffect, Tool, ToolContext, ToolDefault, ToolEffect, ToolError, ToolOutput, ToolSpec};
use serde::Deserialize;
use serde_json::{Value, json};

use super::here::{Here, unwritten};
use crate::{
    adapter::quiet,
    registry::Registry,
    rest::{Call, File, wire::Made},
};

/// Bytes of a call's arguments. A question keeps more, so that all of a file can be looked at before it leaves. Discord itself takes
/// 10 MiB: <https://docs.discord.com/developers/reference#uploading-files>.
const LARGEST: usize = 384 << 10;

pub(super) fn spec(registry: Arc<Registry>) -> ToolSpec {
    ToolSpec {
        name: "discord_send_file",
        description: "Posts one to ten files into the Discord channel of this turn. What they hold is given in the call.",
        input: json!({
            "type": "object",
            "properties": {
                "files": {
                    "type": "array", "minItems": 1, "maxItems": 10,
                    "items": {
                        "type": "object",
                        "properties": {
                            "name": {
                                "type": "string", "pattern": "^[^/\\\\\"\\p{Cc}]+$", "maxLength": 100,
                                "description": "With its ending, by which Discord shows pictures and text: rain.csv",
                            },
                            "content": {"type": "string"},
                            "encoding": {"enum": ["utf-8", "base64"], "description": "Of the content; utf-8 if left out."},
                        },
                        "required": ["name", "content"],
                        "additionalProperties": false,
                    },
                },
                "text": {"type": "string", "maxLength": 2000, "description": "Above the files. Discord Markdown."},
            },
            "required": ["files"],
            "additionalProperties": false,
        }),
        default: ToolDefault::Ask,
        effects: &[ToolEffect::Writes],
        side_effect: SideEffect::EveryTime,
        handler: Arc::new(SendFile { registry }),
    }
}

struct SendFile {
    registry: Arc<Registry>,
}

#[derive(Deserialize)]
struct Input {
    files: Vec<Given>,
    text: Option<String>,
}

#[derive(Deserialize)]
struct Given {
    name: String,
    content: String,
    #[serde(default)]
    encoding: Encoding,
}

#[derive(Clone, Copy, Default, Deserialize)]
enum Encoding {
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "base64")]
    Base64,
}

#[async_trait]
impl Tool for SendFile {
    async fn call(&self, context: &ToolContext, input: Value) -> Result<ToolOutput, ToolError> {
        let size = input.to_string().len();
        if size > LARGEST {
            return Err(ToolError::Input(format!(
                "the files have {size} bytes as they are given; a call takes {LARGEST}: send fewer, or say where they are"
            )));
        }
        let input: Input = serde_json::from_value(input).map_err(|e| ToolError::Input(e.to_string()))?;
        let contents = input
            .files
            .iter()
            .map(Given::decoded)
            .collect::<Result<Vec<_>, _>>()?;
        let files: Vec<File<'_>> = input
            .files
            .iter()
            .zip(&contents)
            .map(|(given, content)| given.file(content))
            .collect();
        let here = Here::find(&self.registry, context, None).await?;
        let path = format!("/channels/{}/messages", here.channel());
        let call = Call::new("send a file", Method::POST, path);
        let rest = &here.desk.account.rest;
        let made: Made = rest
            .upload(call, &input.payload(), &files)
            .await
            .map_err(unwritten)?;
        Ok(ToolOutput::json(
            json!({"channel": here.channel(), "message": made.id}),
        ))
    }
}

// === impl Input ===

impl Input {
    fn payload(&self) -> Value {
        let named = self.files.iter().enumerate();
        let named: Vec<Value> = named
            .map(|(n, file)| json!({"id": n, "filename": file.name}))
            .collect();
        let mut payload = json!({"attachments": named, "allowed_mentions": quiet(false)});
        if let Some(text) = &self.text {
            payload["content"] = text.as_str().into();
        }
        payload
    }
}

// === impl Given ===

impl Given {
    fn decoded(&self) -> Result<Vec<u8>, ToolError> {
        match self.encoding {
            Encoding::Utf8 => Ok(self.content.clone().into_bytes()),
            Encoding::Base64 => BASE64_STANDARD.decode(&self.content).map_err(|why| {
                ToolError::Input(format!("the content of {:?} is no base64: {why}", self.name))
            }),
        }
    }

    fn file<'a>(&'a self, content: &'a [u8]) -> File<'a> {
        let kind = match self.encoding {
            Encoding::Utf8 => "text/plain; charset=utf-8",
            Encoding::Base64 => "application/octet-stream",
        };
        File {
            name: &self.name,
            kind,
            content,
        }
    }
}
