//! `gmail_label`: labels on the thread of this turn. The bin and the spam folder are labels too, and not to be had: nothing is
//! deleted here.

use std::sync::Arc;

use async_trait::async_trait;
use google_gmail1::api::Label as GmailLabel;
use kata_plugin::{SideEffect, Tool, ToolContext, ToolDefault, ToolEffect, ToolError, ToolOutput, ToolSpec};
use serde::Deserialize;
use serde_json::{Value, json};

use super::here;
use crate::{
    errors::{unread, unwritten},
    registry::Registry,
};

/// Gmail's own labels that may be put on and taken off.
const SYSTEM: [&str; 4] = ["INBOX", "UNREAD", "STARRED", "IMPORTANT"];

pub(super) fn spec(registry: Arc<Registry>) -> ToolSpec {
    let names = |description: &str| {
        json!({
            "type": "array", "maxItems": 10, "description": description,
            "items": {"type": "string", "minLength": 1, "maxLength": 225},
        })
    };
    ToolSpec {
        name: "gmail_label",
        description: "Puts labels on the mail thread of this conversation, or takes them off: the mailbox's own labels by name, and \
                      INBOX, UNREAD, STARRED, IMPORTANT. It makes no labels, and deletes nothing.",
        input: json!({
            "type": "object",
            "properties": {"add": names("Labels to put on."), "remove": names("Labels to take off.")},
            "additionalProperties": false,
        }),
        default: ToolDefault::Ask,
        effects: &[ToolEffect::Writes],
        side_effect: SideEffect::Idempotent,
        handler: Arc::new(Label { registry }),
    }
}

struct Label {
    registry: Arc<Registry>,
}

#[derive(Deserialize)]
struct Input {
    #[serde(default)]
    add: Vec<String>,
    #[serde(default)]
    remove: Vec<String>,
}

#[async_trait]
impl Tool for Label {
    async fn call(&self, context: &ToolContext, input: Value) -> Result<ToolOutput, ToolError> {
        let input: Input = serde_json::from_value(input).map_err(|e| ToolError::Input(e.to_string()))?;
        let desk = here::desk(&self.registry, context)?;
        let Some(thread) = &context.place.thread else {
            return Err(ToolError::NotHere("this conversation is no mail thread".into()));
        };
        if input.add.is_empty() && input.remove.is_empty() {
            return Err(ToolError::Input("name labels to add or to remove".into()));
        }
        let api = &desk.mailbox.api;
        let known = api.labels().await.map_err(unread)?;
        let ids = |names: &[String]| {
            names
                .iter()
                .map(|name| find(&known, name))
                .collect::<Result<Vec<_>, _>>()
        };
        let (add, remove) = (ids(&input.add)?, ids(&input.remove)?);
        api.label(thread.as_str(), &add, &remove)
            .await
            .map_err(unwritten)?;
        Ok(ToolOutput::json(
            json!({"added": input.add, "removed": input.remove}),
        ))
    }
}

fn find(known: &[GmailLabel], name: &str) -> Result<String, ToolError> {
    let is_it = |label: &&GmailLabel| {
        let (id, label_name) = (label.id.as_deref(), label.name.as_deref());
        let is_system = label.type_.as_deref() != Some("user");
        let is_named = id == Some(name) || label_name.is_some_and(|known| known.eq_ignore_ascii_case(name));
        is_named && (!is_system || id.is_some_and(|id| SYSTEM.contains(&id)))
    };
    let found = known.iter().find(is_it).and_then(|label| label.id.clone());
    found.ok_or_else(|| {
        ToolError::Input(format!(
            "there is no label {name:?} that may be put on or taken off"
        ))
    })
}
