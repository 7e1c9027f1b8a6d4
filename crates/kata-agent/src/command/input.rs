//! What a program reads on its stdin.

use kata_perm::{Policy, Role};
use kata_session::Said;
use serde::Serialize;

use crate::Turn;

/// What a program reads on its stdin, up to the end of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Input {
    /// The prompt as text.
    #[default]
    Text,
    /// One JSON object on one line: the prompt, and what it was made from.
    Json,
}

/// The object that [`Input::Json`] gives. The adapter's metadata is not in it: it holds addresses that whoever has
/// them may post to.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Json<'a> {
    message_id: i64,
    workspace_id: &'a str,
    session_key: &'a str,
    attempt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline: Option<&'a str>,
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    content: &'a str,
    prompt: &'a str,
    messages: &'a [Said],
    permissions: &'a Policy,
}

// === impl Input ===

impl Input {
    pub(super) fn render(self, turn: &Turn, model: Option<&str>) -> Vec<u8> {
        match self {
            Self::Text => turn.prompt.clone().into_bytes(),
            Self::Json => {
                let object = serde_json::to_vec(&Json {
                    message_id: turn.message_id,
                    workspace_id: &turn.workspace,
                    session_key: &turn.session_key,
                    attempt: turn.attempt,
                    deadline: turn.deadline.as_deref(),
                    role: turn.role,
                    model,
                    content: &turn.content,
                    prompt: &turn.prompt,
                    messages: &turn.messages,
                    permissions: &turn.policy,
                });
                let mut line = object.expect("all keys are strings and writing to memory cannot fail");
                line.push(b'\n');
                line
            }
        }
    }
}
