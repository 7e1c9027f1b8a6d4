//! A rule as it is written.

use std::{collections::HashSet, fmt};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::{Number, Value};

use crate::{
    call::Role,
    path::PathGlob,
    pattern::{NamePattern, Pattern},
    pointer::Pointer,
    web::{TextGlob, UrlTest},
    written::{FromText, Written},
};

/// What a rule does to the calls that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Effect {
    Deny,
    Ask,
    Allow,
}

/// A rule: which calls it is about, and what becomes of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    /// Names the rule in verdicts. No other rule has it.
    pub(crate) id: String,
    pub(crate) effect: Effect,
    pub(crate) tools: Vec<Written<NamePattern>>,
    /// All of them must hold.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) when: Vec<Condition>,
    /// Only calls from these channels (slugs).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) channels: Option<Vec<String>>,
    /// Only calls from these sessions (session keys).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) sessions: Option<Vec<String>>,
    /// Only calls of turns that somebody in one of these roles caused.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) roles: Option<Vec<Role>>,
    /// When the rule ends, as RFC 3339 has it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) until: Option<Written<Timestamp>>,
    /// How many calls it allows in all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) uses: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    comment: Option<String>,
}

/// A condition on one argument. It has one test; `min` and `max` are one together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Condition {
    pub(crate) at: Written<Pointer>,
    /// The argument is this value. Allowing: of the same kind. Else: a value of another kind, or one that holds it, is denied.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) equals: Option<Value>,
    /// The argument is one of these values.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) one_of: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) glob: Option<Written<TextGlob>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) regex: Option<Written<Pattern>>,
    /// The argument is a number and not less than this.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) min: Option<Number>,
    /// The argument is a number and not more than this.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) max: Option<Number>,
    /// The argument is a path, and leads to a place in one of these globs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) path: Option<Vec<Written<PathGlob>>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) url: Option<UrlTest>,
    /// The argument is shell text. Allowing: every simple command matches one of these patterns. Else: one command does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) shell: Option<Vec<Written<Pattern>>>,
}

/// Reads rules.
pub(super) struct RulesVisitor;

/// Reads one and checks it before anything behind it is read, so that an error has its place. Knows the ids so far.
struct RuleVisitor<'i>(&'i mut HashSet<String>);

// === impl Rule ===

impl Rule {
    fn check(&self) -> Result<(), String> {
        let refuse = |reason: &str| format!("rule \"{}\": {reason}", self.id);
        if self.id.is_empty()
            || !self
                .id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        {
            return Err(refuse("an `id` has letters, digits, `-`, `_` and `.`"));
        }
        if self.tools.is_empty() {
            return Err(refuse("`tools` names no tool"));
        }
        if self.uses.is_some() && self.effect != Effect::Allow {
            return Err(refuse("only a rule that allows has a number of `uses`"));
        }
        self.when.iter().try_for_each(|condition| {
            condition
                .check()
                .map_err(|reason| refuse(&format!("at \"{}\": {reason}", condition.at.text)))
        })
    }
}

impl<'de> Visitor<'de> for RulesVisitor {
    type Value = Vec<Rule>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rules")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
        let mut ids = HashSet::new();
        let mut rules = Vec::new();
        while let Some(rule) = from.next_element_seed(RuleVisitor(&mut ids))? {
            rules.push(rule);
        }
        Ok(rules)
    }
}

impl<'de> DeserializeSeed<'de> for RuleVisitor<'_> {
    type Value = Rule;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RuleVisitor<'_> {
    type Value = Rule;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a rule")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let rule = Rule::deserialize(MapAccessDeserializer::new(map))?;
        rule.check().map_err(A::Error::custom)?;
        if self.0.insert(rule.id.clone()) {
            Ok(rule)
        } else {
            let reason = format!("there are two rules with the id \"{}\"", rule.id);
            Err(A::Error::custom(reason))
        }
    }
}

// === impl Condition ===

impl Condition {
    fn check(&self) -> Result<(), String> {
        let tests = [
            self.equals.is_some(),
            self.one_of.is_some(),
            self.glob.is_some(),
            self.regex.is_some(),
            self.min.is_some() || self.max.is_some(),
            self.path.is_some(),
            self.url.is_some(),
            self.shell.is_some(),
        ];
        match tests.into_iter().filter(|is_there| *is_there).count() {
            1 => self.url.as_ref().map_or(Ok(()), UrlTest::check),
            0 => Err("there is no test".to_owned()),
            _ => Err("there is more than one test".to_owned()),
        }
    }
}

impl FromText for Timestamp {
    const SCHEMA: &'static str = "A time as RFC 3339 has it, as in `2027-01-31T18:00:00Z`.";

    fn from_text(text: &str) -> Result<Self, String> {
        text.parse()
            .map_err(|_| format!("`{text}` is no time: write it as in `2027-01-31T18:00:00Z`"))
    }
}
