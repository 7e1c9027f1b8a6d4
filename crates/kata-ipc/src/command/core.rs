//! The core commands' fields: what the Kata 0.7 app sends.

use crate::{
    config::{ChannelConfig, RawConfig},
    field,
};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// `start`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Start {
    /// What the host can do: `coalesce`, `prompt`, `approvals`. None for the 0.7 app. They hold for turns opened
    /// after this command.
    #[serde(default, deserialize_with = "field::or_default")]
    pub capabilities: Vec<String>,
}

/// `configure_channels`: the whole desired state.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ConfigureChannels {
    /// The workspaces that have channels.
    pub workspaces: Vec<WorkspaceChannels>,
}

/// The channels of one workspace.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct WorkspaceChannels {
    /// The workspace.
    pub workspace_id: String,
    /// Its channels, each to be parsed by itself: one bad config never keeps the others from starting.
    #[schemars(with = "Vec<ChannelConfig>")]
    pub configs: Vec<RawConfig>,
    /// Secrets by the key that a config's `credentials` name. What is not a string is no secret, and the channel
    /// that wants it is told that its token is missing.
    #[serde(deserialize_with = "secrets")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub tokens: BTreeMap<String, SecretString>,
    /// Plugin ids: `kata-` and the adapter's name.
    pub enabled_plugins: Vec<String>,
}

/// Takes the strings out of `tokens`. A secret that is not one must not cost the other channels their start.
fn secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, SecretString>, D::Error> {
    let all = BTreeMap::<String, Value>::deserialize(deserializer)?;
    let strings = all.into_iter().filter_map(|(key, value)| match value {
        Value::String(secret) => Some((key, secret.into())),
        _ => None,
    });
    Ok(strings.collect())
}

/// `plugin_action`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PluginAction {
    /// Which plugin.
    pub plugin_id: String,
    /// What it should do, in its own words.
    pub action: String,
    /// With what.
    #[serde(default)]
    pub payload: Option<Value>,
}

/// `schedule_task`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ScheduleTask {
    /// Whose task it is.
    pub workspace_id: String,
    /// How `schedule` is to be read.
    pub task_type: TaskType,
    /// A cron expression; or milliseconds as decimal digits, above 0; or an ISO 8601 time (a date alone is UTC, no
    /// offset is local time).
    pub schedule: String,
    /// What happens when it fires.
    pub action: TaskAction,
    /// The IANA time zone by which the schedule's local times are read, such as `Europe/Berlin`; without it the
    /// system's, whichever that is at the time.
    #[serde(default)]
    pub zone: Option<String>,
    /// What becomes of runs whose time went by while the daemon did not run or the machine slept; `once` if absent.
    #[serde(default)]
    pub missed: Option<MissedRuns>,
    /// With `once`: a run that was missed by more than this is not made up for; 72 hours if absent.
    #[serde(default, deserialize_with = "field::optional_integer")]
    pub missed_grace_ms: Option<u64>,
    /// With `all`: at most so many are made up for, the newest ones; 10 if absent, 100 at most.
    #[serde(default, deserialize_with = "field::optional_integer")]
    pub missed_max: Option<u32>,
    /// Each run begins up to so much later than the schedule says, and before the next one; the delay differs from task to
    /// task, so that not all begin at once. None if absent, 24 hours at most.
    #[serde(default, deserialize_with = "field::optional_integer")]
    pub jitter_ms: Option<u64>,
}

/// What becomes of runs that were missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissedRuns {
    /// They are gone.
    Skip,
    /// The newest one is made up for, within a grace.
    Once,
    /// They are made up for one after the other, up to a number.
    All,
}

/// How a schedule is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TaskType {
    /// A cron expression.
    Cron,
    /// Every so many milliseconds.
    Interval,
    /// Once, at a time.
    OneShot,
}

/// What a task does when it fires.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum TaskAction {
    /// A turn in a session.
    SendMessage {
        /// Whose session.
        workspace_id: String,
        /// Which session.
        session_key: String,
        /// What is said in it.
        message: String,
    },
    /// As the command of this name.
    PluginAction {
        /// Which plugin.
        plugin_id: String,
        /// What it should do.
        action: String,
        /// With what.
        #[serde(default)]
        payload: Option<Value>,
    },
}

/// `message_processed`: the end of a turn.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "ProcessedFrame")]
#[schemars(into = "ProcessedFrame")]
#[non_exhaustive]
pub struct MessageProcessed {
    /// The queue row that `process_message` named.
    pub message_id: i64,
    /// How the turn ended.
    pub outcome: TurnOutcome,
    /// What it cost, in the host's words.
    pub usage: Option<Value>,
}

/// How a turn ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TurnOutcome {
    /// With an answer. An empty one is normal: nothing is sent.
    Answered {
        /// The answer, in Markdown.
        response: String,
    },
    /// With none.
    Failed {
        /// Why, in the host's words; empty if it gave none.
        error: String,
    },
}

/// The flat form of [`MessageProcessed`].
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ProcessedFrame {
    /// The queue row that `process_message` named.
    #[serde(deserialize_with = "field::integer")]
    message_id: i64,
    /// Whether there is an answer.
    success: bool,
    /// The answer, in Markdown; required on success, and an empty one is normal: nothing is sent.
    #[serde(default)]
    response: Option<String>,
    /// Why there is none.
    #[serde(default)]
    error: Option<String>,
    /// What the turn cost, in the host's words.
    #[serde(default)]
    usage: Option<Value>,
}

impl TryFrom<ProcessedFrame> for MessageProcessed {
    type Error = &'static str;

    fn try_from(frame: ProcessedFrame) -> Result<Self, Self::Error> {
        let outcome = match (frame.success, frame.response) {
            (true, Some(response)) => TurnOutcome::Answered { response },
            (true, None) => return Err("missing field `response`"),
            // A failure without its reason still ends the turn: refusing it would cost the lane a whole lease.
            (false, _) => TurnOutcome::Failed {
                error: frame.error.unwrap_or_default(),
            },
        };
        Ok(Self {
            message_id: frame.message_id,
            outcome,
            usage: frame.usage,
        })
    }
}
