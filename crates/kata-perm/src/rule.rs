//! A rule in force.

use serde_json::{Number, Value};

use crate::{
    facts::Facts,
    file::{self, Condition, Effect},
    path::{RootedGlob, Roots},
    pattern::Pattern,
    pointer::Pointer,
    shell::Command,
    stance::{Stance, Truth},
    text::LONGEST,
    tools::Tool,
    value::{compare, is_one_of},
    web::UrlTest,
    written::Written,
};

/// A rule whose globs were followed to where they lead.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) written: file::Rule,
    /// What its verdicts are called.
    pub(crate) name: String,
    tests: Vec<Test>,
}

#[derive(Clone, Debug)]
struct Test {
    at: Pointer,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    OneOf(Vec<Value>),
    Glob(crate::web::TextGlob),
    Regex(Pattern),
    Within(Option<Number>, Option<Number>),
    Path(Vec<RootedGlob>),
    Url(UrlTest),
    Shell(Vec<Written<Pattern>>),
}

// === impl Rule ===

impl Rule {
    pub(crate) fn new(written: &file::Rule, roots: &Roots) -> Self {
        let tests = written.when.iter().filter_map(|condition| {
            let at = condition.at.value.clone();
            kind(condition, roots).map(|kind| Test { at, kind })
        });
        Self {
            name: format!("rule:{}", written.id),
            tests: tests.collect(),
            written: written.clone(),
        }
    }

    pub(crate) fn effect(&self) -> Effect {
        self.written.effect
    }

    fn stance(&self) -> Stance {
        match self.effect() {
            Effect::Allow => Stance::Grants,
            Effect::Deny | Effect::Ask => Stance::Restricts,
        }
    }

    /// Whether the rule is in force for the call, and about it.
    pub(crate) fn is_about(&self, facts: &Facts<'_>) -> Truth {
        if !self.names(&facts.call.tool) {
            return Truth::No;
        }
        let scope = self.scope(facts);
        if scope == Truth::No {
            return scope;
        }
        let stance = self.stance();
        scope.and(Truth::all(
            self.tests.iter().map(|test| test.holds(facts, stance)),
        ))
    }

    pub(crate) fn names(&self, tool: &str) -> bool {
        // A pattern that gives up over a name allows nothing, and denies.
        let unsure = self.stance() == Stance::Restricts;
        self.written
            .tools
            .iter()
            .any(|name| name.value.is_match(tool).unwrap_or(unsure))
    }

    /// It denies every call of the tools that it names.
    pub(crate) fn always_denies(&self) -> bool {
        let rule = &self.written;
        let is_narrowed = rule.channels.is_some()
            || rule.sessions.is_some()
            || rule.roles.is_some()
            || rule.until.is_some()
            || !self.tests.is_empty();
        self.effect() == Effect::Deny && !is_narrowed
    }

    fn scope(&self, facts: &Facts<'_>) -> Truth {
        let context = facts.context;
        let rule = &self.written;
        let roles = rule
            .roles
            .as_ref()
            .is_none_or(|roles| roles.contains(&context.role));
        let until = rule.until.as_ref().map_or(Truth::Yes, |until| match context.now {
            Some(now) => Truth::from(now < until.value.into()),
            None => Truth::Unknown,
        });
        let uses = rule
            .uses
            .map_or(Truth::Yes, |uses| match context.uses.get(&rule.id) {
                Some(used) => Truth::from(*used < uses),
                None => Truth::Unknown,
            });
        Truth::from(roles)
            .and(is_among(rule.channels.as_deref(), context.channel.as_deref()))
            .and(is_among(rule.sessions.as_deref(), context.session.as_deref()))
            .and(until)
            .and(uses)
    }

    /// Looks at the argument without which this tool is never allowed.
    pub(crate) fn looks_at_what_matters(&self, tool: Tool) -> bool {
        let Some(argument) = tool.argument() else {
            return true;
        };
        let is_right = |kind: &Kind| match tool {
            Tool::Shell => matches!(kind, Kind::Shell(_)),
            _ => matches!(kind, Kind::Path(_)),
        };
        self.tests
            .iter()
            .any(|test| test.at.is_argument(argument) && is_right(&test.kind))
    }
}

/// Whether something is among those that are named, if any are.
fn is_among(named: Option<&[String]>, one: Option<&str>) -> Truth {
    match (named, one) {
        (None, _) => Truth::Yes,
        (Some(_), None) => Truth::Unknown,
        (Some(named), Some(one)) => Truth::from(named.iter().any(|name| name == one)),
    }
}

// === impl Test ===

/// The test of a condition. It has exactly one: that was checked as it was read.
fn kind(condition: &Condition, roots: &Roots) -> Option<Kind> {
    let equals = condition.equals.clone().map(|value| vec![value]);
    let path = condition.path.as_ref();
    let within = condition.min.is_some() || condition.max.is_some();
    None.or(equals.or_else(|| condition.one_of.clone()).map(Kind::OneOf))
        .or_else(|| condition.glob.clone().map(|glob| Kind::Glob(glob.value)))
        .or_else(|| condition.regex.clone().map(|regex| Kind::Regex(regex.value)))
        .or_else(|| within.then(|| Kind::Within(condition.min.clone(), condition.max.clone())))
        .or_else(|| path.map(|globs| Kind::Path(globs.iter().map(|glob| glob.value.rooted(roots)).collect())))
        .or_else(|| condition.url.clone().map(Kind::Url))
        .or_else(|| condition.shell.clone().map(Kind::Shell))
}

impl Test {
    fn holds(&self, facts: &Facts<'_>, stance: Stance) -> Truth {
        facts
            .at(&self.at)
            .and_then(|value| self.kind.is_match(value, facts, stance))
            .unwrap_or(Truth::Unknown)
    }
}

impl Kind {
    /// Whether an argument is what the test is for; none if it is of another kind.
    fn is_match<'a>(&self, value: &'a Value, facts: &Facts<'a>, stance: Stance) -> Option<Truth> {
        let text = || value.as_str();
        let short = || text().filter(|text| text.len() <= LONGEST);
        Some(match self {
            Self::OneOf(values) => is_one_of(values, value, stance),
            Self::Glob(glob) => glob.is_match(short()?).into(),
            Self::Regex(regex) => regex.is_match(short()?).ok()?.into(),
            Self::Within(min, max) => {
                let number = value.as_number()?;
                let above = min.as_ref().is_none_or(|min| compare(number, min).is_ge());
                let below = max.as_ref().is_none_or(|max| compare(number, max).is_le());
                (above && below).into()
            }
            Self::Path(globs) => {
                let path = facts.path(text()?)?;
                let within = Truth::any(globs.iter().map(|glob| glob.is_match(&path, stance)));
                // A tool of a server or a plugin may write there: which do is not known.
                if stance == Stance::Grants && within == Truth::Yes {
                    within.and(!facts.is_protected(&path))
                } else {
                    within
                }
            }
            Self::Url(url) => url.is_match(&*facts.address(text()?)?, stance),
            Self::Shell(patterns) => match &*facts.commands(text()?) {
                Ok(commands) => is_shell_match(patterns, commands, stance),
                Err(_) => Truth::Unknown,
            },
        })
    }
}

fn is_shell_match(patterns: &[Written<Pattern>], commands: &[Command], stance: Stance) -> Truth {
    let one = |command: &Command| {
        Truth::any(
            patterns
                .iter()
                .map(|pattern| is_command_match(&pattern.value, command, stance)),
        )
    };
    match stance {
        Stance::Grants => Truth::all(commands.iter().map(one)),
        Stance::Restricts => Truth::any(commands.iter().map(one)),
    }
}

/// A pattern that allows must match the command in both forms: quotes neither hide a word from it nor join two.
pub(crate) fn is_command_match(pattern: &Pattern, command: &Command, stance: Stance) -> Truth {
    let truth = |text: &str| pattern.is_match(text).map_or(Truth::Unknown, Truth::from);
    let plain = truth(&command.plain);
    if command.written == command.plain {
        return plain;
    }
    match stance {
        Stance::Grants => plain.and(truth(&command.written)),
        Stance::Restricts => plain.or(truth(&command.written)),
    }
}
