//! What it costs to remember what an agent told.

use std::mem::size_of;

use serde_json::Value;

/// About so many bytes are held for this value. JSON that is read from text is not nested deeply.
pub(super) fn of_value(value: &Value) -> usize {
    let within = match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(of_value).sum(),
        Value::Object(values) => values
            .iter()
            .map(|(key, value)| size_of::<String>() + key.len() + of_value(value))
            .sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    size_of::<Value>() + within
}
