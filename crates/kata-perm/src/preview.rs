//! Tool calls as people are shown them and as they are kept: no secrets, bounded, and nothing that looks like something else.
//!
//! Who approves a call goes by what a card says. So a mask covers a name's value and no more: signs that a shell or a
//! reader of URLs acts on are never hidden behind one. That goes before secrecy, where a password has such signs in it. Of an
//! argument with the name of a secret every word is hidden, and what stands between them is seen.
//!
//! ```
//! use kata_perm::{ToolCall, preview};
//!
//! let input = serde_json::json!({ "command": "curl -H 'Authorization: Bearer abc123def' https://x.example\u{202e}" });
//! assert_eq!(
//!     preview::card(&ToolCall::new("Bash", input), 500),
//!     "command: curl -H 'Authorization: Bearer •••' https://x.example⟨U+202E⟩",
//! );
//! ```

mod cut;
mod secret;
mod visible;

use serde_json::{Map, Value};

use self::visible::Breaks;
use crate::call::ToolCall;

/// What stands where a secret was.
const MASK: &str = "•••";
/// What stands where more was.
const MORE: &str = "…";
/// Deeper values are not shown: JSON that is read from text is at most twice as deep.
const DEEPEST: usize = 64;
/// The longest argument name on a card, characters.
const LONGEST_NAME: usize = 40;
/// Characters that each argument on a card gets at the least.
const LEAST: usize = 24;

/// The value without its secrets: values with a name that says so, and texts that look like a token, a key, or a name and its
/// secret.
#[must_use]
pub fn masked(value: &Value) -> Value {
    masked_at(value, 0)
}

/// The value without its secrets, of which the JSON text has at most this many bytes. What was cut is said in it, as far
/// as there is room.
#[must_use]
pub fn bounded(value: &Value, bytes: usize) -> Value {
    cut::to_size(masked(value), bytes)
}

/// A text on one line of at most `limit` characters: a tool's name, a sender's name.
#[must_use]
pub fn line(text: &str, limit: usize) -> String {
    cut::middle(visible::text(&secret::masked(text), Breaks::Shown), limit)
}

/// The arguments of a call for somebody who is to approve it, in at most `limit` characters: a line `name: value` for each,
/// or more lines, which begin with two spaces. What was cut is said, and where.
///
/// To be put into a code block: it holds no two backticks in a row.
#[must_use]
pub fn card(call: &ToolCall, limit: usize) -> String {
    let input = masked(&call.input);
    let (blocks, hidden) = match &input {
        Value::Null => return cut::middle("no arguments".to_owned(), limit),
        Value::Object(arguments) if arguments.is_empty() => {
            return cut::middle("no arguments".to_owned(), limit);
        }
        Value::Object(arguments) => {
            let room = (limit / LEAST).max(1);
            let blocks = arguments
                .iter()
                .take(room)
                .map(|(name, value)| block(name, value));
            (blocks.collect(), arguments.len().saturating_sub(room))
        }
        other => (vec![block("arguments", other)], 0),
    };
    let note = (hidden > 0).then(|| format!("⟨{hidden} more arguments are not shown⟩"));
    let breaks = blocks.len() - 1 + note.as_ref().map_or(0, |note| note.chars().count() + 1);
    let share = cut::fair_share(&blocks, limit.saturating_sub(breaks));
    let lines: Vec<String> = blocks
        .into_iter()
        .map(|block| cut::middle(block, share))
        .chain(note)
        .collect();
    // Where even the shares have no room.
    cut::middle(lines.join("\n"), limit)
}

/// One argument.
fn block(name: &str, value: &Value) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let name = if !name.is_empty() && name.chars().all(is_plain) {
        name.to_owned()
    } else {
        // Between quotes a name cannot look like another one and its value.
        Value::from(name).to_string()
    };
    let name = cut::middle(visible::text(&name, Breaks::Shown), LONGEST_NAME);
    let text = match value {
        Value::String(text) if !text.trim().is_empty() => visible::text(text, Breaks::Kept),
        other => visible::text(&other.to_string(), Breaks::Shown),
    };
    if text.contains('\n') {
        format!("{name}:\n  {}", text.replace('\n', "\n  "))
    } else {
        format!("{name}: {text}")
    }
}

fn masked_at(value: &Value, depth: usize) -> Value {
    match value {
        Value::String(text) => secret::masked(text).into(),
        Value::Array(_) | Value::Object(_) if depth == DEEPEST => MORE.into(),
        Value::Array(values) => masked_list(values, depth + 1),
        Value::Object(values) => masked_object(values, depth + 1),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// In the arguments of a program a secret stands behind its option.
fn masked_list(values: &[Value], depth: usize) -> Value {
    let mut is_next = false;
    let masked = values.iter().map(|value| {
        let is_secret = is_next;
        is_next = value.as_str().is_some_and(secret::is_option);
        match value.as_str().filter(|_| is_secret) {
            Some(text) => secret::hidden(text).into(),
            None => masked_at(value, depth),
        }
    });
    masked.collect()
}

fn masked_object(values: &Map<String, Value>, depth: usize) -> Value {
    // As headers and variables are often given: `{ "name": "API_KEY", "value": … }`.
    let named = ["name", "key"]
        .iter()
        .filter_map(|name| values.get(*name)?.as_str());
    let is_named = named.into_iter().any(secret::is_name);
    let mut masked = Map::new();
    for (name, value) in values {
        let is_secret = secret::is_name_of(name, value) || (is_named && name == "value");
        insert(
            &mut masked,
            secret::masked(name),
            if is_secret {
                hidden_at(value, depth)
            } else {
                masked_at(value, depth)
            },
        );
    }
    masked.into()
}

/// A value of a name that says that it is a secret. Its shape is seen: who makes a call also chooses the names in it.
fn hidden_at(value: &Value, depth: usize) -> Value {
    let hide = |value: &Value| hidden_at(value, depth + 1);
    match value {
        // Says nothing of a secret, and much of a call.
        Value::Null | Value::Bool(_) => value.clone(),
        Value::Number(_) => MASK.into(),
        Value::String(text) => secret::hidden(text).into(),
        Value::Array(_) | Value::Object(_) if depth == DEEPEST => MORE.into(),
        Value::Array(values) => values.iter().map(hide).collect(),
        Value::Object(values) => {
            let mut hidden = Map::new();
            for (name, value) in values {
                insert(&mut hidden, secret::masked(name), hide(value));
            }
            hidden.into()
        }
    }
}

/// Inserts under a name that was changed: two that are alike now must not become one.
fn insert(values: &mut Map<String, Value>, mut name: String, value: Value) {
    while values.contains_key(&name) {
        name.push_str(MORE);
    }
    values.insert(name, value);
}

#[cfg(test)]
mod tests;
