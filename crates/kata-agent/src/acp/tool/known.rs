//! The tools that the gate's rules are about, with all the arguments that each of them has.

use agent_client_protocol::v1::schema::ToolKind;
use serde_json::{Map, Value};

use super::arguments::{Arguments, NEW, OLD, Shape};

/// A tool that rules name.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) name: &'static str,
    /// What it does, in the protocol's words.
    pub(super) kind: ToolKind,
    pub(super) arguments: Arguments,
    /// So many of these, the first ones, have to be there.
    required: usize,
}

/// Under these names agents pass the one file that a tool works on.
const FILE: [&str; 5] = ["file_path", "path", "absolute_path", "abs_path", "filePath"];

const KNOWN: [Known; 15] = [
    Known {
        name: "Read",
        kind: ToolKind::Read,
        arguments: &[
            (&FILE, Shape::Path),
            (&["offset"], Shape::Number),
            (&["limit"], Shape::Number),
            (&["line"], Shape::Number),
            (&["pages"], Shape::Text),
        ],
        required: 1,
    },
    Known {
        name: "Write",
        kind: ToolKind::Edit,
        arguments: &[(&FILE, Shape::Path), (&["content"], Shape::Text)],
        required: 2,
    },
    Known {
        name: "Edit",
        kind: ToolKind::Edit,
        arguments: &[
            (&FILE, Shape::Path),
            (&OLD, Shape::Text),
            (&NEW, Shape::Text),
            (&["replace_all"], Shape::Flag),
            (&["edits"], Shape::Edits),
            (&["changes"], Shape::Patch),
        ],
        required: 1,
    },
    Known {
        name: "MultiEdit",
        kind: ToolKind::Edit,
        arguments: &[(&FILE, Shape::Path), (&["edits"], Shape::Edits)],
        required: 2,
    },
    Known {
        name: "NotebookEdit",
        kind: ToolKind::Edit,
        arguments: &[
            (&["notebook_path"], Shape::Path),
            (&["new_source"], Shape::Text),
            (&["cell_id"], Shape::Text),
            (&["cell_number"], Shape::Number),
            (&["cell_type"], Shape::Text),
            (&["edit_mode"], Shape::Text),
        ],
        required: 1,
    },
    // No rule of the base names these two: they are denied as what they are.
    Known {
        name: "Delete",
        kind: ToolKind::Delete,
        arguments: &[(&FILE, Shape::Path)],
        required: 1,
    },
    Known {
        name: "Move",
        kind: ToolKind::Move,
        arguments: &[
            (&["from", "source", "old_path"], Shape::Path),
            (&["to", "destination", "new_path"], Shape::Path),
        ],
        required: 2,
    },
    Known {
        name: "Glob",
        kind: ToolKind::Search,
        arguments: &[(&["pattern"], Shape::Text), (&["path"], Shape::Path)],
        required: 1,
    },
    Known {
        name: "Grep",
        kind: ToolKind::Search,
        arguments: &[
            (&["pattern", "query", "regex"], Shape::Text),
            (&["path", "dir_path"], Shape::Path),
            (&["glob", "include"], Shape::Text),
            (&["type"], Shape::Text),
            (&["output_mode"], Shape::Text),
            (&["-A"], Shape::Number),
            (&["-B"], Shape::Number),
            (&["-C"], Shape::Number),
            (&["context"], Shape::Number),
            (&["head_limit"], Shape::Number),
            (&["offset"], Shape::Number),
            (&["-n"], Shape::Flag),
            (&["-i"], Shape::Flag),
            (&["-o"], Shape::Flag),
            (&["multiline"], Shape::Flag),
            (&["case_sensitive"], Shape::Flag),
        ],
        required: 1,
    },
    Known {
        name: "WebFetch",
        kind: ToolKind::Fetch,
        arguments: &[
            (&["url"], Shape::Url),
            (&["prompt"], Shape::Text),
            (&["method"], Shape::Get),
        ],
        required: 1,
    },
    Known {
        name: "WebSearch",
        kind: ToolKind::Fetch,
        arguments: &[
            (&["query"], Shape::Text),
            (&["allowed_domains"], Shape::Texts),
            (&["blocked_domains"], Shape::Texts),
        ],
        required: 1,
    },
    Known {
        name: "Task",
        kind: ToolKind::Think,
        arguments: &[
            (&["prompt"], Shape::Text),
            (&["description"], Shape::Text),
            (&["subagent_type"], Shape::Text),
            (&["model"], Shape::Text),
            (&["name"], Shape::Text),
            (&["resume"], Shape::Text),
            (&["isolation"], Shape::Text),
            (&["max_turns"], Shape::Number),
            (&["run_in_background"], Shape::Flag),
        ],
        required: 0,
    },
    Known {
        name: "TaskOutput",
        kind: ToolKind::Other,
        arguments: &[
            (&["task_id"], Shape::Text),
            (&["block"], Shape::Flag),
            (&["timeout"], Shape::Number),
        ],
        required: 0,
    },
    Known {
        name: "TodoWrite",
        kind: ToolKind::Think,
        arguments: &[(&["todos"], Shape::List)],
        required: 0,
    },
    Known {
        name: "Bash",
        kind: ToolKind::Execute,
        // Not arguments but a language: they are read apart.
        arguments: &[],
        required: 0,
    },
];

/// The tool of this name, if rules are about it.
pub(super) fn known(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.name == name)
}

// === impl Known ===

impl Known {
    pub(super) fn is_shell(&self) -> bool {
        self.kind == ToolKind::Execute
    }

    pub(super) fn is_edit(&self) -> bool {
        self.kind == ToolKind::Edit
    }

    /// The names of the arguments that are paths.
    pub(super) fn paths(&self) -> impl Iterator<Item = &'static str> {
        let paths = self.arguments.iter().filter(|(_, shape)| *shape == Shape::Path);
        paths.map(|(names, _)| names[0])
    }

    /// Nothing is missing.
    pub(super) fn is_whole(&self, taken: &Map<String, Value>) -> bool {
        let mut required = self.arguments.iter().take(self.required);
        required.all(|(names, _)| taken.contains_key(names[0]))
    }
}
