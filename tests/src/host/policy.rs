//! What the host's agent makes of a turn.

use std::{fmt, sync::Arc};

use serde_json::{Value, json};

/// A turn that the daemon asked for: one `process_message`.
#[derive(Clone, Debug)]
pub struct Turn {
    /// The queue row.
    pub message_id: i64,
    /// The channel's slug.
    pub channel_id: String,
    /// The workspace.
    pub workspace_id: String,
    /// The session.
    pub session_key: String,
    /// The text.
    pub content: String,
    /// What the adapter knows.
    pub metadata: Value,
    /// The event as it came.
    pub event: Value,
}

impl Turn {
    /// Reads the event; the error names what is missing of the core shape.
    pub(crate) fn read(event: &Value) -> Result<Self, String> {
        let text = |field: &str| {
            event[field]
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| format!("process_message without {field}: {event}"))
        };
        let turn = Self {
            message_id: event["messageId"]
                .as_i64()
                .ok_or_else(|| format!("no integer messageId: {event}"))?,
            channel_id: text("channelId")?,
            workspace_id: text("workspaceId")?,
            session_key: text("sessionKey")?,
            content: text("content")?,
            metadata: event["metadata"].clone(),
            event: event.clone(),
        };
        let same = |field: &str| turn.metadata[field] == event[field];
        if same("sessionKey") && same("workspaceId") {
            Ok(turn)
        } else {
            Err(format!("metadata lacks its core: {event}"))
        }
    }
}

/// What becomes of a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The agent answered.
    Say(String),
    /// The agent failed.
    Fail(String),
    /// The session has a turn of its own under way.
    Busy,
    /// Nothing, for now or for ever: the test may answer by [`FakeHost::answer`](super::FakeHost::answer).
    Silent,
}

impl Answer {
    pub(crate) fn command(&self, turn: &Turn) -> Option<Value> {
        let id = turn.message_id;
        match self {
            Self::Say(text) => Some(succeeded(id, text)),
            Self::Fail(error) => Some(failed(id, error)),
            Self::Busy => Some(failed(id, "Session is already processing")),
            Self::Silent => None,
        }
    }
}

pub(crate) fn succeeded(message_id: i64, response: &str) -> Value {
    json!({"type": "message_processed", "messageId": message_id, "response": response, "success": true})
}

pub(crate) fn failed(message_id: i64, error: &str) -> Value {
    json!({
        "type": "message_processed", "messageId": message_id, "response": "", "success": false, "error": error,
    })
}

/// Decides each turn.
#[derive(Clone)]
pub struct Policy(Arc<dyn Fn(&Turn) -> Answer + Send + Sync>);

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Policy(..)")
    }
}

impl Policy {
    /// Says what it was told.
    #[must_use]
    pub fn echo() -> Self {
        Self::script(|turn| Answer::Say(turn.content.clone()))
    }

    /// Leaves every turn open.
    #[must_use]
    pub fn silent() -> Self {
        Self::script(|_| Answer::Silent)
    }

    /// Decides by a function of the turn, which must not call the host.
    #[must_use]
    pub fn script(decide: impl Fn(&Turn) -> Answer + Send + Sync + 'static) -> Self {
        Self(Arc::new(decide))
    }

    pub(crate) fn decide(&self, turn: &Turn) -> Answer {
        (self.0)(turn)
    }
}
