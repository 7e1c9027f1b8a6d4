//! `daemon.json`: every key is optional, an unknown one is refused with the nearest known one named.

use std::{collections::BTreeMap, fs, io, path::Path, time::Duration};

use kata_channel::settings::AgentSettings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing_subscriber::EnvFilter;

use super::typed::{self, check_agent, check_minutes};

/// The daemon's own settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DaemonConfig {
    /// Turns open at once, over all channels.
    pub(crate) max_turns: usize,
    /// A turn's lease in minutes. Default 60 for a host without capabilities, else 15.
    pub(crate) lease_min: Option<f64>,
    /// Attempts a message gets before it is parked.
    pub(crate) attempts: u32,
    /// After a stop, open turns may still be answered for this long. Milliseconds.
    pub(crate) drain_ms: u64,
    /// The longest line that is taken from the host. Bytes.
    pub(crate) max_line_bytes: usize,
    /// A channel with more waiting rows than this is degraded.
    pub(crate) max_waiting_rows: u64,
    /// With less free disk than this every channel is degraded. Megabytes.
    pub(crate) min_free_mb: u64,
    /// How long finished rows are kept.
    pub(crate) retention: RetentionConfig,
    /// The log file.
    pub(crate) log: LogConfig,
    /// Settings of single workspaces, by id.
    pub(crate) workspaces: BTreeMap<String, WorkspaceConfig>,
    /// The agent of channels that name none. `katad run` leaves turns to the host.
    pub(crate) agent: AgentSettings,
    /// `acp` agents that are kept between turns, over all channels: of more the one idle longest is stopped.
    pub(crate) max_warm_agents: usize,
    /// Questions about tool calls.
    pub(crate) approvals: ApprovalsConfig,
}

impl Default for DaemonConfig {
    fn default() -> Self {
        Self {
            max_turns: 3,
            lease_min: None,
            attempts: 5,
            drain_ms: 4000,
            max_line_bytes: 4 << 20,
            max_waiting_rows: 1_000_000,
            min_free_mb: 200,
            retention: RetentionConfig::default(),
            log: LogConfig::default(),
            workspaces: BTreeMap::new(),
            agent: AgentSettings::default(),
            max_warm_agents: 8,
            approvals: ApprovalsConfig::default(),
        }
    }
}

impl DaemonConfig {
    /// How long the store stays open for late answers after the first sign of an end.
    pub(crate) fn drain(&self) -> Duration {
        // The watchdog ends the process 4.5 s after the sign, whatever is said here.
        Duration::from_millis(self.drain_ms.min(4000))
    }

    /// The agent of a workspace's channels that name none, where the workspace has one.
    pub(crate) fn agent_of(&self, workspace: &str) -> Option<&AgentSettings> {
        let agent = &self.workspaces.get(workspace)?.agent;
        agent.backend.is_some().then_some(agent)
    }

    /// The platform user ids that own a workspace.
    pub(crate) fn owners(&self, workspace: &str, platform: &str) -> Vec<String> {
        self.workspaces
            .get(workspace)
            .map(|w| w.owners.on(platform).to_vec())
            .unwrap_or_default()
    }
}

/// Questions about tool calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ApprovalsConfig {
    /// A question that nobody answers is void after this many minutes.
    pub(crate) expire_min: f64,
}

impl Default for ApprovalsConfig {
    fn default() -> Self {
        Self { expire_min: 10.0 }
    }
}

impl ApprovalsConfig {
    /// How long a question stands.
    pub(crate) fn expire(&self) -> Duration {
        Duration::try_from_secs_f64(self.expire_min * 60.0).unwrap_or(Duration::MAX)
    }
}

/// Settings of one workspace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct WorkspaceConfig {
    /// Who owns it: platform user ids.
    pub(crate) owners: Owners,
    /// The agent of its channels that name none, in place of the daemon's.
    pub(crate) agent: AgentSettings,
}

/// Platform user ids by adapter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Owners {
    /// Slack user ids (`U…`).
    pub(crate) slack: Vec<String>,
    /// Discord user ids.
    pub(crate) discord: Vec<String>,
    /// Mail addresses.
    pub(crate) gmail: Vec<String>,
    /// Phone numbers.
    pub(crate) whatsapp: Vec<String>,
}

impl Owners {
    fn on(&self, platform: &str) -> &[String] {
        match platform {
            "slack" => &self.slack,
            "discord" => &self.discord,
            "gmail" => &self.gmail,
            "whatsapp" => &self.whatsapp,
            _ => &[],
        }
    }
}

/// How long finished rows are kept (D25).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct RetentionConfig {
    /// Processed rows. Days.
    pub(crate) processed_days: f64,
    /// Parked rows. Days.
    pub(crate) failed_days: f64,
    /// The memory of deleted rows' names, against seeing them again. Days.
    pub(crate) tombstone_days: f64,
    /// The record of verdicts. Days.
    pub(crate) audit_days: f64,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self {
            processed_days: 30.0,
            failed_days: 90.0,
            tombstone_days: 180.0,
            audit_days: 365.0,
        }
    }
}

/// `logs/katad.log`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct LogConfig {
    /// `error`, `warn`, `info`, `debug`, `trace`, or a filter such as `info,kata_slack=debug`.
    pub(crate) level: String,
    /// Files that are kept.
    pub(crate) files: usize,
    /// Size of a file. Megabytes.
    pub(crate) megabytes: u64,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            level: "info".into(),
            files: 5,
            megabytes: 2,
        }
    }
}

/// Reads `daemon.json`. A file that is not there is an empty one; the error is one sentence naming file, key and the
/// way out.
pub(crate) fn parse(path: &Path) -> Result<DaemonConfig, String> {
    let file = path.display();
    if path.exists() && !path.is_file() {
        return Err(format!(
            "{file} is not a file; put a JSON object there, or nothing"
        ));
    }
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(DaemonConfig::default()),
        Err(e) => return Err(format!("cannot read {file}: {e}")),
    };
    from_text(&text).map_err(|why| format!("{file}: {why}"))
}

fn from_text(text: &str) -> Result<DaemonConfig, String> {
    // Editors on other systems begin a file with a byte order mark.
    let text = text.trim_start_matches('\u{feff}');
    let value: Value = serde_json::from_str(text).map_err(|e| {
        format!(
            "not valid JSON at line {}, column {}; mend it or remove the file",
            e.line(),
            e.column()
        )
    })?;
    if !value.is_object() {
        return Err("must be a JSON object".into());
    }
    // The file's name is put in front by the caller.
    let config =
        typed::read::<DaemonConfig>("", &value).map_err(|e| e.trim_start_matches(": ").to_owned())?;
    check(config)
}

fn check(config: DaemonConfig) -> Result<DaemonConfig, String> {
    let positive = |ok: bool, key: &str, least: &str| {
        ok.then_some(())
            .ok_or(format!("{key:?} must be at least {least}"))
    };
    positive(config.max_turns > 0, "maxTurns", "1")?;
    positive(config.attempts > 0, "attempts", "1")?;
    check_minutes(config.lease_min, "leaseMin")?;
    check_agent(&config.agent)?;
    for (id, workspace) in &config.workspaces {
        check_agent(&workspace.agent).map_err(|why| format!("\"workspaces.{id}\": {why}"))?;
    }
    check_minutes(Some(config.approvals.expire_min), "approvals.expireMin")?;
    positive(config.max_warm_agents > 0, "maxWarmAgents", "1")?;
    positive(config.max_line_bytes >= 1024, "maxLineBytes", "1024")?;
    positive(config.log.files > 0, "log.files", "1")?;
    positive(config.log.megabytes > 0, "log.megabytes", "1")?;
    let r = &config.retention;
    for (days, key) in [
        (r.processed_days, "processedDays"),
        (r.failed_days, "failedDays"),
        (r.tombstone_days, "tombstoneDays"),
        (r.audit_days, "auditDays"),
    ] {
        positive(days.is_finite() && days >= 0.0, &format!("retention.{key}"), "0")?;
    }
    if let Err(why) = EnvFilter::builder().parse(&config.log.level) {
        return Err(format!(
            "\"log.level\" is no level ({why}); use error, warn, info, debug or trace"
        ));
    }
    if !config.log.level.contains('=') && config.log.level.parse::<tracing::Level>().is_err() {
        let level = &config.log.level;
        return Err(format!(
            "\"log.level\": {level:?} is none of error, warn, info, debug, trace"
        ));
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_an_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(
            parse(&dir.path().join("daemon.json")),
            Ok(DaemonConfig::default())
        );
    }

    #[test]
    fn an_unknown_key_names_the_file_and_the_nearest_known_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("daemon.json");
        fs::write(&path, r#"{"maxTurn": 2}"#).unwrap();
        let said = parse(&path).unwrap_err();
        assert!(
            said.ends_with(r#"daemon.json: unknown key "maxTurn"; did you mean "maxTurns"?"#),
            "{said}"
        );
    }

    #[test]
    fn a_workspace_may_have_an_agent_of_its_own() {
        let config = from_text(r#"{"workspaces": {"w": {"agent": {"backend": "echo"}}, "v": {}}}"#).unwrap();
        assert!(config.agent_of("w").is_some());
        assert!(config.agent_of("v").is_none() && config.agent_of("u").is_none());
    }

    #[test]
    fn values_that_cannot_work_are_refused() {
        for (text, key) in [
            (r#"{"maxTurns": 0}"#, "maxTurns"),
            (r#"{"attempts": 0}"#, "attempts"),
            (r#"{"leaseMin": -1}"#, "leaseMin"),
            (r#"{"leaseMin": 1e300}"#, "leaseMin"),
            (r#"{"maxTurns": "3"}"#, "maxTurns"),
            (r#"{"log": {"level": "loud"}}"#, "log.level"),
            (r#"{"log": {"level": "katad=wat"}}"#, "log.level"),
            (r#"{"agent": {"backend": "command"}}"#, "agent.command"),
            (r#"{"workspaces": {"w": {"owners": {"slak": []}}}}"#, "slack"),
            (
                r#"{"workspaces": {"w": {"agent": {"backend": "acp"}}}}"#,
                "workspaces.w",
            ),
            (r#"{"retention": {"processedDays": -2}}"#, "processedDays"),
            (r#"{"log": {"files": 0}}"#, "log.files"),
            ("[]", "object"),
            ("{", "line 1"),
        ] {
            let said = from_text(text).unwrap_err();
            assert!(said.contains(key), "{text}: {said}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_passed_over() {
        assert!(from_text("\u{feff}{}").is_ok());
    }

    #[test]
    fn what_is_no_file_is_refused_and_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        assert!(parse(dir.path()).unwrap_err().contains("is not a file"));
    }

    #[test]
    fn owners_are_found_by_workspace_and_platform() {
        let config = from_text(r#"{"workspaces": {"w1": {"owners": {"slack": ["U1"]}}}}"#).unwrap();
        assert_eq!(config.owners("w1", "slack"), ["U1"]);
        assert!(config.owners("w2", "slack").is_empty());
    }
}
