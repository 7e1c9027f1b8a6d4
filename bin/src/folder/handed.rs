//! The tokens that a host hands over, and those that it cannot: the app's form takes credentials for Slack and WhatsApp alone.

use std::collections::BTreeMap;

use kata_home::TokenStore;
use kata_ipc::config::ChannelConfig;
use secrecy::{ExposeSecret, SecretString};

use super::tokens::{own, token_key};
use crate::daemon::{Tokens, TokensOf};

/// Platforms whose tokens may come from katad's own store although a host is there.
const OWN: [&str; 2] = ["discord", "gmail"];

/// As they came with `configure_channels`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handed<'a> {
    pub(crate) tokens: &'a BTreeMap<String, SecretString>,
    pub(crate) own: &'a TokenStore,
}

impl TokensOf for Handed<'_> {
    fn tokens(&self, workspace: &str, config: &ChannelConfig) -> Result<Tokens, String> {
        let handed = self.tokens.tokens(workspace, config)?;
        let is_there = |token: &SecretString| !token.expose_secret().trim().is_empty();
        if handed.token.as_ref().is_some_and(is_there) || !OWN.contains(&&*config.adapter) {
            return Ok(handed);
        }
        Ok(Tokens {
            token: own(self.own, workspace, token_key(config))?,
            advice: Some(format!(
                "`katad auth {} {}` stores one",
                config.adapter, config.slug
            )),
            ..handed
        })
    }
}

#[cfg(test)]
mod tests {
    use kata_home::Keyring;
    use kata_ipc::config::RawConfig;
    use serde_json::json;

    use super::*;

    #[test]
    fn our_own_store_is_asked_for_discord_and_gmail_where_the_host_has_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let own = TokenStore::new(folder.path(), Keyring::off());
        for key in ["team", "bot"] {
            own.set("w1", key, &"made-up-own".into()).unwrap();
        }
        let tokens = BTreeMap::from([("handed".to_owned(), "made-up-handed".into())]);
        let handed = Handed {
            tokens: &tokens,
            own: &own,
        };
        let token = |adapter: &str, key: Option<&str>| {
            let raw = json!({"slug": "team", "adapter": adapter, "credentials": {"channelSlug": key}});
            let config = RawConfig::from(raw).parse().unwrap();
            let found = handed.tokens("w1", &config).unwrap().token;
            found.map(|token| token.expose_secret().to_owned())
        };
        assert_eq!(token("gmail", Some("handed")).as_deref(), Some("made-up-handed"));
        for key in [None, Some("bot")] {
            assert_eq!(token("gmail", key).as_deref(), Some("made-up-own"));
            assert_eq!(token("discord", key).as_deref(), Some("made-up-own"));
            assert_eq!(token("slack", key), None);
        }
    }
}
