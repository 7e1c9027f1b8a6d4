//! What a tool's arguments are called, and what they may be.

use std::path::Path;

use serde_json::{Map, Value};

/// The arguments of a tool: the names of each, the first of which is the one that rules look at.
pub(super) type Arguments = &'static [(&'static [&'static str], Shape)];

/// What an argument may be. A value of another shape is read by each reader in its own way, so it is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    /// Made absolute, so that it means the same to everybody.
    Path,
    /// Of the web: an agent may read a file by a URL as well.
    Url,
    /// A method of HTTP that changes nothing.
    Get,
    Number,
    Flag,
    Texts,
    /// Changes of one file.
    Edits,
    /// A patch of one file, told with its path. One that deletes it, or moves it, is no edit.
    Patch,
    /// A list of which nothing decides what runs.
    List,
}

/// Remarks on a call: they decide nothing, and differ from call to call, to which a grant would then be bound.
const REMARKS: [&str; 10] = [
    "description",
    "title",
    "reason",
    "explanation",
    "timeout",
    "timeout_ms",
    "timeoutMs",
    "call_id",
    "turn_id",
    "started_at_ms",
];

/// The same of Codex: how it reads the command itself, and what it would like to be answered.
const CODEX_REMARKS: [&str; 3] = [
    "parsed_cmd",
    "available_decisions",
    "proposed_execpolicy_amendment",
];

const EDIT: Arguments = &[
    (&OLD, Shape::Text),
    (&NEW, Shape::Text),
    (&["replace_all"], Shape::Flag),
];
pub(super) const OLD: [&str; 4] = ["old_string", "old_text", "old_str", "oldText"];
pub(super) const NEW: [&str; 4] = ["new_string", "new_text", "new_str", "newText"];

const PATCH: Arguments = &[
    (&["type"], Shape::Text),
    (&["content"], Shape::Text),
    (&["unified_diff"], Shape::Text),
];

/// What was given for `arguments`, by the names that rules look at. None if anything else was given too, or twice and not
/// the same.
pub(super) fn take(
    arguments: Arguments,
    given: &Map<String, Value>,
    directory: &Path,
) -> Option<Map<String, Value>> {
    let mut taken = Map::new();
    for (key, value) in given.iter().filter(|(_, value)| !value.is_null()) {
        let Some((names, shape)) = arguments.iter().find(|(names, _)| names.contains(&&**key)) else {
            if is_remark(key, value) {
                continue;
            }
            return None;
        };
        let value = shape.read(value, directory)?;
        let said_before = taken.insert(names[0].to_owned(), value.clone());
        if said_before.is_some_and(|before| before != value) {
            return None;
        }
    }
    Some(taken)
}

pub(super) fn is_remark(key: &str, value: &Value) -> bool {
    (REMARKS.contains(&key) && (value.is_string() || value.is_number())) || CODEX_REMARKS.contains(&key)
}

/// None for a path that is not text: no rule could look at it.
pub(super) fn absolute(directory: &Path, path: &Path) -> Option<String> {
    Some(directory.join(path).to_str()?.to_owned())
}

// === impl Shape ===

impl Shape {
    /// The value, if it has this shape.
    fn read(self, value: &Value, directory: &Path) -> Option<Value> {
        let is_fit = match self {
            Self::Path => return Some(absolute(directory, Path::new(value.as_str()?))?.into()),
            Self::Edits => return edits(value, directory),
            Self::Patch => is_patch(value, directory)?,
            Self::Text => value.is_string(),
            Self::Url => is_web(value.as_str()?),
            Self::Get => value.as_str()?.eq_ignore_ascii_case("get"),
            Self::Number => value.is_number(),
            Self::Flag => value.is_boolean(),
            Self::Texts => value.as_array()?.iter().all(Value::is_string),
            Self::List => value.is_array(),
        };
        is_fit.then(|| value.clone())
    }
}

fn edits(value: &Value, directory: &Path) -> Option<Value> {
    let edits = value.as_array()?.iter();
    edits
        .map(|edit| take(EDIT, edit.as_object()?, directory).map(Value::from))
        .collect()
}

fn is_patch(value: &Value, directory: &Path) -> Option<bool> {
    let changes = value.as_object()?;
    let change = changes.values().next()?.as_object()?;
    let is_write = matches!(change.get("type")?.as_str()?, "add" | "update");
    Some(changes.len() == 1 && is_write && take(PATCH, change, directory).is_some())
}

fn is_web(url: &str) -> bool {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http"))
}
