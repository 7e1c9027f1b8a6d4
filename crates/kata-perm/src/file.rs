//! `daemon-permissions.json`, read.

mod error;
mod rule;

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Deserializer, Serialize};

pub use self::error::FileError;
pub(crate) use self::rule::{Condition, Effect, Rule};
use crate::{
    path::PathGlob,
    pattern::{NamePattern, Pattern},
    written::{Entry, Written, object},
};

/// The largest file that is read, bytes.
const LARGEST: usize = 1 << 20;

/// What a workspace adds to the base: the lists of the app, and rules of ours. The [crate docs](crate) have the format.
///
/// Reading it compiles every pattern; [`Policy::with_file`](crate::Policy::with_file) puts it into force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(title = "daemon-permissions.json")]
pub struct PermissionsFile {
    /// Where an editor finds this schema.
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none")]
    schema: Option<String>,
    /// `Bash` runs if every simple command of the text matches one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) allowed_bash_patterns: Vec<Entry<Pattern>>,
    /// Tools of MCP servers, `mcp__server__tool`, that run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) allowed_mcp_patterns: Vec<Entry<Pattern>>,
    /// Tools that never run, whatever else is said of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) blocked_tools: Vec<Entry<NamePattern>>,
    /// Where `Write`, `Edit`, `MultiEdit` and `NotebookEdit` may write.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) allowed_write_paths: Vec<Entry<PathGlob>>,
    /// Calls that tools named `api_*` may make.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) allowed_api_endpoints: Vec<Endpoint>,
    /// Tools that run. Says nothing about tools of MCP servers and those that only their arguments can allow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) allowed_tools: Vec<Entry<NamePattern>>,
    /// Tools that a person is asked about, each time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) ask_tools: Vec<Entry<NamePattern>>,
    /// Rules that look at arguments, place and sender.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "rules")]
    pub(crate) rules: Vec<Rule>,
}

/// A call of an HTTP API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Endpoint {
    /// The method; its case does not count.
    pub(crate) method: String,
    pub(crate) path: Written<Pattern>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    comment: Option<String>,
}

// === impl PermissionsFile ===

impl PermissionsFile {
    /// Reads the text of a permissions file.
    ///
    /// # Errors
    /// The first thing that is wrong with it, and where. Nothing of such a file is in force: whoever reads it goes on with
    /// the policy that has no file.
    pub fn parse(text: &str) -> Result<Self, FileError> {
        if text.len() > LARGEST {
            return Err(FileError::too_large(LARGEST));
        }
        let mut from = serde_json::Deserializer::from_str(text);
        let file = object(&mut from).and_then(|file| from.end().map(|()| file));
        file.map_err(|error| FileError::new(&error))
    }

    /// What of it narrows, and nothing that widens: what it blocks, denies or has asked about is denied. To be put into force
    /// in place of a file that was broken by an edit, so that what stood in its way before still does.
    #[must_use]
    pub fn restrictions(&self) -> Self {
        let denying = |rule: &Rule| {
            let mut rule = rule.clone();
            rule.effect = Effect::Deny;
            rule
        };
        let narrowing = |rule: &&Rule| rule.effect != Effect::Allow;
        Self {
            blocked_tools: [&*self.blocked_tools, &*self.ask_tools].concat(),
            rules: self.rules.iter().filter(narrowing).map(denying).collect(),
            ..Self::default()
        }
    }

    /// The JSON Schema of the file, for editors.
    #[must_use]
    pub fn json_schema() -> Schema {
        schemars::schema_for!(Self)
    }
}

fn rules<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Rule>, D::Error> {
    from.deserialize_seq(rule::RulesVisitor)
}
