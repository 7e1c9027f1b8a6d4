//! What an agent may do in Slack beyond answering. Each tool works for the channel of the turn that calls it, with that
//! channel's token and rate meter (D5), in the conversations that the channel is configured for, and nowhere else.

mod here;
mod post_blocks;
mod react;
mod read_thread;
mod search;
mod shown;

use std::sync::Arc;

use kata_plugin::ToolSpec;
use serde_json::{Value, json};

use crate::registry::Registry;

/// All of them.
pub(crate) fn all(registry: &Arc<Registry>) -> [ToolSpec; 4] {
    [
        post_blocks::spec(registry.clone()),
        react::spec(registry.clone()),
        read_thread::spec(registry.clone()),
        search::spec(registry.clone()),
    ]
}

/// The schema of a message's id.
fn ts(description: &str) -> Value {
    json!({"type": "string", "pattern": "^[0-9]{1,12}\\.[0-9]{6}$", "description": description})
}

/// The schema of a conversation's id.
fn channel() -> Value {
    json!({
        "type": "string", "pattern": "^[A-Z0-9]{2,32}$",
        "description": "Id of another conversation that this channel serves. Left out: the conversation of this turn.",
    })
}
