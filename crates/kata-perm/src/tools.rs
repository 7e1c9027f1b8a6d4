//! Kinds of tools, by what must be looked at before one may run.

/// A kind of tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    /// Runs shell text, in its argument [`COMMAND`].
    Shell,
    /// Writes the file that this argument names.
    Writes(&'static str),
    /// Belongs to an MCP server.
    Mcp,
    /// Calls an HTTP API.
    Api,
    Other,
}

/// Tools that no tool name alone can allow, whoever declares it: what they do is decided by their arguments.
pub(crate) const NEVER: [&str; 5] = ["Bash", "Write", "Edit", "MultiEdit", "NotebookEdit"];

/// The shell text of `Bash`.
pub(crate) const COMMAND: &str = "command";

// === impl Tool ===

impl Tool {
    pub(crate) fn of(name: &str) -> Self {
        match name {
            "Bash" => Self::Shell,
            "Write" | "Edit" | "MultiEdit" => Self::Writes("file_path"),
            "NotebookEdit" => Self::Writes("notebook_path"),
            _ if name.starts_with("mcp__") => Self::Mcp,
            _ if name.starts_with("api_") => Self::Api,
            _ => Self::Other,
        }
    }

    /// No name alone allows it.
    pub(crate) fn is_never(self) -> bool {
        matches!(self, Self::Shell | Self::Writes(_))
    }

    /// The argument, a text, without which it is denied.
    pub(crate) fn argument(self) -> Option<&'static str> {
        match self {
            Self::Shell => Some(COMMAND),
            Self::Writes(argument) => Some(argument),
            Self::Mcp | Self::Api | Self::Other => None,
        }
    }
}
