//! What an agent asks permission for, in the words of the gate.
//!
//! Agents name their tools as they like, and the protocol has kinds, not names. A call becomes one that rules can name only
//! where it is certain what it does: everything that was said of it is known, and stands in the call, so that rules look
//! at it, a person sees it and a grant is bound to it. Any other becomes `acp:{kind}` with all that was said, which no rule
//! of the base names: it is denied, or asked about where the workspace's file says so.

mod arguments;
mod known;
mod own;
mod shell;
mod size;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use agent_client_protocol::v1::schema::{self as acp, ToolCallContent, ToolCallUpdateFields, ToolKind};
use kata_perm::ToolCall;
use serde_json::{Map, Value, json};

pub(super) use self::own::OwnTools;
use self::{
    arguments::{NEW, OLD, absolute, take},
    known::{Known, known},
};

/// So much is remembered of one call, in bytes. The gate allows no arguments of more than a quarter.
const LARGEST: usize = 4 * 1024 * 1024;

/// What an agent told of one of its tool calls so far. It tells bit by bit, and not always the same twice.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    name: Option<String>,
    kind: ToolKind,
    title: String,
    input: Option<Value>,
    locations: Vec<PathBuf>,
    diffs: Vec<acp::Diff>,
    /// It was more than is remembered: of what it does nothing is known any more.
    is_too_large: bool,
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
        if self.is_too_large || self.size() > LARGEST {
            self.forget();
        }
    }

    /// About so many bytes are held for it.
    pub(super) fn size(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let locations = self.locations.iter();
        let locations = locations.map(|path| size_of::<PathBuf>() + path.as_os_str().len());
        let diffs = self.diffs.iter().map(|diff| {
            let path = diff.path.as_os_str().len();
            size_of::<acp::Diff>() + path + text(&diff.old_text) + diff.new_text.len()
        });
        let input = self.input.as_ref().map_or(0, size::of_value);
        let named = text(&self.name) + self.title.len();
        size_of::<Self>() + named + input + locations.sum::<usize>() + diffs.sum::<usize>()
    }

    /// Lets go of it: it is too much to be remembered.
    pub(super) fn forget(&mut self) {
        *self = Self {
            kind: self.kind,
            is_too_large: true,
            ..Self::default()
        };
    }

    /// It was more than is remembered. Nobody can decide about it.
    pub(super) fn is_too_large(&self) -> bool {
        self.is_too_large
    }

    /// The call, if it is one of the daemon's own tools, by the name that it has for the agent. What such a tool does, no
    /// kind of the protocol says.
    pub(super) fn of_own(&self, own: &OwnTools) -> Option<ToolCall> {
        let name = self
            .name
            .as_deref()
            .filter(|name| own.has(name) && self.kind == ToolKind::Other)?;
        Some(ToolCall::new(name, self.input.clone().unwrap_or_default()))
    }

    /// The call that the gate is asked about. Relative paths begin at `directory`, where the agent runs; the daemon's
    /// `own` tools are called by no other name than they have for the agent.
    pub(super) fn call(&self, directory: &Path, own: Option<&OwnTools>) -> ToolCall {
        let certain = match &self.name {
            Some(name) => self.named(name, directory, own),
            None => self.of_kind(directory),
        };
        certain.unwrap_or_else(|| self.uncertain())
    }

    /// By the agent's own name for it, which is one of the gate's.
    fn named(&self, name: &str, directory: &Path, own: Option<&OwnTools>) -> Option<ToolCall> {
        match known(name) {
            Some(known) if self.kind == ToolKind::Other || self.kind == known.kind => {
                self.of(known, directory)
            }
            // Its own kind contradicts it.
            Some(_) => None,
            // What the rules say of a tool of ours is said of that one.
            None if own.is_some_and(|own| own.is_named(name)) => None,
            None => Some(ToolCall::new(name, self.input.clone().unwrap_or_default())),
        }
    }

    /// By what the protocol says that it does.
    fn of_kind(&self, directory: &Path) -> Option<ToolCall> {
        let given = self.given()?;
        let has = |key: &str| given.get(key).is_some_and(|value| !value.is_null());
        let tool = match self.kind {
            // Agents call a shell command a read or a search if that is what it looks like.
            ToolKind::Execute | ToolKind::Read | ToolKind::Search | ToolKind::Other
                if shell::is_command(&given) =>
            {
                "Bash"
            }
            ToolKind::Read => "Read",
            ToolKind::Edit if has("content") => "Write",
            ToolKind::Edit => "Edit",
            ToolKind::Delete => "Delete",
            ToolKind::Move => "Move",
            ToolKind::Search => "Grep",
            ToolKind::Fetch if has("url") => "WebFetch",
            ToolKind::Fetch => "WebSearch",
            _ => return None,
        };
        self.of(known(tool)?, directory)
    }

    /// A call of this tool, if everything that was said fits it.
    fn of(&self, known: &Known, directory: &Path) -> Option<ToolCall> {
        let given = self.given()?;
        if !self.diffs.is_empty() && !known.is_edit() {
            return None;
        }
        if known.is_shell() {
            return Some(ToolCall::new(known.name, shell::arguments(&given, directory)?));
        }
        let mut input = take(known.arguments, &given, directory)?;
        self.agree_on_files(known, &mut input, directory)?;
        if known.name == "Edit" {
            self.tell_edits(&mut input);
        }
        known
            .is_whole(&input)
            .then(|| ToolCall::new(known.name, input.into()))
    }

    /// Adds the file, where it stands beside the arguments. None if anything that was said is about another one.
    fn agree_on_files(&self, known: &Known, input: &mut Map<String, Value>, directory: &Path) -> Option<()> {
        let mut said = BTreeSet::new();
        // A patch: a file for each key.
        let patched = input.get("changes").and_then(Value::as_object);
        for path in patched.into_iter().flat_map(Map::keys) {
            said.insert(absolute(directory, Path::new(path))?);
        }
        let shown = self.diffs.iter().map(|diff| &diff.path);
        for path in self.locations.iter().chain(shown) {
            said.insert(absolute(directory, path)?);
        }
        let Some(first) = said.first().cloned() else {
            return Some(());
        };
        let file = known.paths().next()?;
        input.entry(file).or_insert_with(|| first.into());
        let named: Vec<_> = known
            .paths()
            .filter_map(|path| input.get(path)?.as_str())
            .collect();
        said.iter().all(|path| named.contains(&&**path)).then_some(())
    }

    /// Adds what is changed, where it stands beside the arguments alone.
    fn tell_edits(&self, input: &mut Map<String, Value>) {
        let [old, new] = [OLD[0], NEW[0]];
        if [old, new, "edits", "changes"]
            .iter()
            .any(|key| input.contains_key(*key))
        {
            return;
        }
        match &*self.diffs {
            [] => {}
            [diff] => {
                input.insert(old.to_owned(), diff.old_text.clone().into());
                input.insert(new.to_owned(), diff.new_text.clone().into());
            }
            diffs => {
                let edits = diffs
                    .iter()
                    .map(|diff| json!({ old: diff.old_text, new: diff.new_text }));
                input.insert("edits".to_owned(), edits.collect());
            }
        }
    }

    /// The raw input, if it is arguments with names, or none at all.
    fn given(&self) -> Option<Map<String, Value>> {
        match &self.input {
            None | Some(Value::Null) => Some(Map::new()),
            Some(Value::Object(given)) => Some(given.clone()),
            Some(_) => None,
        }
    }

    /// What nobody can be certain about, with all that was said.
    fn uncertain(&self) -> ToolCall {
        let kind = serde_json::to_value(self.kind).unwrap_or_default();
        let kind = kind.as_str().unwrap_or("other");
        let mut said = Map::new();
        said.insert("title".to_owned(), self.title.clone().into());
        said.insert("input".to_owned(), self.input.clone().into());
        if let Some(name) = &self.name {
            said.insert("tool".to_owned(), name.clone().into());
        }
        if !self.locations.is_empty() {
            said.insert("locations".to_owned(), json!(self.locations));
        }
        if !self.diffs.is_empty() {
            let diffs = self.diffs.iter().map(
                |diff| json!({ "path": diff.path, "old_text": diff.old_text, "new_text": diff.new_text }),
            );
            said.insert("diffs".to_owned(), diffs.collect());
        }
        ToolCall::new(format!("acp:{kind}"), said.into())
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

#[cfg(test)]
#[path = "tool_tests.rs"]
mod tests;
