//! The JSON of a row's `payload`, in the shapes of 0.7.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An inbound row's payload.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Inbound {
    /// The platform's id.
    #[serde(default)]
    pub(crate) id: Value,
    /// The slug.
    #[serde(default)]
    pub(crate) channel_id: String,
    #[serde(default)]
    pub(crate) source: String,
    /// Unix milliseconds; 0.7 may write a fraction, or null.
    #[serde(default)]
    pub(crate) timestamp: Value,
    #[serde(default)]
    pub(crate) content: String,
    #[serde(default)]
    pub(crate) metadata: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reply_to: Option<ReplyTo>,
    /// What else 0.7 may have written: kept.
    #[serde(flatten)]
    pub(crate) rest: Map<String, Value>,
}

/// What of an inbound payload a turn and its answer need: the rest is not even built.
#[derive(Debug, Deserialize)]
pub(crate) struct Said {
    #[serde(default)]
    pub(crate) content: String,
    #[serde(default)]
    pub(crate) metadata: Map<String, Value>,
}

/// Where the answer goes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReplyTo {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) thread_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message_id: Option<String>,
}

/// An outbound row's payload.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Outbound {
    /// The conversation: here 0.7 has the platform's word, not the slug.
    #[serde(default)]
    pub(crate) channel_id: String,
    #[serde(default)]
    pub(crate) content: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) thread_id: Option<String>,
}

impl Said {
    /// None when it is not the JSON of a message.
    pub(crate) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

impl Inbound {
    /// None when it is not the JSON of an inbound message.
    pub(crate) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The platform's id, which 0.7 writes as a string, as text.
    pub(crate) fn platform_id(&self) -> Option<String> {
        match &self.id {
            Value::String(id) if !id.is_empty() => Some(id.clone()),
            Value::Number(id) => Some(id.to_string()),
            _ => None,
        }
    }

    /// A text of the metadata, when it is there and not empty.
    pub(crate) fn word(&self, name: &str) -> Option<&str> {
        self.metadata
            .get(name)
            .and_then(Value::as_str)
            .filter(|word| !word.is_empty())
    }

    /// D26: takes the platform's short-lived secrets out; absent is blank.
    pub(crate) fn blank_secrets(&mut self) {
        self.metadata.remove("responseUrl");
        self.metadata.remove("triggerId");
    }
}

/// The JSON of a payload. Maps with text keys, texts and numbers always have one.
pub(crate) fn write(payload: &impl Serialize) -> String {
    serde_json::to_string(payload).expect("a payload has text keys only")
}
