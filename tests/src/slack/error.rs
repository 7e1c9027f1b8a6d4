//! `ok: false`.

use serde_json::{Map, Value, json};

/// A refusal as Slack words it: HTTP 200, `ok: false`, a code, sometimes more fields.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    more: Map<String, Value>,
}

impl From<&str> for Refusal {
    fn from(code: &str) -> Self {
        Self {
            code: code.to_owned(),
            more: Map::new(),
        }
    }
}

impl Refusal {
    pub(crate) fn missing(argument: &str) -> Self {
        let message = format!("[ERROR] missing required field: {argument}");
        Self::from("invalid_arguments").with("response_metadata", json!({"messages": [message]}))
    }

    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.more.insert(name.to_owned(), value);
        self
    }

    pub(crate) fn into_json(self) -> Value {
        let mut out = self.more;
        out.insert("ok".into(), false.into());
        out.insert("error".into(), self.code.into());
        Value::Object(out)
    }
}
