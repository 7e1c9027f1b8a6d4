//! What an agent asks permission for, in the words of the gate.
//!
//! Agents name their tools as they like, and the protocol has kinds, not names. A call becomes one that rules can name only
//! where it is certain what it does; any other becomes `acp:{kind}`, which no rule of the base names: it is denied, or
//! asked about where the workspace's file says so.

use std::path::{Path, PathBuf};

use agent_client_protocol::v1::schema::{self as acp, ToolCallContent, ToolCallUpdateFields, ToolKind};
use kata_perm::ToolCall;
use serde_json::{Map, Value, json};

/// Under these names agents pass the one file that a tool works on. The first is the one that rules look at.
const PATHS: [&str; 5] = ["file_path", "path", "absolute_path", "abs_path", "filePath"];

/// Under these names they pass what a shell is to run.
const COMMANDS: [&str; 2] = ["command", "cmd"];

/// Shells whose `-c` takes one text.
const SHELLS: [&str; 4] = ["sh", "bash", "zsh", "dash"];

/// What an agent told of one of its tool calls so far. It tells bit by bit, and not always the same twice.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    name: Option<String>,
    kind: ToolKind,
    title: String,
    input: Option<Value>,
    locations: Vec<PathBuf>,
    diffs: Vec<acp::Diff>,
}

// === impl Told ===

impl Told {
    /// Takes what is said newly. What is not said again stands.
    pub(super) fn hear(&mut self, fields: ToolCallUpdateFields, meta: Option<&acp::Meta>) {
        if let Some(name) = name(meta, fields.name) {
            self.name = Some(name);
        }
        self.kind = fields.kind.unwrap_or(self.kind);
        if let Some(title) = fields.title {
            self.title = title;
        }
        if let Some(input) = fields.raw_input {
            self.input = Some(input);
        }
        if let Some(locations) = fields.locations {
            self.locations = locations.into_iter().map(|at| at.path).collect();
        }
        if let Some(content) = fields.content {
            self.diffs = content.into_iter().filter_map(diff).collect();
        }
    }

    /// It is a tool of the MCP server of this name.
    pub(super) fn is_of_server(&self, server: &str) -> bool {
        let tool = self.name.as_deref().and_then(|name| name.strip_prefix("mcp__"));
        tool.and_then(|tool| tool.strip_prefix(server))
            .is_some_and(|tool| tool.starts_with("__"))
    }

    /// The call that the gate is asked about. Relative paths begin at `directory`, where the agent runs.
    pub(super) fn call(&self, directory: &Path) -> ToolCall {
        self.named(directory)
            .or_else(|| self.of_kind(directory))
            .unwrap_or_else(|| self.uncertain())
    }

    /// By the agent's own name for it, which is one of the gate's.
    fn named(&self, directory: &Path) -> Option<ToolCall> {
        let name = self.name.clone()?;
        let mut input = self.input.clone().unwrap_or_default();
        if let Value::Object(input) = &mut input {
            for key in ["file_path", "notebook_path"] {
                if let Some(Value::String(path)) = input.get_mut(key) {
                    *path = absolute(directory, Path::new(path))?;
                }
            }
            if name == "Bash" {
                // A remark on the call. A grant binds to the arguments, and remarks differ from call to call.
                input.remove("description");
            }
        }
        Some(ToolCall::new(name, input))
    }

    fn of_kind(&self, directory: &Path) -> Option<ToolCall> {
        let input = self.input.as_ref().and_then(Value::as_object);
        // Agents call a shell command a read or a search if that is what it looks like.
        let is_shell = input.is_some_and(|input| COMMANDS.iter().any(|key| input.contains_key(*key)));
        match self.kind {
            ToolKind::Execute | ToolKind::Read | ToolKind::Search | ToolKind::Other if is_shell => {
                shell(input?)
            }
            _ if is_shell => None,
            ToolKind::Read => self.on_file("Read", directory),
            ToolKind::Edit => self.edit(directory),
            // Nothing names these two: they are denied as what they are.
            ToolKind::Delete => self.on_file("Delete", directory),
            ToolKind::Move => Some(ToolCall::new("Move", self.input.clone()?)),
            ToolKind::Search => Some(ToolCall::new("Grep", Value::Object(input?.clone()))),
            ToolKind::Fetch => fetch(input?),
            _ => None,
        }
    }

    fn on_file(&self, tool: &str, directory: &Path) -> Option<ToolCall> {
        let mut input = self
            .input
            .as_ref()
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        let path = self.only_path(&input, directory)?;
        for alias in PATHS {
            input.remove(alias);
        }
        input.insert(PATHS[0].to_owned(), path.into());
        Some(ToolCall::new(tool, input.into()))
    }

    fn edit(&self, directory: &Path) -> Option<ToolCall> {
        let mut call = self.on_file("Edit", directory)?;
        let input = call.input.as_object_mut()?;
        if input.get("content").is_some_and(Value::is_string) {
            call.tool = "Write".to_owned();
        } else if let (None, [diff]) = (&self.input, &*self.diffs) {
            input.insert("old_string".to_owned(), diff.old_text.clone().into());
            input.insert("new_string".to_owned(), diff.new_text.clone().into());
        }
        Some(call)
    }

    /// The one file that everything that was said agrees on.
    fn only_path(&self, input: &Map<String, Value>, directory: &Path) -> Option<String> {
        let mut said = Vec::new();
        for value in PATHS.iter().filter_map(|alias| input.get(*alias)) {
            said.push(absolute(directory, Path::new(value.as_str()?))?);
        }
        // A patch: a file for each key.
        if let Some(changes) = input.get("changes") {
            for path in changes.as_object()?.keys() {
                said.push(absolute(directory, Path::new(path))?);
            }
        }
        for path in self
            .locations
            .iter()
            .chain(self.diffs.iter().map(|diff| &diff.path))
        {
            said.push(absolute(directory, path)?);
        }
        said.sort_unstable();
        said.dedup();
        match <[String; 1]>::try_from(said) {
            Ok([path]) => Some(path),
            Err(_) => None,
        }
    }

    /// What nobody can be certain about, shown as it was told.
    fn uncertain(&self) -> ToolCall {
        let kind = serde_json::to_value(self.kind).unwrap_or_default();
        let kind = kind.as_str().unwrap_or("other");
        ToolCall::new(
            format!("acp:{kind}"),
            json!({ "title": self.title, "input": self.input }),
        )
    }
}

/// The agent's own name for the tool, where it is known to be one of the gate's names. The protocol's `name` is in the
/// agent's words, whatever they are: of those, the names of MCP tools alone mean the same to everybody.
fn name(meta: Option<&acp::Meta>, name: Option<String>) -> Option<String> {
    let claude = meta
        .and_then(|meta| meta.get("claudeCode")?.get("toolName")?.as_str())
        .map(str::to_owned);
    claude.or_else(|| name.filter(|name| name.starts_with("mcp__")))
}

fn diff(content: ToolCallContent) -> Option<acp::Diff> {
    match content {
        ToolCallContent::Diff(diff) => Some(diff),
        _ => None,
    }
}

/// None for a path that is not text: no rule could look at it.
fn absolute(directory: &Path, path: &Path) -> Option<String> {
    Some(directory.join(path).to_str()?.to_owned())
}

fn shell(input: &Map<String, Value>) -> Option<ToolCall> {
    let mut said = COMMANDS.iter().filter_map(|key| input.get(*key));
    let (first, second) = (said.next()?, said.next());
    if second.is_some_and(|second| second != first) {
        return None;
    }
    let command = match first {
        Value::String(text) => text.clone(),
        Value::Array(words) => text_of(words)?,
        _ => return None,
    };
    Some(ToolCall::new("Bash", json!({ "command": command })))
}

/// Words of a command as shell text: what a shell is told to run is that text itself.
fn text_of(words: &[Value]) -> Option<String> {
    let words: Vec<&str> = words.iter().map(Value::as_str).collect::<Option<_>>()?;
    match *words {
        [shell, "-c" | "-lc", text] if is_shell(shell) => Some(text.to_owned()),
        [] => None,
        _ => Some(shell_words::join(words)),
    }
}

fn is_shell(program: &str) -> bool {
    let name = Path::new(program).file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| SHELLS.contains(&name))
}

fn fetch(input: &Map<String, Value>) -> Option<ToolCall> {
    let text = |key| input.get(key).filter(|value| value.is_string());
    let is_plain = input.get("method").is_none_or(|method| {
        method
            .as_str()
            .is_some_and(|method| method.eq_ignore_ascii_case("get"))
    });
    match (text("url"), text("query")) {
        (Some(url), None) if is_plain => Some(ToolCall::new("WebFetch", json!({ "url": url }))),
        (None, Some(query)) => Some(ToolCall::new("WebSearch", json!({ "query": query }))),
        _ => None,
    }
}

#[cfg(test)]
#[path = "tool_tests.rs"]
mod tests;
