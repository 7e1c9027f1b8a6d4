//! What an agent may do in a mailbox beyond answering. Each tool works for the channel of the turn that calls it, in the mail
//! that this channel serves: its label and its search, and nothing else in the mailbox.

mod draft;
mod here;
mod label;
mod read;
mod search;

use std::sync::Arc;

use kata_plugin::ToolSpec;
use serde_json::{Value, json};

use crate::registry::Registry;

/// The tool that sends.
pub(crate) const SEND: &str = "gmail_send";

/// All of them.
pub(crate) fn all(registry: &Arc<Registry>) -> [ToolSpec; 5] {
    [
        search::spec(registry.clone()),
        read::spec(registry.clone()),
        draft::draft_spec(registry.clone()),
        draft::send_spec(registry.clone()),
        label::spec(registry.clone()),
    ]
}

/// The schema of a mail's or a thread's id.
fn id(description: &str) -> Value {
    json!({"type": "string", "pattern": "^[0-9a-f]{1,32}$", "description": description})
}
