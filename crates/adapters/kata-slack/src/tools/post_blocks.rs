//! `slack_post_blocks`: a message of Block Kit in the turn's own conversation.

use std::sync::Arc;

use async_trait::async_trait;
use kata_channel::settings::ReplyIn;
use kata_plugin::{SideEffect, Tool, ToolContext, ToolDefault, ToolEffect, ToolError, ToolOutput, ToolSpec};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    here::{Here, unwritten},
    ts,
};
use crate::{
    errors::CallError,
    read::CHOICE,
    registry::Registry,
    web::{Call, wire::Posted},
};

/// An answer is looked up by its key, or by its words where a message carries no metadata (D20). What a tool posted carries
/// some, so that it is never taken for the answer that says the same.
const EVENT_TYPE: &str = "kata_tool";

pub(super) fn spec(registry: Arc<Registry>) -> ToolSpec {
    ToolSpec {
        name: "slack_post_blocks",
        description: "Posts a message made of Block Kit blocks into the Slack conversation of this turn. The plain text stands in \
                      notifications and where blocks are not shown.",
        input: json!({
            "type": "object",
            "properties": {
                "blocks": {
                    "type": "array", "minItems": 1, "maxItems": 50,
                    "items": {"type": "object", "properties": {"type": {"type": "string"}}, "required": ["type"]},
                    "description": "Block Kit blocks.",
                },
                "text": {"type": "string", "minLength": 1, "maxLength": 4000, "description": "The same as plain text."},
                "thread_ts": ts("The thread to post in. Left out: the thread of this turn, if it is in one."),
            },
            "required": ["blocks", "text"],
            "additionalProperties": false,
        }),
        default: ToolDefault::Ask,
        effects: &[ToolEffect::Writes],
        side_effect: SideEffect::EveryTime,
        handler: Arc::new(PostBlocks { registry }),
    }
}

struct PostBlocks {
    registry: Arc<Registry>,
}

#[derive(Deserialize)]
struct Input {
    blocks: Value,
    text: String,
    thread_ts: Option<String>,
}

#[async_trait]
impl Tool for PostBlocks {
    async fn call(&self, context: &ToolContext, input: Value) -> Result<ToolOutput, ToolError> {
        let Input {
            blocks,
            text,
            thread_ts,
        } = serde_json::from_value(input).map_err(|e| ToolError::Input(e.to_string()))?;
        // A button that says "yes 7Q4" under another name would make somebody allow what they never read.
        if has_our_choices(&blocks) {
            return Err(ToolError::Input(format!(
                "an action_id must not begin with {CHOICE:?}: such buttons answer the daemon's own questions"
            )));
        }
        let Here { desk, conversation } = Here::find(&self.registry, context, None)?;
        let own = context.place.thread.as_ref().map(ToString::to_string);
        let thread = thread_ts.or_else(|| own.filter(|_| desk.reply_in != ReplyIn::Conversation));
        let mut body = json!({
            "channel": conversation, "text": text, "blocks": blocks,
            "metadata": {"event_type": EVENT_TYPE, "event_payload": {"tool": "slack_post_blocks"}},
        });
        if let Some(thread) = thread {
            body["thread_ts"] = thread.into();
        }
        let call = Call {
            method: "chat.postMessage",
            per: Some(&conversation),
        };
        let posted: Posted = desk.account.web.post(call, &body).await.map_err(refused)?;
        Ok(ToolOutput::json(
            json!({"channel": conversation, "ts": posted.ts}),
        ))
    }
}

fn has_our_choices(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(name, value)| {
            name == "action_id" && value.as_str().is_some_and(|id| id.starts_with(CHOICE))
                || has_our_choices(value)
        }),
        Value::Array(items) => items.iter().any(has_our_choices),
        _ => false,
    }
}

/// What is wrong with the blocks is the agent's to put right, if it is told.
fn refused(error: CallError) -> ToolError {
    match &error {
        CallError::Refused(refusal) if refusal.code.starts_with("invalid_blocks") => {
            let why = refusal.detail.as_deref().unwrap_or(&refusal.code);
            ToolError::Input(format!("Slack does not take these blocks: {why}"))
        }
        _ => unwritten(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_of_ours_is_found_wherever_it_hides() {
        let button = |id: &str| json!({"type": "button", "action_id": id, "value": "yes 7Q4"});
        for (blocks, found) in [
            (
                json!([{"type": "actions", "elements": [button("kata_choice_0")]}]),
                true,
            ),
            (
                json!([{"type": "section", "accessory": button("kata_choice_9")}]),
                true,
            ),
            (
                json!([{"type": "actions", "elements": [button("survey_yes")]}]),
                false,
            ),
            (
                json!([{"type": "section", "text": {"text": "kata_choice_0"}}]),
                false,
            ),
        ] {
            assert_eq!(has_our_choices(&blocks), found, "{blocks}");
        }
    }
}
