//! Sources of a workspace that are channels as well.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{HomeError, folders};

/// The `channel` block in the config of a source. The app of version 0.7 writes none; people may.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SourceChannel {
    /// The source: the name of its folder.
    #[serde(skip)]
    pub source: String,
    /// Whether the source is switched on.
    #[serde(skip)]
    pub enabled: bool,
    /// The platform.
    pub adapter: String,
    /// Slack: the conversation's id.
    pub slack_channel: Option<String>,
    /// Discord: the server's id. Alone it stands for all channels of the server; beside a channel's, that one must lie in it.
    pub discord_guild_id: Option<String>,
    /// Discord: the channel's id.
    pub discord_channel_id: Option<String>,
    /// WhatsApp: the group's address.
    pub whatsapp_group_jid: Option<String>,
    /// Gmail: the label's name.
    pub gmail_label: Option<String>,
    /// Which messages are for the agent: a JavaScript regular expression.
    pub trigger_pattern: Option<String>,
    /// Whether the agent answers by itself.
    pub auto_respond: Option<bool>,
}

/// The part of a source's config that is looked at.
#[derive(Deserialize)]
struct Source {
    /// Absent is on: the app switches a source off by name.
    #[serde(default)]
    enabled: Option<bool>,
    channel: Option<SourceChannel>,
}

// === impl SourceChannel ===

impl SourceChannel {
    /// The same as the config of a channel, with the source's name. One whose `autoRespond` is `false` is switched off: the
    /// daemon is there to answer. What is another platform's than `adapter` means nothing.
    #[must_use]
    pub fn config(&self) -> Map<String, Value> {
        let place = match &*self.adapter {
            "slack" => &self.slack_channel,
            "discord" => &self.discord_channel_id,
            "whatsapp" => &self.whatsapp_group_jid,
            "gmail" => &self.gmail_label,
            _ => &None,
        };
        let places: Vec<&String> = place.iter().filter(|place| !place.trim().is_empty()).collect();
        let patterns: Vec<&String> = self.trigger_pattern.iter().collect();
        let mut config = Map::new();
        config.insert("slug".to_owned(), json!(self.source));
        config.insert(
            "enabled".to_owned(),
            json!(self.enabled && self.auto_respond != Some(false)),
        );
        config.insert("adapter".to_owned(), json!(self.adapter));
        config.insert("credentials".to_owned(), json!({ "sourceSlug": self.source }));
        config.insert(
            "filter".to_owned(),
            json!({ "channelIds": places, "triggerPatterns": patterns }),
        );
        if let ("discord", Some(guild)) = (&*self.adapter, &self.discord_guild_id)
            && !guild.trim().is_empty()
        {
            config.insert("settings".to_owned(), json!({ "guild": guild.trim() }));
        }
        config
    }
}

/// The sources in `<root>/sources/*/config.json` that have a `channel` block, by name.
///
/// # Errors
/// The folder cannot be listed. A config that cannot be used is an error in its place: the others go on.
pub fn source_channels(root: &Path) -> Result<Vec<Result<SourceChannel, HomeError>>, HomeError> {
    let configs = folders::configs::<Source>(&root.join("sources"))?.into_iter();
    let channels = configs.filter_map(|(source, config)| match config {
        Ok(Source { enabled, channel }) => {
            let enabled = enabled.unwrap_or(true);
            channel.map(|channel| {
                Ok(SourceChannel {
                    source,
                    enabled,
                    ..channel
                })
            })
        }
        Err(error) => Some(Err(error)),
    });
    Ok(channels.collect())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn each_key_of_a_block_means_what_it_says() {
        let config = |block: Value| {
            let channel: SourceChannel = serde_json::from_value(block).unwrap();
            let config = Value::from(
                SourceChannel {
                    enabled: true,
                    ..channel
                }
                .config(),
            );
            (
                config["filter"]["channelIds"].clone(),
                config.get("settings").cloned(),
            )
        };
        // What an earlier platform left behind is nothing to the present one.
        let all = |adapter: &str| {
            config(json!({
                "adapter": adapter, "slackChannel": "C1", "discordGuildId": "7", "discordChannelId": "2001",
                "whatsappGroupJid": "1@g.us", "gmailLabel": "Kata",
            }))
        };
        assert_eq!(all("slack"), (json!(["C1"]), None));
        assert_eq!(all("discord"), (json!(["2001"]), Some(json!({ "guild": "7" }))));
        assert_eq!(all("whatsapp"), (json!(["1@g.us"]), None));
        assert_eq!(all("gmail"), (json!(["Kata"]), None));
        assert_eq!(all("irc"), (json!([]), None));
        let guild = json!({ "adapter": "discord", "discordGuildId": "7", "discordChannelId": "" });
        assert_eq!(config(guild), (json!([]), Some(json!({ "guild": "7" }))));
    }

    #[test]
    fn sources_with_a_channel_block_are_channels() {
        let root = tempfile::tempdir().unwrap();
        for (name, config) in [
            (
                "a-slack",
                r#"{ "type": "api", "channel": { "adapter": "slack", "slackChannel": "C1", "triggerPattern": "^kata", "autoRespond": true } }"#,
            ),
            ("b-plain", r#"{ "type": "mcp" }"#),
            ("c-null", r#"{ "channel": null }"#),
            (
                "d-off",
                r#"{ "enabled": false, "channel": { "adapter": "slack" } }"#,
            ),
            (
                "e-silent",
                r#"{ "channel": { "adapter": "slack", "autoRespond": false } }"#,
            ),
            ("f-broken", r#"{ "channel": { "slackChannel": "C1" } }"#),
        ] {
            let folder = root.path().join("sources").join(name);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("config.json"), config).unwrap();
        }
        let found = source_channels(root.path()).unwrap();
        let [slack, off, silent, broken] = &found[..] else {
            panic!("{found:?}")
        };
        let slack = slack.as_ref().unwrap();
        assert_eq!((&*slack.source, &*slack.adapter), ("a-slack", "slack"));
        assert_eq!(
            (slack.slack_channel.as_deref(), slack.trigger_pattern.as_deref()),
            (Some("C1"), Some("^kata"))
        );
        assert_eq!((slack.auto_respond, &slack.gmail_label), (Some(true), &None));
        assert_eq!(
            Value::from(slack.config()),
            json!({
                "slug": "a-slack", "enabled": true, "adapter": "slack", "credentials": { "sourceSlug": "a-slack" },
                "filter": { "channelIds": ["C1"], "triggerPatterns": ["^kata"] },
            })
        );
        for switched_off in [off, silent] {
            assert_eq!(
                switched_off.as_ref().unwrap().config()["enabled"],
                false,
                "{switched_off:?}"
            );
        }
        assert!(
            broken
                .as_ref()
                .unwrap_err()
                .to_string()
                .ends_with("missing field `adapter`"),
            "{broken:?}"
        );
    }
}
