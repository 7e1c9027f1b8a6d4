//! A channel's configuration, checked: what the host sent becomes what a channel is made from, or one sentence.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use kata_channel::{
    Adapter, ChannelKey,
    settings::{Filter, SessionSettings, Settings},
};
use kata_ipc::config::{ChannelConfig, RawConfig};
use kata_plugin::{ChannelContext, ChannelKind, Registrar, SetupError};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::home::{check_settings, read_typed};

/// Slack allows about fifty calls a minute; a shorter interval would only be rate limited.
const SHORTEST_POLL: Duration = Duration::from_secs(1);

/// All that makes a channel what it is. Two equal specs are one channel that keeps running.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) key: ChannelKey,
    pub(crate) kind: ChannelKind,
    pub(crate) filter: Filter,
    pub(crate) session: SessionSettings,
    pub(crate) settings: Settings,
    pub(crate) poll_interval: Option<Duration>,
    pub(crate) token: Option<SecretString>,
    pub(crate) app_token: Option<SecretString>,
    /// Where a token was looked for.
    pub(crate) advice: Option<String>,
    pub(crate) owners: Vec<String>,
}

/// A config that cannot run: `plugin_error` with this id and sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) plugin_id: String,
    pub(crate) error: String,
}

/// What a workspace's configs are read against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workspace<'a> {
    pub(crate) id: &'a str,
    pub(crate) tokens: &'a dyn TokensOf,
    pub(crate) enabled_plugins: &'a [String],
    pub(crate) plugins: &'a Registrar,
    pub(crate) owners: &'a dyn OwnersOf,
}

/// Where the tokens of a channel come from.
pub(crate) trait TokensOf: std::fmt::Debug {
    /// The tokens of a channel. The error is one sentence for the person at the desk.
    fn tokens(&self, workspace: &str, config: &ChannelConfig) -> Result<Tokens, String>;
}

/// A channel's secrets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tokens {
    pub(crate) token: Option<SecretString>,
    pub(crate) app_token: Option<SecretString>,
    /// Where the token was found.
    pub(crate) from: Option<&'static str>,
    /// Where a token was looked for, and how one is brought there: said if the channel cannot do without.
    pub(crate) advice: Option<String>,
}

/// As a host hands them over.
impl TokensOf for BTreeMap<String, SecretString> {
    fn tokens(&self, _: &str, config: &ChannelConfig) -> Result<Tokens, String> {
        let of = |key: Option<&str>| self.get(key?).cloned();
        Ok(Tokens {
            token: of(config.credentials.key()),
            app_token: of(config.credentials.app_token_key()),
            ..Tokens::default()
        })
    }
}

/// A token as it was meant: pasting brings spaces and line ends along, and an empty one is none.
fn meant(token: Option<SecretString>) -> Option<SecretString> {
    let token = token?;
    let text = token.expose_secret().trim();
    (!text.is_empty()).then(|| SecretString::from(text))
}

/// Who owns a workspace on a platform.
pub(crate) trait OwnersOf: std::fmt::Debug {
    fn owners(&self, workspace: &str, platform: &str) -> Vec<String>;
}

// === impl Spec ===

impl Spec {
    /// Reads one config. `None` = it is there, but not enabled.
    pub(crate) fn read(workspace: Workspace<'_>, raw: &RawConfig) -> Result<Option<Self>, Refusal> {
        let config = raw.parse().map_err(|why| {
            let slug = raw.slug().unwrap_or("configure_channels");
            refuse(
                slug,
                format!("the config of channel {slug:?} cannot be used: {why}"),
            )
        })?;
        if !config.enabled {
            return Ok(None);
        }
        check_slug(&config.slug)?;
        let kind = kind(workspace, &config)?;
        let slug = config.slug.clone();
        let tokens = workspace
            .tokens
            .tokens(workspace.id, &config)
            .map_err(|why| refuse(&slug, why))?;
        let object = |name: &str| config.extra.get(name).filter(|v| !v.is_null());
        let spec = Self {
            filter: Filter {
                trigger_patterns: Some(config.filter.trigger_patterns.clone()),
                channel_ids: Some(config.filter.channel_ids.clone()),
            },
            session: typed(&slug, "session", object("session"))?,
            settings: typed(&slug, "settings", object("settings"))?,
            poll_interval: config
                .poll_interval_ms
                .map(|ms| Duration::from_millis(ms).max(SHORTEST_POLL)),
            token: meant(tokens.token),
            app_token: meant(tokens.app_token),
            advice: tokens.advice,
            owners: workspace.owners.owners(workspace.id, kind.adapter),
            key: ChannelKey::new(workspace.id, slug.as_str()),
            kind,
        };
        spec.check().map_err(|error| refuse(&slug, error))?;
        Ok(Some(spec))
    }

    fn check(&self) -> Result<(), String> {
        check_settings(&self.settings).map_err(|e| format!("channel {:?}, settings: {e}", self.key.slug))
    }

    /// Makes the channel's adapter. Opens no connection.
    pub(crate) fn adapter(
        &self,
        clock: kata_channel::Clock,
        tasks: tokio_util::task::TaskTracker,
    ) -> Result<Arc<dyn Adapter>, Refusal> {
        let context = self.context(clock, tasks)?;
        (self.kind.make)(context).map_err(|error| {
            let said = match (&error, &self.advice) {
                (SetupError::MissingToken(why), Some(advice)) => format!("{why}; {advice}"),
                _ => error.to_string(),
            };
            refuse(self.key.slug.as_str(), said)
        })
    }

    /// What the plugin makes the adapter from.
    fn context(
        &self,
        clock: kata_channel::Clock,
        tasks: tokio_util::task::TaskTracker,
    ) -> Result<ChannelContext, Refusal> {
        Ok(ChannelContext {
            key: self.key.clone(),
            filter: self.filter.clone(),
            settings: self.settings.clone(),
            owners: self.owners.iter().map(|id| id.as_str().into()).collect(),
            poll_interval: self.poll_interval,
            token: self.token.clone(),
            app_token: self.app_token.clone(),
            endpoint: endpoint(&self.kind).map_err(|e| refuse(self.key.slug.as_str(), e))?,
            clock,
            tasks,
        })
    }
}

impl PartialEq for Spec {
    fn eq(&self, other: &Self) -> bool {
        let secret = |s: &Option<SecretString>| s.as_ref().map(|s| s.expose_secret().to_owned());
        self.key == other.key
            && self.kind.adapter == other.kind.adapter
            && self.filter == other.filter
            && self.session == other.session
            && self.settings == other.settings
            && self.poll_interval == other.poll_interval
            && self.owners == other.owners
            && secret(&self.token) == secret(&other.token)
            && secret(&self.app_token) == secret(&other.app_token)
    }
}

/// The app's own rule for a channel's folder name.
fn check_slug(slug: &str) -> Result<(), Refusal> {
    let mut characters = slug.chars();
    let first = characters.next().is_some_and(|c| c.is_ascii_alphanumeric());
    if first && characters.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
        return Ok(());
    }
    Err(refuse(
        slug,
        format!(
            "channel {slug:?}: a slug is letters, digits, '-' and '_', beginning with a letter or digit; rename the channel's folder"
        ),
    ))
}

fn kind(workspace: Workspace<'_>, config: &ChannelConfig) -> Result<ChannelKind, Refusal> {
    let adapter = config.adapter.as_str();
    let kind = workspace.plugins.channel(adapter).ok_or_else(|| {
        let known: Vec<_> = workspace.plugins.channels().map(|k| k.adapter).collect();
        refuse(
            adapter,
            format!(
                "channel {:?}: this katad has no adapter {adapter:?} (it has: {}); change the channel's adapter, or use a build that has it",
                config.slug,
                known.join(", ")
            ),
        )
    })?;
    if !workspace.enabled_plugins.iter().any(|id| id == kind.plugin) {
        return Err(refuse(
            adapter,
            format!(
                "channel {:?}: the plugin {} is not enabled in workspace {:?}; enable it there",
                config.slug, kind.plugin, workspace.id
            ),
        ));
    }
    Ok(kind.clone())
}

fn typed<T>(slug: &str, name: &str, value: Option<&Value>) -> Result<T, Refusal>
where
    T: DeserializeOwned + JsonSchema + Default,
{
    let Some(value) = value else {
        return Ok(T::default());
    };
    read_typed(&format!("channel {slug:?}, {name}"), value).map_err(|e| refuse(slug, e))
}

/// The platform's address, if a variable moves it. Plain http and ws go to this machine only.
fn endpoint(kind: &ChannelKind) -> Result<Option<Url>, String> {
    kind.endpoint_variable.map_or(Ok(None), moved)
}

/// The address in an environment variable that moves a platform, for tests and proxies.
pub(crate) fn moved(variable: &str) -> Result<Option<Url>, String> {
    let Some(text) = std::env::var(variable).ok().filter(|t| !t.is_empty()) else {
        return Ok(None);
    };
    parse_endpoint(variable, &text).map(Some)
}

fn parse_endpoint(variable: &str, text: &str) -> Result<Url, String> {
    let url = Url::parse(text.trim_end_matches('/'))
        .map_err(|e| format!("{variable} is not an address ({e}); set it to one, or unset it"))?;
    let local = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" | "wss" => Ok(url),
        "http" | "ws" if local => Ok(url),
        scheme => Err(format!(
            "{variable}: {scheme} is allowed to this machine only; use https"
        )),
    }
}

fn refuse(plugin_id: &str, error: String) -> Refusal {
    Refusal {
        plugin_id: plugin_id.to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug)]
    struct Nobody;

    impl OwnersOf for Nobody {
        fn owners(&self, _: &str, _: &str) -> Vec<String> {
            Vec::new()
        }
    }

    fn plugins() -> Registrar {
        let mut registrar = Registrar::new();
        let kind = ChannelKind {
            adapter: "slack",
            plugin: "kata-slack",
            endpoint_variable: None,
            make: Arc::new(|_| Err(SetupError::Invalid("not in this test".into()))),
        };
        registrar.register_channel(kind).unwrap();
        registrar
    }

    fn read(config: Value, enabled: &[&str]) -> Result<Option<Spec>, Refusal> {
        let tokens = BTreeMap::from([("bot".to_owned(), SecretString::from("xoxb-1"))]);
        let enabled: Vec<String> = enabled.iter().map(ToString::to_string).collect();
        let plugins = plugins();
        let workspace = Workspace {
            id: "w1",
            tokens: &tokens,
            enabled_plugins: &enabled,
            plugins: &plugins,
            owners: &Nobody,
        };
        Spec::read(workspace, &RawConfig::from(config))
    }

    fn config(more: Value) -> Value {
        let mut all = json!({"slug": "team", "enabled": true, "adapter": "slack", "credentials": {"channelSlug": "bot"}});
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        all
    }

    #[test]
    fn a_channel_that_is_not_enabled_is_not_run_and_not_an_error() {
        let absent = json!({"slug": "team", "adapter": "slack", "credentials": {}});
        assert_eq!(read(absent, &["kata-slack"]), Ok(None));
    }

    #[test]
    fn the_token_is_the_one_its_credentials_name() {
        let spec = read(config(json!({})), &["kata-slack"]).unwrap().unwrap();
        assert_eq!(spec.token.unwrap().expose_secret(), "xoxb-1");
    }

    #[test]
    fn a_pasted_token_is_trimmed_and_an_empty_one_is_none() {
        let token = |text: &str| {
            let tokens = BTreeMap::from([("bot".to_owned(), SecretString::from(text))]);
            let plugins = plugins();
            let workspace = Workspace {
                id: "w1",
                tokens: &tokens,
                enabled_plugins: &["kata-slack".to_owned()],
                plugins: &plugins,
                owners: &Nobody,
            };
            let spec = Spec::read(workspace, &RawConfig::from(config(json!({}))))
                .unwrap()
                .unwrap();
            spec.token.map(|t| t.expose_secret().to_owned())
        };
        assert_eq!(token(" xoxb-1\n").as_deref(), Some("xoxb-1"));
        assert_eq!(token(" "), None);
    }

    #[test]
    fn a_slug_that_is_no_folder_name_is_refused() {
        for slug in ["../../etc", "a/b", "a b", "-a", "ä"] {
            assert!(
                read(config(json!({"slug": slug})), &["kata-slack"]).is_err(),
                "{slug}"
            );
        }
        assert!(read(config(json!({"slug": "Team_1-x"})), &["kata-slack"]).is_ok());
    }

    #[test]
    fn an_adapter_without_a_plugin_is_refused_under_its_own_name() {
        let refused = read(config(json!({"adapter": "irc"})), &["kata-slack"]).unwrap_err();
        assert_eq!(refused.plugin_id, "irc");
        let refused = read(config(json!({})), &["kata-discord"]).unwrap_err();
        assert_eq!(refused.plugin_id, "slack");
        assert!(refused.error.contains("not enabled"), "{}", refused.error);
    }

    #[test]
    fn an_unknown_setting_is_refused_and_an_unknown_key_elsewhere_is_not() {
        let refused = read(config(json!({"settings": {"sendrs": []}})), &["kata-slack"]).unwrap_err();
        assert_eq!(refused.plugin_id, "team");
        assert!(
            refused.error.contains("did you mean \"senders\""),
            "{}",
            refused.error
        );
        assert!(
            read(config(json!({"somethingElse": 1})), &["kata-slack"])
                .unwrap()
                .is_some()
        );
    }

    #[test]
    fn null_settings_are_absent_ones() {
        let spec = read(
            config(json!({"settings": {"quota": null, "senders": null}, "session": null})),
            &["kata-slack"],
        );
        assert_eq!(spec.unwrap().unwrap().settings, Settings::default());
    }

    #[test]
    fn a_changed_token_makes_another_spec() {
        let one = read(config(json!({})), &["kata-slack"]).unwrap().unwrap();
        let mut two = one.clone();
        assert_eq!(one, two);
        two.token = Some(SecretString::from("xoxb-2"));
        assert_ne!(one, two);
    }

    #[test]
    fn an_address_without_tls_is_taken_for_this_machine_only() {
        assert_eq!(
            parse_endpoint("X", "http://127.0.0.1:9/api/").unwrap().as_str(),
            "http://127.0.0.1:9/api"
        );
        assert!(
            parse_endpoint("X", "http://slack.example/api")
                .unwrap_err()
                .contains("https")
        );
        assert!(parse_endpoint("X", "https://slack.example/api").is_ok());
        assert!(parse_endpoint("X", "no address").is_err());
    }
}
