//! What an agent may do in Discord beyond answering. Each tool works for the channel of the turn that calls it, with that channel's token
//! and buckets (D5), in the channels that it is configured for, and nowhere else.

mod create_thread;
mod here;
mod react;
mod read_history;
mod send_embed;
mod send_file;
mod shown;

use std::sync::Arc;

use kata_plugin::ToolSpec;
use serde_json::{Value, json};

use crate::registry::Registry;

/// All of them.
pub(crate) fn all(registry: &Arc<Registry>) -> [ToolSpec; 5] {
    [
        send_embed::spec(registry.clone()),
        send_file::spec(registry.clone()),
        react::spec(registry.clone()),
        read_history::spec(registry.clone()),
        create_thread::spec(registry.clone()),
    ]
}

/// The schema of an id.
fn id(description: &str) -> Value {
    json!({"type": "string", "pattern": "^[0-9]{1,20}$", "description": description})
}

/// The schema of a channel's or thread's id.
fn channel() -> Value {
    id("Id of another channel or thread that this channel serves. Left out: where this turn is.")
}
