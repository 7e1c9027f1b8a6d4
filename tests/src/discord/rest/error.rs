//! Refusals. <https://docs.discord.com/developers/topics/opcodes-and-status-codes#json>

use serde_json::{Value, json};

/// An answer that is an error.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: u32,
    pub(crate) message: String,
    pub(crate) errors: Option<Value>,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: u32, message: &str) -> Self {
        let message = message.to_owned();
        Self {
            status,
            code,
            message,
            errors: None,
        }
    }

    /// 50035, with what is wrong with a field.
    pub(crate) fn form(field: &str, code: &str, message: &str) -> Self {
        let mut errors = json!({"_errors": [{"code": code, "message": message}]});
        for part in field.split('.').rev().filter(|part| !part.is_empty()) {
            errors = json!({ part: errors });
        }
        let refusal = Self::new(400, 50035, "Invalid Form Body");
        Self {
            errors: Some(errors),
            ..refusal
        }
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(401, 0, "401: Unauthorized")
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404, 0, "404: Not Found")
    }

    pub(crate) fn unknown(code: u32, what: &str) -> Self {
        Self::new(404, code, &format!("Unknown {what}"))
    }

    pub(crate) fn missing_access() -> Self {
        Self::new(403, 50001, "Missing Access")
    }

    pub(crate) fn missing_permissions() -> Self {
        Self::new(403, 50013, "Missing Permissions")
    }

    pub(crate) fn body(&self) -> Value {
        let mut body = json!({"message": self.message, "code": self.code});
        if let Some(errors) = &self.errors {
            body["errors"] = errors.clone();
        }
        body
    }
}

pub(crate) const CHANNEL: u32 = 10003;
pub(crate) const GUILD: u32 = 10004;
pub(crate) const MESSAGE: u32 = 10008;
pub(crate) const USER: u32 = 10013;
pub(crate) const WEBHOOK: u32 = 10015;
pub(crate) const INTERACTION: u32 = 10062;
