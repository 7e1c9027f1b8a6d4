//! What is asked: a tool call, and who caused it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A tool call that waits for its verdict.
#[derive(Clone, Copy, Debug)]
pub struct ToolCall<'a> {
    /// The tool's name. Case counts.
    pub tool: &'a str,
    /// Its arguments; `null` where there are none.
    pub input: &'a Value,
}

/// In what a tool call is made. Grows with the rules that look at it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Context {
    /// Who caused the turn that makes the call.
    pub role: Role,
    /// Somebody can be asked: the workspace has an owner, and a host or channel takes the question.
    pub can_ask: bool,
}

/// What a sender may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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

impl<'a> ToolCall<'a> {
    /// A call of `tool` with `input`.
    #[must_use]
    pub fn new(tool: &'a str, input: &'a Value) -> Self {
        Self { tool, input }
    }
}

// === impl Context ===

impl Context {
    /// A turn caused by somebody in this role, where nobody can be asked.
    #[must_use]
    pub fn new(role: Role) -> Self {
        Self { role, can_ask: false }
    }

    /// The same, where somebody can be asked.
    #[must_use]
    pub fn asking(self) -> Self {
        Self {
            can_ask: true,
            ..self
        }
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
