//! Sources of a workspace that are channels as well.

use std::path::Path;

use serde::Deserialize;

use crate::{HomeError, folders};

/// The `channel` block in the config of a source. The app of version 0.7 writes none; people may.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SourceChannel {
    /// The source: the name of its folder.
    #[serde(skip)]
    pub source: String,
    /// The platform.
    pub adapter: String,
    /// Slack: the channel's id.
    pub slack_channel: Option<String>,
    /// Discord: the server's id.
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
    channel: Option<SourceChannel>,
}

/// The sources in `<root>/sources/*/config.json` that have a `channel` block, by name.
///
/// # Errors
/// The folder cannot be listed. A config that cannot be used is an error in its place: the others go on.
pub fn source_channels(root: &Path) -> Result<Vec<Result<SourceChannel, HomeError>>, HomeError> {
    let configs = folders::configs::<Source>(&root.join("sources"))?.into_iter();
    let channels = configs.filter_map(|(source, config)| match config {
        Ok(config) => config
            .channel
            .map(|channel| Ok(SourceChannel { source, ..channel })),
        Err(error) => Some(Err(error)),
    });
    Ok(channels.collect())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

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
            ("d-broken", r#"{ "channel": { "slackChannel": "C1" } }"#),
        ] {
            let folder = root.path().join("sources").join(name);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("config.json"), config).unwrap();
        }
        let found = source_channels(root.path()).unwrap();
        let [slack, broken] = &found[..] else {
            panic!("{found:?}")
        };
        let slack = slack.as_ref().unwrap();
        assert_eq!((&*slack.source, &*slack.adapter), ("a-slack", "slack"));
        assert_eq!(
            (slack.slack_channel.as_deref(), slack.trigger_pattern.as_deref()),
            (Some("C1"), Some("^kata"))
        );
        assert_eq!((slack.auto_respond, &slack.gmail_label), (Some(true), &None));
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
