//! The compiled rules.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{
    call::{Context, Role, ToolCall},
    verdict::Verdict,
};

/// Tools that only read, or whose effects stay within the turn.
const BASE: [&str; 8] = [
    "Read",
    "Glob",
    "Grep",
    "WebFetch",
    "WebSearch",
    "Task",
    "TaskOutput",
    "TodoWrite",
];

/// Tools that no tool name alone can allow, whoever declares it: what they do is decided by their arguments.
const NEVER: [&str; 5] = ["Bash", "Write", "Edit", "MultiEdit", "NotebookEdit"];

/// Tools of MCP servers are named `mcp__server__tool`.
const MCP: &str = "mcp__";

/// What a plugin declares about a tool that it brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ToolDefault {
    /// It may run.
    Allow,
    /// Somebody is asked first.
    Ask,
}

/// Which tool calls a daemon's agent may make. Compiled once, cheap to ask, never changed: new rules are a new policy.
///
/// The default allows nothing. Serialised it is `permissions` of `process_message`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    tools: BTreeMap<Cow<'static, str>, Rule>,
}

/// Where the permission of a tool comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Base,
    Plugin(ToolDefault),
}

// === impl Policy ===

impl Policy {
    /// The base allowlist: `Read Glob Grep WebFetch WebSearch Task TaskOutput TodoWrite`.
    #[must_use]
    pub fn base() -> Self {
        Self {
            tools: BASE.map(|tool| (Cow::Borrowed(tool), Rule::Base)).into(),
        }
    }

    /// Adds a tool of an enabled plugin. A tool that the base names, and one that no name alone can allow, keeps
    /// the verdict it has: a plugin cannot widen these by taking their names.
    #[must_use]
    pub fn with_plugin_tool(mut self, tool: impl Into<Cow<'static, str>>, default: ToolDefault) -> Self {
        self.tools.entry(tool.into()).or_insert(Rule::Plugin(default));
        self
    }

    /// Whether somebody in this role may start a run at all.
    pub fn decide_run(&self, role: Role) -> Verdict {
        match role {
            Role::Stranger => Verdict::deny("role:stranger", "A stranger may not cause a run.".into()),
            Role::Owner | Role::Member => Verdict::allow(
                format!("role:{role}"),
                format!("The sender is known here as {role}."),
            ),
        }
    }

    /// Whether a tool call may be made. Deny beats allow; what no rule names is denied.
    pub fn decide(&self, call: &ToolCall<'_>, context: &Context) -> Verdict {
        let run = self.decide_run(context.role);
        if !run.is_allowed() {
            return run;
        }
        if NEVER.contains(&call.tool) {
            return Verdict::not_listed("base:never", call.tool);
        }
        if call.tool.starts_with(MCP) {
            return Verdict::not_listed("base:mcp", call.tool);
        }
        match self.tools.get(call.tool) {
            None => Verdict::not_listed("default", call.tool),
            // Rules will look at arguments; a call without any that can be looked at must not slip past them.
            Some(_) if !call.input.is_object() => Verdict::deny(
                "input",
                format!("{} was called without an object of arguments.", call.tool),
            ),
            Some(rule) => rule.verdict(call.tool, context),
        }
    }

    /// Tools that run, or those that ask. Shows what [`decide`](Self::decide) does, not what was declared.
    fn listed(&self, default: ToolDefault) -> Vec<&str> {
        let decidable = self
            .tools
            .iter()
            .filter(|(tool, _)| !NEVER.contains(&tool.as_ref()) && !tool.starts_with(MCP));
        decidable
            .filter(|(_, rule)| rule.declared() == default)
            .map(|(tool, _)| tool.as_ref())
            .collect()
    }
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut policy = to.serialize_struct("Policy", 4)?;
        policy.serialize_field("mode", "daemon")?;
        policy.serialize_field("allowedTools", &self.listed(ToolDefault::Allow))?;
        policy.serialize_field("askTools", &self.listed(ToolDefault::Ask))?;
        policy.serialize_field("deniedTools", &NEVER)?;
        policy.end()
    }
}

// === impl Rule ===

impl Rule {
    fn declared(self) -> ToolDefault {
        match self {
            Self::Base => ToolDefault::Allow,
            Self::Plugin(default) => default,
        }
    }

    fn verdict(self, tool: &str, context: &Context) -> Verdict {
        match self {
            Self::Base => Verdict::allow(
                format!("base:{tool}"),
                format!("{tool} is in the daemon tool allowlist."),
            ),
            Self::Plugin(ToolDefault::Allow) => Verdict::allow(
                format!("plugin:{tool}"),
                format!("{tool} is allowed by the plugin that brings it."),
            ),
            Self::Plugin(ToolDefault::Ask) if context.can_ask => Verdict::ask(
                format!("plugin:{tool}"),
                format!("{tool} needs a person's approval."),
            ),
            // D28: `ask` where nobody can be asked is a denial that says so.
            Self::Plugin(ToolDefault::Ask) => Verdict::deny(
                format!("plugin:{tool}"),
                format!("{tool} needs a person's approval, and nobody can be asked here."),
            ),
        }
    }
}

#[cfg(test)]
mod tests;
