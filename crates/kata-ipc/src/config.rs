//! A channel's config, as `configure_channels` carries it and as it lies in `<workspace>/channels/<slug>/config.json`.
//!
//! The app validates nothing, so each config is read by itself: one that is wrong never keeps the others from
//! starting.

use crate::field::{self, Mismatch};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::fmt;

/// A config as it arrived. Anything may stand in it until [`parse`](Self::parse) has looked.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct RawConfig(Value);

impl RawConfig {
    /// The channel's slug, if that much can be read: what an error about this config is told under.
    #[must_use]
    pub fn slug(&self) -> Option<&str> {
        self.0.get("slug")?.as_str().filter(|slug| !slug.is_empty())
    }

    /// The platform, if that much can be read.
    #[must_use]
    pub fn adapter(&self) -> Option<&str> {
        self.0.get("adapter")?.as_str()
    }

    /// Whether it is switched on.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.0.get("enabled").and_then(Value::as_bool).unwrap_or_default()
    }

    /// The same, switched on: for trying out what does not run.
    #[must_use]
    pub fn switched_on(mut self) -> Self {
        if let Value::Object(fields) = &mut self.0 {
            fields.insert("enabled".to_owned(), true.into());
        }
        self
    }

    /// The config, typed.
    ///
    /// # Errors
    /// The first field that is missing or of a wrong type, by its path.
    pub fn parse(&self) -> Result<ChannelConfig, Mismatch> {
        let config: ChannelConfig = field::read(self.0.clone())?;
        if config.slug.is_empty() {
            Err(Mismatch::missing("slug"))
        } else {
            Ok(config)
        }
    }
}

impl From<Value> for RawConfig {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

/// The slug alone: people put tokens into the strangest places.
impl fmt::Debug for RawConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawConfig")
            .field("slug", &self.slug())
            .finish_non_exhaustive()
    }
}

/// One channel of a workspace.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ChannelConfig {
    /// The channel's name in its workspace, and its folder's.
    pub slug: String,
    /// Absent is off.
    #[serde(default, deserialize_with = "field::or_default")]
    pub enabled: bool,
    /// The platform: `slack`, `whatsapp`, `discord`, `gmail`, ….
    pub adapter: String,
    /// How often history is read where nothing pushes. Milliseconds.
    #[serde(default, deserialize_with = "field::optional_integer")]
    pub poll_interval_ms: Option<u64>,
    /// Under which names its secrets are found.
    #[serde(default, deserialize_with = "field::or_default")]
    pub credentials: Credentials,
    /// Which messages are for it.
    #[serde(default, deserialize_with = "field::or_default")]
    pub filter: ChannelFilter,
    /// What else stands there, unchanged: `session`, `settings`, and what a later app may write.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Under which names a channel's secrets are found in `tokens`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Credentials {
    /// The credential's key.
    #[serde(default)]
    pub channel_slug: Option<String>,
    /// Its key if `channelSlug` is empty.
    #[serde(default)]
    pub source_slug: Option<String>,
    /// The key of a second credential (Slack's app-level token).
    #[serde(default)]
    pub app_token_slug: Option<String>,
}

impl Credentials {
    /// The key of the channel's credential: `channelSlug`, if that is empty `sourceSlug`, and no other.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        given(self.channel_slug.as_ref()).or_else(|| given(self.source_slug.as_ref()))
    }

    /// The key of the app-level token, if one is named.
    #[must_use]
    pub fn app_token_key(&self) -> Option<&str> {
        given(self.app_token_slug.as_ref())
    }
}

fn given(slug: Option<&String>) -> Option<&str> {
    slug.map(String::as_str).filter(|slug| !slug.is_empty())
}

/// Which messages are for a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ChannelFilter {
    /// JavaScript regular expressions, flag `i`, unanchored; any match suffices, none is every message.
    #[serde(default, deserialize_with = "field::or_default")]
    pub trigger_patterns: Vec<String>,
    /// The conversations that are served; none is no restriction.
    #[serde(default, deserialize_with = "field::or_default")]
    pub channel_ids: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_stands_beside_the_core_arrives_unchanged() {
        let raw = RawConfig::from(json!({
            "slug": "team", "adapter": "slack", "credentials": {"channelSlug": "bot"},
            "session": {"scope": "sender"}, "settings": {"signs": false}, "note": [1.5],
        }));
        let config = raw.parse().unwrap();
        assert!(!config.enabled, "absent is off");
        assert_eq!(config.extra["session"], json!({"scope": "sender"}));
        assert_eq!(config.extra["note"], json!([1.5]));
        assert_eq!(config.extra.len(), 3);
    }

    #[test]
    fn an_optional_field_that_is_null_is_absent() {
        let raw = RawConfig::from(json!({
            "slug": "s", "adapter": "slack", "enabled": null, "pollIntervalMs": null, "credentials": null,
            "filter": {"triggerPatterns": null, "channelIds": null},
        }));
        let plain = RawConfig::from(json!({"slug": "s", "adapter": "slack"}));
        assert_eq!(raw.parse().unwrap(), plain.parse().unwrap());
    }

    #[test]
    fn a_wrong_field_is_named_by_its_path_and_its_value_is_not() {
        let check = |config: Value, says: &str| {
            assert_eq!(RawConfig::from(config).parse().unwrap_err().to_string(), says);
        };
        check(json!({"slug": "s"}), "missing field `adapter`");
        check(json!({"slug": "", "adapter": "slack"}), "missing field `slug`");
        check(json!("xoxb-1"), "expected an object");
        check(
            json!({"slug": "s", "adapter": "slack", "enabled": "xoxb-1"}),
            "`enabled`: expected a boolean",
        );
        check(
            json!({"slug": "s", "adapter": "slack", "pollIntervalMs": -5}),
            "`pollIntervalMs`: expected an integer in range",
        );
        check(
            json!({"slug": "s", "adapter": "slack", "filter": {"channelIds": ["C1", 2]}}),
            "`filter.channelIds[1]`: expected a string",
        );
    }

    #[test]
    fn an_empty_credential_key_falls_back_to_the_source_and_no_further() {
        let key = |credentials: Value| {
            let credentials: Credentials = field::read(credentials).unwrap();
            credentials.key().map(str::to_owned)
        };
        assert_eq!(
            key(json!({"channelSlug": "a", "sourceSlug": "b"})).as_deref(),
            Some("a")
        );
        assert_eq!(
            key(json!({"channelSlug": "", "sourceSlug": "b"})).as_deref(),
            Some("b")
        );
        assert_eq!(key(json!({"channelSlug": null, "sourceSlug": ""})), None);
        assert_eq!(key(json!({"appTokenSlug": "c"})), None);
    }

    #[test]
    fn debug_shows_the_slug_and_nothing_else() {
        let raw = RawConfig::from(json!({"slug": "team", "settings": {"token": "xoxb-1"}}));
        assert_eq!(format!("{raw:?}"), r#"RawConfig { slug: Some("team"), .. }"#);
    }
}
