//! What the plugins of this build bring.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An item of `query` `plugins`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginView {
    /// The plugin; this is what `enabledPlugins` holds.
    pub plugin_id: String,
    /// What people call it.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The adapters that it brings.
    pub channels: Vec<String>,
    /// The tools that it brings.
    pub tools: Vec<String>,
    /// What `plugin_action` may ask of it.
    pub actions: Vec<String>,
    /// Its services, one in each workspace that has the plugin.
    pub services: Vec<ServiceView>,
    /// Whether its services do what they are there for, and none of its channels needs help. Absent where no daemon runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_healthy: Option<bool>,
}

/// A service of a plugin in a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceView {
    /// The service.
    pub name: String,
    /// The workspace in which it runs.
    pub workspace_id: String,
    /// Where it stands.
    pub state: ServiceState,
    /// Whether it does what it is there for.
    pub is_healthy: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How often it failed in a row.
    pub failures: u32,
    /// How often it broke down inside the daemon since it was first started.
    #[serde(default)]
    pub panics: u32,
}

/// Where a service stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceState {
    /// It is about to run.
    Starting,
    /// It runs.
    Running,
    /// It failed, and is started again after a pause.
    BackingOff,
    /// It failed too often in a row, and is not started again.
    Parked,
    /// It was stopped.
    Stopped,
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
