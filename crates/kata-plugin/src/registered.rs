//! The tools that there are, by name.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde_json::Value;

use crate::{
    schema::{InputSchema, Misfit, SchemaError},
    tool::{SideEffect, ToolSpec},
};

/// A tool, and the plugin that brought it.
#[derive(Clone)]
pub struct RegisteredTool {
    /// The plugin it comes from.
    pub plugin: &'static str,
    /// The tool.
    pub spec: ToolSpec,
    input: Arc<InputSchema>,
}

/// The tools that a workspace has, by name. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct ToolSet(Arc<BTreeMap<&'static str, RegisteredTool>>);

// === impl RegisteredTool ===

impl RegisteredTool {
    pub(crate) fn new(plugin: &'static str, spec: ToolSpec) -> Result<Self, SchemaError> {
        let input = Arc::new(InputSchema::new(&spec.input)?);
        Ok(Self { plugin, spec, input })
    }

    /// Whether inputs can be checked at all.
    pub(crate) fn compiles(&self) -> Result<(), SchemaError> {
        self.input.compiled().map(drop).map_err(Clone::clone)
    }

    /// Whether an input fits the tool's schema, which is compiled for the first of them.
    ///
    /// # Errors
    /// The first place where it does not.
    pub fn check(&self, input: &Value) -> Result<(), Misfit> {
        self.input.check(input)
    }

    /// Whether a call that was cut off may have changed something.
    pub(crate) fn may_have_happened(&self) -> bool {
        self.spec.side_effect != SideEffect::None
    }
}

impl fmt::Debug for RegisteredTool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisteredTool")
            .field("plugin", &self.plugin)
            .field("spec", &self.spec)
            .finish_non_exhaustive()
    }
}

// === impl ToolSet ===

impl ToolSet {
    /// The tool with this name; case counts.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&RegisteredTool> {
        self.0.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &RegisteredTool> {
        self.0.values()
    }
}

impl FromIterator<RegisteredTool> for ToolSet {
    fn from_iter<I: IntoIterator<Item = RegisteredTool>>(tools: I) -> Self {
        Self(Arc::new(
            tools.into_iter().map(|tool| (tool.spec.name, tool)).collect(),
        ))
    }
}
