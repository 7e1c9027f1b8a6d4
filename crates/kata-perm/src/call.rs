//! What is asked: a tool call, and who caused it.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::SystemTime};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A tool call that waits for its verdict: the request of the TOOL stack. Its arguments may hold secrets: `Debug` shows
/// the name alone.
#[derive(Clone, PartialEq)]
pub struct ToolCall {
    /// The tool's name. Case counts.
    pub tool: String,
    /// Its arguments; `null` where there are none.
    pub input: Value,
}

/// In what a tool call is made. Grows with the rules that look at it.
///
/// What is left out is not known: a rule that allows and looks at it is not in force, one that denies or asks denies.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Context {
    /// Who caused the turn that makes the call.
    pub role: Role,
    /// Somebody can be asked: the workspace has an owner, and a host or channel takes the question.
    pub can_ask: bool,
    pub(crate) channel: Option<String>,
    pub(crate) session: Option<String>,
    pub(crate) now: Option<SystemTime>,
    pub(crate) directory: Option<PathBuf>,
    pub(crate) uses: BTreeMap<String, u64>,
}

/// What a sender may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Named among the workspace's owners.
    Owner,
    /// May speak.
    Member,
    /// May cause nothing.
    Stranger,
}

// === impl ToolCall ===

impl ToolCall {
    /// A call of `tool` with `input`.
    #[must_use]
    pub fn new(tool: impl Into<String>, input: Value) -> Self {
        Self {
            tool: tool.into(),
            input,
        }
    }
}

impl fmt::Debug for ToolCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolCall")
            .field("tool", &self.tool)
            .finish_non_exhaustive()
    }
}

// === impl Context ===

impl Context {
    /// A turn caused by somebody in this role, where nobody can be asked.
    #[must_use]
    pub fn new(role: Role) -> Self {
        Self {
            role,
            can_ask: false,
            channel: None,
            session: None,
            now: None,
            directory: None,
            uses: BTreeMap::new(),
        }
    }

    /// The same, where somebody can be asked.
    #[must_use]
    pub fn asking(self) -> Self {
        Self {
            can_ask: true,
            ..self
        }
    }

    /// The channel (its slug) that the turn belongs to.
    #[must_use]
    pub fn in_channel(mut self, slug: impl Into<String>) -> Self {
        self.channel = Some(slug.into());
        self
    }

    /// The session (its key) that the turn belongs to.
    #[must_use]
    pub fn in_session(mut self, key: impl Into<String>) -> Self {
        self.session = Some(key.into());
        self
    }

    /// Wall time now, for rules that end.
    #[must_use]
    pub fn at(mut self, now: SystemTime) -> Self {
        self.now = Some(now);
        self
    }

    /// The absolute folder that relative paths begin at, where it is not the workspace's.
    #[must_use]
    pub fn in_directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// How many calls the rule with this id has allowed so far. Counting is the caller's: it stores one more before it
    /// runs a call that such a rule allowed, and runs none where that fails.
    #[must_use]
    pub fn with_uses(mut self, rule: impl Into<String>, uses: u64) -> Self {
        self.uses.insert(rule.into(), uses);
        self
    }
}

// === impl Role ===

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Owner => "owner",
            Self::Member => "member",
            Self::Stranger => "stranger",
        })
    }
}
