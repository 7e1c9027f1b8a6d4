//! The compiled rules.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{
    additions::{Additions, is_plain_name},
    call::{Context, Role, ToolCall},
    facts::Facts,
    file::PermissionsFile,
    grant::FileGrant,
    path::Roots,
    size,
    text::{LONGEST, hidden},
    tools::{NEVER, Tool},
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
/// The default allows nothing. Serialised it is `permissions` of `process_message`; a file
/// that is in force stands in it as `additions`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    tools: BTreeMap<Cow<'static, str>, Rule>,
    additions: Option<Arc<Additions>>,
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
            additions: None,
        }
    }

    /// Adds a tool of an enabled plugin. A tool that the base names, and one that no name alone can allow, keeps
    /// the verdict it has: a plugin cannot widen these by taking their names.
    #[must_use]
    pub fn with_plugin_tool(mut self, tool: impl Into<Cow<'static, str>>, default: ToolDefault) -> Self {
        self.tools.entry(tool.into()).or_insert(Rule::Plugin(default));
        self
    }

    /// Puts a workspace's file into force, in place of the one before. What the file says of a plugin's tool goes before
    /// what the plugin declares.
    ///
    /// Folders that globs name are followed now: after one of them was moved or made a link, make the policy anew.
    #[must_use]
    pub fn with_file(mut self, file: &PermissionsFile, roots: &Roots) -> Self {
        self.additions = Some(Arc::new(Additions::new(file, roots)));
        self
    }

    /// The rules that allow a number of calls: their ids, and that number. See [`Context::with_uses`].
    pub fn counted_rules(&self) -> impl Iterator<Item = (&str, u64)> {
        self.additions.iter().flat_map(|additions| additions.counted())
    }

    /// The rules that allow a number of calls or until a time, by id. One that is over is among them.
    pub fn file_grants(&self) -> impl Iterator<Item = FileGrant> {
        self.additions.iter().flat_map(|additions| additions.grants())
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

    /// Whether a tool call may be made. Deny beats ask beats allow; what no rule names is denied.
    ///
    /// Reads no file, but asks the file system where a path leads, if a rule looks at one. What it says holds for that moment.
    pub fn decide(&self, call: &ToolCall, context: &Context) -> Verdict {
        let run = self.decide_run(context.role);
        if !run.is_allowed() {
            return run;
        }
        if !size::is_bounded(&call.input) {
            let reason = format!("{} was called with arguments that are too large.", &call.tool);
            return Verdict::deny("input", reason);
        }
        match &self.additions {
            Some(additions) => self.decide_with(additions, call, context),
            None => self.decide_base(call, Tool::of(&call.tool), context),
        }
    }

    fn decide_with(&self, additions: &Additions, call: &ToolCall, context: &Context) -> Verdict {
        let tool = Tool::of(&call.tool);
        let facts = Facts::new(call, context, additions.roots());
        let asks = match additions.restriction(&facts) {
            Ok(asks) => asks,
            Err(denied) => return denied,
        };
        if let Some(argument) = tool.argument()
            && !facts.argument(argument).is_some_and(can_be_read)
        {
            let reason = format!("{} was called without a readable `{}`.", &call.tool, argument);
            return Verdict::deny("input", reason);
        }
        // No rule of a file widens what happens to arguments, or to a name, that cannot be looked at.
        if !call.input.is_object() {
            return self.decide_base(call, tool, context);
        }
        if let Some(denied) = additions.protection(&facts, tool) {
            return denied;
        }
        // A person cannot tell either where such a path leads.
        let is_lost = matches!(tool, Tool::Writes(_)) && facts.destination(tool).is_none();
        let asks = asks.filter(|_| !is_lost);
        match (asks, is_plain_name(&call.tool)) {
            (Some(rule), true) => return Verdict::question(rule, &call.tool, context.can_ask),
            // A person would take the name for another.
            (Some(_), false) => return Verdict::not_listed("default", &call.tool),
            (None, true) => {}
            (None, false) => return self.decide_base(call, tool, context),
        }
        additions.permission(&facts, tool).unwrap_or_else(|| {
            let denied = self.decide_base(call, tool, context);
            match additions.what_is_missing(&facts, tool) {
                Some(missing) => denied.because(&missing),
                None => denied,
            }
        })
    }

    /// The verdict without a file.
    fn decide_base(&self, call: &ToolCall, tool: Tool, context: &Context) -> Verdict {
        if tool.is_never() {
            return Verdict::not_listed("base:never", &call.tool);
        }
        if tool == Tool::Mcp {
            return Verdict::not_listed("base:mcp", &call.tool);
        }
        match self.tools.get(call.tool.as_str()) {
            None => Verdict::not_listed("default", &call.tool),
            // A call without arguments that can be looked at must not slip past the rules that do.
            Some(_) if !call.input.is_object() => Verdict::deny(
                "input",
                format!("{} was called without an object of arguments.", &call.tool),
            ),
            Some(rule) => rule.verdict(&call.tool, context),
        }
    }

    /// Tools that run, or those that ask. Shows what [`decide`](Self::decide) does, not what was declared.
    fn listed(&self, default: ToolDefault) -> Vec<&str> {
        let listed = |tool: &str, rule: Rule| match &self.additions {
            Some(additions) => additions.listing(tool, rule.declared()),
            None => Some(rule.declared()),
        };
        let decidable = self.tools.iter().filter(|(tool, _)| {
            let tool = Tool::of(tool);
            !tool.is_never() && tool != Tool::Mcp
        });
        decidable
            .filter(|(tool, rule)| listed(tool, **rule) == Some(default))
            .map(|(tool, _)| tool.as_ref())
            .collect()
    }
}

/// The argument that decides is short enough, and a person would see what it says.
fn can_be_read(text: &str) -> bool {
    text.len() <= LONGEST && !text.chars().any(|c| hidden(c) && !matches!(c, '\n' | '\t'))
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut policy = to.serialize_struct("Policy", 4 + usize::from(self.additions.is_some()))?;
        policy.serialize_field("mode", "daemon")?;
        policy.serialize_field("allowedTools", &self.listed(ToolDefault::Allow))?;
        policy.serialize_field("askTools", &self.listed(ToolDefault::Ask))?;
        policy.serialize_field("deniedTools", &NEVER)?;
        match &self.additions {
            Some(additions) => policy.serialize_field("additions", additions.file())?,
            None => policy.skip_field("additions")?,
        }
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
            Self::Plugin(ToolDefault::Ask) => {
                Verdict::question(format!("plugin:{tool}"), tool, context.can_ask)
            }
        }
    }
}

#[cfg(test)]
mod tests;
