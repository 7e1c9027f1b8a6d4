//! What a permissions file adds, compiled.

use crate::{
    facts::Facts,
    file::{Effect, Endpoint, PermissionsFile},
    grant::FileGrant,
    path::{RootedGlob, Roots},
    pattern::{NamePattern, Pattern, Patterns},
    policy::ToolDefault,
    rule::{Rule, is_command_match},
    shell::Command,
    stance::{Stance, Truth},
    tools::{COMMAND, Tool},
    verdict::Verdict,
    web::is_plain_api_path,
    written::{Entry, Written},
};

/// The longest tool name that a pattern is held against.
const LONGEST_NAME: usize = 256;

/// A file in force. Its lists are sorted, so that which entry a verdict names does not hang on their order.
#[derive(Clone, Debug)]
pub(crate) struct Additions {
    file: PermissionsFile,
    roots: Roots,
    bash: Patterns,
    mcp: Patterns,
    blocked: Vec<Written<NamePattern>>,
    allowed: Vec<Written<NamePattern>>,
    ask: Vec<Written<NamePattern>>,
    write: Vec<(String, RootedGlob)>,
    endpoints: Vec<Endpoint>,
    /// Those that deny, then those that ask; by id.
    restricting: Vec<Rule>,
    /// Those that allow, by id.
    granting: Vec<Rule>,
}

// === impl Additions ===

impl Additions {
    pub(crate) fn new(file: &PermissionsFile, roots: &Roots) -> Self {
        let write = sorted(&file.allowed_write_paths).into_iter();
        let mut endpoints = file.allowed_api_endpoints.clone();
        endpoints.sort_by(|one, other| (&one.method, &one.path.text).cmp(&(&other.method, &other.path.text)));
        let mut rules: Vec<Rule> = file.rules.iter().map(|rule| Rule::new(rule, roots)).collect();
        rules.sort_by(|one, other| (one.effect(), &one.name).cmp(&(other.effect(), &other.name)));
        let granting = rules.split_off(rules.partition_point(|rule| rule.effect() < Effect::Allow));
        Self {
            bash: Patterns::new(sorted(&file.allowed_bash_patterns)),
            mcp: Patterns::new(sorted(&file.allowed_mcp_patterns)),
            blocked: sorted(&file.blocked_tools),
            allowed: sorted(&file.allowed_tools),
            ask: sorted(&file.ask_tools),
            write: write.map(|glob| (glob.text, glob.value.rooted(roots))).collect(),
            endpoints,
            restricting: rules,
            granting,
            file: file.clone(),
            roots: roots.clone(),
        }
    }

    pub(crate) fn file(&self) -> &PermissionsFile {
        &self.file
    }

    pub(crate) fn roots(&self) -> &Roots {
        &self.roots
    }

    /// The rules that allow a number of calls, with that number.
    pub(crate) fn counted(&self) -> impl Iterator<Item = (&str, u64)> {
        self.granting
            .iter()
            .filter_map(|rule| Some((rule.written.id.as_str(), rule.written.uses?)))
    }

    /// The rules that allow, and come to an end.
    pub(crate) fn grants(&self) -> impl Iterator<Item = FileGrant> {
        self.granting
            .iter()
            .filter_map(|rule| FileGrant::of(&rule.written))
    }

    /// What becomes of a tool that declares `default`, going by its name alone; none if it never runs. Where a rule may deny
    /// or ask, a host that goes by names must ask.
    pub(crate) fn listing(&self, tool: &str, default: ToolDefault) -> Option<ToolDefault> {
        let held = || self.restricting.iter().filter(|rule| rule.names(tool));
        if restricting(&self.blocked, tool).is_some() || held().any(Rule::always_denies) {
            None
        } else if restricting(&self.ask, tool).is_some() || held().next().is_some() {
            Some(ToolDefault::Ask)
        } else if granting(&self.allowed, tool).is_some() {
            Some(ToolDefault::Allow)
        } else {
            Some(default)
        }
    }

    /// What the file holds back: the denial it says, or the rule, if any, that wants a person asked.
    pub(crate) fn restriction(&self, facts: &Facts<'_>) -> Result<Option<String>, Verdict> {
        let tool = &facts.call.tool;
        if let Some(pattern) = restricting(&self.blocked, tool) {
            let reason = format!("{tool} is blocked by `blockedTools` of the workspace.");
            return Err(Verdict::deny(format!("blockedTools:{pattern}"), reason));
        }
        let mut asks = restricting(&self.ask, tool).map(|pattern| format!("askTools:{pattern}"));
        for rule in &self.restricting {
            let id = &rule.written.id;
            let reason = match (rule.is_about(facts), rule.effect()) {
                (Truth::No, _) => continue,
                (Truth::Yes, Effect::Deny) => format!("{tool} is denied here by rule {id} of the workspace."),
                (Truth::Yes, _) => {
                    asks.get_or_insert_with(|| rule.name.clone());
                    continue;
                }
                // Else an argument that is left out, or said in an odd way, would be the way around the rule.
                (Truth::Unknown, _) => {
                    format!(
                        "{tool} is denied: whether rule {id} of the workspace is about this call cannot be told."
                    )
                }
            };
            return Err(Verdict::deny(rule.name.clone(), reason));
        }
        Ok(asks)
    }

    /// The permission that the file gives, if it does. Stands after [`restriction`](Self::restriction).
    pub(crate) fn permission(&self, facts: &Facts<'_>, tool: Tool) -> Option<Verdict> {
        let listed = match tool {
            Tool::Shell => self.shell(facts),
            Tool::Writes(_) => self.writes(facts, tool),
            Tool::Mcp => self.server(&facts.call.tool),
            Tool::Api => self.endpoint(facts).or_else(|| self.named(facts)),
            Tool::Other => self.named(facts),
        };
        let allows = |rule: &&Rule| rule.looks_at_what_matters(tool) && rule.is_about(facts) == Truth::Yes;
        let rule = listed.or_else(|| self.granting.iter().find(allows).map(|rule| rule.name.clone()))?;
        let reason = format!(
            "{} is allowed here by the workspace's permissions.",
            &facts.call.tool
        );
        Some(Verdict::allow(rule, reason))
    }

    fn named(&self, facts: &Facts<'_>) -> Option<String> {
        granting(&self.allowed, &facts.call.tool).map(|pattern| format!("allowedTools:{pattern}"))
    }

    fn server(&self, tool: &str) -> Option<String> {
        let is_match = |pattern: &Pattern| pattern.is_match(tool).unwrap_or(false);
        let pattern = self.mcp.first(tool, is_match)?;
        Some(format!("allowedMcpPatterns:{pattern}"))
    }

    /// Every simple command must match an entry.
    fn shell(&self, facts: &Facts<'_>) -> Option<String> {
        let commands = facts.commands(facts.argument(COMMAND)?);
        let mut named = Vec::new();
        for command in commands.as_ref().as_ref().ok()? {
            let pattern = self.command(command)?;
            if !named.contains(&pattern) {
                named.push(pattern);
            }
        }
        Some(format!("allowedBashPatterns:{}", named.join(" + ")))
    }

    fn command(&self, command: &Command) -> Option<&str> {
        let is_match = |pattern: &Pattern| is_command_match(pattern, command, Stance::Grants) == Truth::Yes;
        // To allow, a pattern has to match this form, whatever else it has to match.
        self.bash.first(&command.plain, is_match)
    }

    fn writes(&self, facts: &Facts<'_>, tool: Tool) -> Option<String> {
        let path = facts.destination(tool)?;
        let is_match = |(_, glob): &&(String, RootedGlob)| glob.is_match(&path, Stance::Grants) == Truth::Yes;
        let (glob, _) = self.write.iter().find(is_match)?;
        Some(format!("allowedWritePaths:{glob}"))
    }

    fn endpoint(&self, facts: &Facts<'_>) -> Option<String> {
        let method = match facts.call.input.get("method") {
            None => "GET",
            Some(method) => method.as_str()?,
        };
        let path = facts.argument("path").filter(|path| is_plain_api_path(path))?;
        let is_match = |endpoint: &&Endpoint| {
            endpoint.method.eq_ignore_ascii_case(method)
                && endpoint.path.value.is_match(path).unwrap_or(false)
        };
        let endpoint = self.endpoints.iter().find(is_match)?;
        Some(format!(
            "allowedApiEndpoints:{} {}",
            endpoint.method, endpoint.path.text
        ))
    }

    /// The denial of a call that would write to what governs the daemon.
    pub(crate) fn protection(&self, facts: &Facts<'_>, tool: Tool) -> Option<Verdict> {
        let path = facts.destination(tool)?;
        let tool = &facts.call.tool;
        let reason = match facts.is_protected(&path) {
            Truth::No => return None,
            Truth::Yes => format!("{tool} may not write {path}: it governs what the agent may do."),
            Truth::Unknown => {
                format!(
                    "{tool} may not write {path}: whether it governs what the agent may do cannot be told."
                )
            }
        };
        Some(Verdict::deny("protected", reason))
    }

    /// What is missing for a permission, where that is more than a name. For the agent, which may do better.
    pub(crate) fn what_is_missing(&self, facts: &Facts<'_>, tool: Tool) -> Option<String> {
        match tool {
            Tool::Shell => match &*facts.commands(facts.argument(COMMAND)?) {
                Err(refusal) => Some(format!("Its text cannot be allowed: {refusal}.")),
                Ok(_) => Some("A command in it matches no entry of `allowedBashPatterns`.".to_owned()),
            },
            Tool::Writes(_) => Some(match facts.destination(tool) {
                Some(_) => "The path does not lie in `allowedWritePaths`.".to_owned(),
                None => "Where the path leads is not certain.".to_owned(),
            }),
            Tool::Mcp | Tool::Api | Tool::Other => None,
        }
    }
}

impl PartialEq for Additions {
    fn eq(&self, other: &Self) -> bool {
        self.file == other.file && self.roots == other.roots
    }
}

impl Eq for Additions {}

fn sorted<T: Clone>(entries: &[Entry<T>]) -> Vec<Written<T>> {
    let mut patterns: Vec<_> = entries.iter().map(|entry| entry.pattern.clone()).collect();
    patterns.sort_by(|one, other| one.text.cmp(&other.text));
    patterns
}

/// A name that patterns may be held against: nothing in it looks like something else.
pub(crate) fn is_plain_name(tool: &str) -> bool {
    tool.len() <= LONGEST_NAME && tool.bytes().all(|b| b.is_ascii_graphic())
}

/// The first pattern that matches, as it was written.
fn first<T>(patterns: &[Written<T>], is_match: impl Fn(&T) -> bool) -> Option<&str> {
    let found = patterns.iter().find(|pattern| is_match(&pattern.value))?;
    Some(&found.text)
}

fn granting<'p>(patterns: &'p [Written<NamePattern>], tool: &str) -> Option<&'p str> {
    first(patterns, |pattern| pattern.is_match(tool).unwrap_or(false))
}

/// A pattern that gives up is taken to match: it is there to hold something back.
fn restricting<'p>(patterns: &'p [Written<NamePattern>], tool: &str) -> Option<&'p str> {
    first(patterns, |pattern| pattern.is_match(tool).unwrap_or(true))
}
