//! What the plugins of this build bring.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An item of `query` `plugins`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginView {
    /// The plugin; this is what `enabledPlugins` holds.
    pub plugin_id: String,
    /// The adapters that it brings.
    pub channels: Vec<String>,
    /// The tools that it brings.
    pub tools: Vec<String>,
}

/// An item of `query` `tools`: a tool that a plugin brings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToolView {
    /// Its name, as rules and agents name it.
    pub name: String,
    /// The plugin it comes from.
    pub plugin_id: String,
    /// What it does, for the agent.
    pub description: String,
    /// What becomes of a call that no rule names.
    pub default: ToolDefault,
    /// What it touches.
    pub effects: Vec<ToolEffect>,
    /// What a second call does.
    pub side_effect: SideEffect,
    /// What it takes, as a JSON Schema.
    pub input_schema: Value,
}

/// What becomes of a call that no rule names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ToolDefault {
    /// It runs.
    Allow,
    /// A person is asked.
    Ask,
}

/// What a tool touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ToolEffect {
    /// Reads from the platform.
    Reads,
    /// Writes what others on the platform see.
    Writes,
    /// Deletes on the platform.
    Deletes,
    /// Changes the daemon's own state.
    Daemon,
}

/// What a second call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SideEffect {
    /// There is none.
    None,
    /// The same as the first.
    Idempotent,
    /// It happens once more.
    EveryTime,
}
