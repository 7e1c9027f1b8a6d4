//! The state that the host wants: `configure_channels`.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Map, Value, json};

use super::AcpAgent;
use crate::{
    discord, gmail,
    slack::{APP_TOKEN, BOT_TOKEN},
};

/// One channel's config, as the app keeps it, and its secrets.
#[derive(Clone, Debug)]
pub struct Channel {
    config: Map<String, Value>,
    tokens: BTreeMap<String, String>,
}

impl Channel {
    /// A Slack channel with the fake's bot token and app-level token: it listens on a socket.
    #[must_use]
    pub fn slack(slug: &str) -> Self {
        let app_key = format!("{slug}-app");
        let config = json!({
            "slug": slug, "enabled": true, "adapter": "slack",
            "credentials": {"channelSlug": slug, "appTokenSlug": app_key},
        });
        let tokens = [
            (slug.to_owned(), BOT_TOKEN.to_owned()),
            (app_key, APP_TOKEN.to_owned()),
        ];
        Self {
            config: config.as_object().cloned().unwrap_or_default(),
            tokens: tokens.into(),
        }
    }

    /// A Discord channel with the fake's bot token.
    #[must_use]
    pub fn discord(slug: &str) -> Self {
        let config = json!({
            "slug": slug, "enabled": true, "adapter": "discord", "credentials": {"channelSlug": slug},
        });
        Self {
            config: config.as_object().cloned().unwrap_or_default(),
            tokens: BTreeMap::from([(slug.to_owned(), discord::BOT_TOKEN.to_owned())]),
        }
    }

    /// A Gmail channel that is polled every `interval_ms`, with a sign-in that the fake knows.
    #[must_use]
    pub fn gmail(slug: &str, interval_ms: u64) -> Self {
        let config = json!({
            "slug": slug, "enabled": true, "adapter": "gmail", "credentials": {"channelSlug": slug},
            "pollIntervalMs": interval_ms,
        });
        Self {
            config: config.as_object().cloned().unwrap_or_default(),
            tokens: BTreeMap::from([(slug.to_owned(), gmail::CREDENTIAL.to_owned())]),
        }
    }

    /// Without the app-level token: history is polled every `interval_ms`.
    #[must_use]
    pub fn polled(mut self, interval_ms: u64) -> Self {
        let slug = self.slug();
        self.tokens.remove(&format!("{slug}-app"));
        self.config["credentials"] = json!({"channelSlug": slug});
        self.set("pollIntervalMs", interval_ms.into())
    }

    /// The conversations that are served.
    #[must_use]
    pub fn conversations(self, ids: &[&str]) -> Self {
        self.filter("channelIds", json!(ids))
    }

    /// Only messages that match one of these.
    #[must_use]
    pub fn triggers(self, patterns: &[&str]) -> Self {
        self.filter("triggerPatterns", json!(patterns))
    }

    /// The channel's `settings`.
    #[must_use]
    pub fn settings(self, settings: Value) -> Self {
        self.set("settings", settings)
    }

    /// The agent, beside what other settings there are.
    #[must_use]
    pub fn agent(mut self, agent: &AcpAgent) -> Self {
        let settings = self.config.entry("settings").or_insert_with(|| json!({}));
        settings["agent"] = agent.settings();
        self
    }

    /// The channel's `session`.
    #[must_use]
    pub fn session(self, session: Value) -> Self {
        self.set("session", session)
    }

    /// Any key of the config.
    #[must_use]
    pub fn set(mut self, key: &str, value: Value) -> Self {
        self.config.insert(key.to_owned(), value);
        self
    }

    /// Writes the config into its folder in a workspace's, as the app does, and takes the secrets nowhere.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write(&self, root: &Path) {
        let folder = root.join("channels").join(self.slug());
        fs::create_dir_all(&folder).expect("a writable directory");
        let draft = folder.join("config.json.new");
        fs::write(&draft, json!(self.config).to_string()).expect("a writable directory");
        fs::rename(draft, folder.join("config.json")).expect("a writable directory");
    }

    /// Another bot token; `None` = the app has none yet.
    #[must_use]
    pub fn bot_token(mut self, token: Option<&str>) -> Self {
        let slug = self.slug();
        match token {
            Some(token) => self.tokens.insert(slug, token.to_owned()),
            None => self.tokens.remove(&slug),
        };
        self
    }

    fn filter(mut self, key: &str, value: Value) -> Self {
        let filter = self.config.entry("filter").or_insert_with(|| json!({}));
        filter[key] = value;
        self
    }

    fn slug(&self) -> String {
        self.config["slug"].as_str().unwrap_or_default().to_owned()
    }
}

/// The whole wanted state.
#[derive(Clone, Debug, Default)]
pub struct Config {
    workspaces: BTreeMap<String, Vec<Channel>>,
}

impl Config {
    /// No channel at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a channel to a workspace.
    #[must_use]
    pub fn channel(mut self, workspace: &str, channel: Channel) -> Self {
        self.workspaces
            .entry(workspace.to_owned())
            .or_default()
            .push(channel);
        self
    }

    /// The command that makes it so.
    #[must_use]
    pub fn command(&self) -> Value {
        let workspaces = self.workspaces.iter().map(|(id, channels)| {
            let tokens: BTreeMap<&String, &String> = channels.iter().flat_map(|c| &c.tokens).collect();
            let configs: Vec<_> = channels.iter().map(|c| &c.config).collect();
            let mut plugins = vec!["kata-slack"];
            if configs.iter().any(|config| config["adapter"] == "discord") {
                plugins.push("kata-discord");
            }
            if configs.iter().any(|config| config["adapter"] == "gmail") {
                plugins.push("kata-gmail");
            }
            json!({"workspaceId": id, "configs": configs, "tokens": tokens, "enabledPlugins": plugins})
        });
        json!({"type": "configure_channels", "workspaces": workspaces.collect::<Vec<_>>()})
    }
}
