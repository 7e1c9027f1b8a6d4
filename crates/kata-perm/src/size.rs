//! How large arguments are.

use serde_json::Value;

/// The most that arguments may come to, bytes of text and one for each value: more is not looked at, and so not allowed.
const LARGEST: usize = 1 << 20;

/// Whether arguments are small enough to be looked at. Stops counting where they are not.
pub(crate) fn is_bounded(input: &Value) -> bool {
    let mut left = LARGEST;
    // A list of our own, since values may be nested more deeply than the stack is.
    let mut open = vec![input];
    while let Some(value) = open.pop() {
        let size = match value {
            Value::String(text) => text.len(),
            Value::Array(values) if values.len() <= left => {
                open.extend(values);
                0
            }
            Value::Object(values) if values.len() <= left => {
                open.extend(values.values());
                values.keys().map(String::len).sum()
            }
            Value::Array(_) | Value::Object(_) => return false,
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        };
        match left.checked_sub(size.saturating_add(1)) {
            Some(rest) => left = rest,
            None => return false,
        }
    }
    true
}
