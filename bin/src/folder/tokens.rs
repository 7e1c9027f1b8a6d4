//! Where the tokens of a run without the app come from: environment, katad's own store, the app's store.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::SystemTime,
};

use kata_home::{
    Credential, CredentialStore, Credentials, Machine, TokenStore, app_token_variable, token_variable,
};
use kata_ipc::config::ChannelConfig;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::{Environment, Folder, Workspace};
use crate::{
    daemon::{Tokens, TokensOf},
    open::sentence,
};

/// A token, and where it was.
type Found = (SecretString, &'static str);

/// All places where tokens are kept, asked in their order and only when one is needed.
#[derive(Debug)]
pub(crate) struct Vault {
    environment: Environment,
    own: TokenStore,
    user: Option<PathBuf>,
    app: OnceLock<Result<Credentials, String>>,
}

/// The tokens of one workspace.
#[derive(Debug)]
pub(crate) struct OfWorkspace<'a> {
    vault: &'a Vault,
    root: &'a Path,
    /// By variable, the channels that have it.
    variables: BTreeMap<String, Vec<String>>,
}

// === impl Vault ===

impl Vault {
    /// Nothing is opened yet. `user` is the person's home directory.
    pub(crate) fn new(environment: Environment, own: TokenStore, user: Option<PathBuf>) -> Self {
        Self {
            environment,
            own,
            user,
            app: OnceLock::new(),
        }
    }

    /// The file of the app's store.
    pub(crate) fn app_file(user: &Path) -> PathBuf {
        user.join(".kata-agents").join("credentials.enc")
    }

    pub(crate) fn of<'a>(&'a self, folder: &Folder, workspace: &'a Workspace) -> OfWorkspace<'a> {
        let mut variables = BTreeMap::<String, Vec<String>>::new();
        for workspace in &folder.workspaces {
            for slug in workspace.configs.iter().filter_map(|config| config.slug()) {
                let name = token_variable(&workspace.id, slug);
                let channel = format!("{:?} of workspace {:?}", slug, workspace.id);
                variables.entry(name).or_default().push(channel);
            }
        }
        OfWorkspace {
            vault: self,
            root: &workspace.root,
            variables,
        }
    }

    /// The app's store, read when it is first asked.
    fn app(&self) -> Result<&Credentials, &str> {
        let read = || match &self.user {
            Some(user) if Self::app_file(user).exists() => {
                let machine = Machine::this(user).map_err(|why| sentence(&why))?;
                CredentialStore::new(machine).read().map_err(|why| sentence(&why))
            }
            _ => Ok(Credentials::default()),
        };
        self.app.get_or_init(read).as_ref().map_err(String::as_str)
    }
}

// === impl OfWorkspace ===

impl OfWorkspace<'_> {
    /// The token in a variable. Two channels that have one variable are refused: nobody knows whose it is.
    fn variable(&self, name: &str, of: &str) -> Result<Option<SecretString>, String> {
        let Some(token) = self.vault.environment.get(name) else {
            return Ok(None);
        };
        match self.variables.get(of) {
            Some(channels) if channels.len() > 1 => Err(format!(
                "the variable {name} stands for the channels {}; rename one of them, or unset it and store their tokens with `katad auth`",
                channels.join(" and ")
            )),
            _ => Ok(Some(token.clone())),
        }
    }

    /// `closed` is told why a place does not open; the next one is asked all the same.
    fn app_token(
        &self,
        workspace: &str,
        config: &ChannelConfig,
        closed: &mut impl FnMut(String),
    ) -> Option<SecretString> {
        let found = own(&self.vault.own, workspace, &app_token_key(config));
        if let Some(own) = found.unwrap_or_else(|why| told(closed, why)) {
            return Some(own);
        }
        let key = config.credentials.app_token_key()?;
        match self.vault.app() {
            Ok(app) => app.of_channel(workspace, key).map(|found| found.value.clone()),
            Err(why) => told(closed, why.to_owned()),
        }
    }

    /// The token, and where it was. `closed` as above.
    fn token(
        &self,
        workspace: &str,
        config: &ChannelConfig,
        closed: &mut impl FnMut(String),
    ) -> Option<Found> {
        let found = own(&self.vault.own, workspace, token_key(config));
        if let Some(token) = found.unwrap_or_else(|why| told(closed, why)) {
            return Some((token, "katad's store"));
        }
        let key = config.credentials.key()?;
        let app = match self.vault.app() {
            Ok(app) => app,
            Err(why) => return told(closed, why.to_owned()),
        };
        let found = if config.credentials.channel_slug.as_deref() == Some(key) {
            app.of_channel(workspace, key)
        } else {
            app.of_source(workspace, self.root, key)
        };
        Some((secret(&config.adapter, found?), "the app's store"))
    }
}

fn told<T>(closed: &mut impl FnMut(String), why: String) -> Option<T> {
    closed(why);
    None
}

impl TokensOf for OfWorkspace<'_> {
    fn tokens(&self, workspace: &str, config: &ChannelConfig) -> Result<Tokens, String> {
        let slug = &config.slug;
        let name = token_variable(workspace, slug);
        let mut advice = format!(
            "it was looked for in the variable {name}, in katad's own store and in the app's; `katad auth {} {slug}` stores one",
            config.adapter
        );
        let mut closed = |why: String| {
            tracing::warn!(channel = slug, "{why}");
            advice = format!("{advice} ({why})");
        };
        let token = match self.variable(&name, &name)? {
            None => self.token(workspace, config, &mut closed),
            Some(token) => Some((token, "the environment")),
        };
        let app_token = match self.variable(&app_token_variable(workspace, slug), &name)? {
            None => self.app_token(workspace, config, &mut closed),
            set => set,
        };
        let (token, from) = token.unzip();
        Ok(Tokens {
            token,
            app_token,
            from,
            advice: Some(advice),
        })
    }
}

/// The name of a channel's token in katad's own store: as in the app's, and that of the channel where its config names none.
pub(crate) fn token_key(config: &ChannelConfig) -> &str {
    config.credentials.key().unwrap_or(&config.slug)
}

/// The same for its second token.
pub(crate) fn app_token_key(config: &ChannelConfig) -> String {
    let named = config.credentials.app_token_key().map(str::to_owned);
    named.unwrap_or_else(|| format!("{}-app", config.slug))
}

pub(super) fn own(store: &TokenStore, workspace: &str, key: &str) -> Result<Option<SecretString>, String> {
    store.get(workspace, key).map_err(|why| sentence(&why))
}

/// What the adapter is given. Google's token ends in an hour, and the app's store has not all that a new one takes: so its end goes
/// with it.
fn secret(adapter: &str, found: &Credential) -> SecretString {
    let ends = |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).ok();
    match found.expires_at.and_then(ends) {
        Some(ends) if adapter == "gmail" => {
            let ends = u64::try_from(ends.as_millis()).unwrap_or(u64::MAX);
            let token = json!({ "accessToken": found.value.expose_secret(), "expiresAt": ends });
            token.to_string().into()
        }
        _ => found.value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use kata_home::Keyring;
    use kata_ipc::config::RawConfig;

    use super::*;

    fn workspace(id: &str, slugs: &[&str]) -> Workspace {
        let config = |slug: &&str| {
            RawConfig::from(json!({
                "slug": slug, "adapter": "slack", "credentials": { "channelSlug": "bot", "appTokenSlug": "bot-app" },
            }))
        };
        Workspace {
            id: id.to_owned(),
            name: id.to_owned(),
            root: PathBuf::from("/srv").join(id),
            enabled_plugins: Vec::new(),
            configs: slugs.iter().map(config).collect(),
        }
    }

    fn vault(own: TokenStore, variables: &[(&str, &str)]) -> Vault {
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
        Vault::new(Environment::of(variables), own, None)
    }

    /// The tokens of the first channel of a workspace.
    fn tokens(vault: &Vault, folder: &Folder, at: usize) -> Result<[Option<String>; 2], String> {
        let workspace = &folder.workspaces[at];
        let config = workspace.configs[0].parse().unwrap();
        let found = vault.of(folder, workspace).tokens(&workspace.id, &config)?;
        Ok([found.token, found.app_token].map(|token| token.map(|token| token.expose_secret().to_owned())))
    }

    #[test]
    fn the_environment_goes_before_our_own_store() {
        let state = tempfile::tempdir().unwrap();
        let own = TokenStore::new(state.path(), Keyring::off());
        own.set("w1", "bot", &"made-up-own".into()).unwrap();
        own.set("w1", "bot-app", &"made-up-own-app".into()).unwrap();
        let folder = Folder {
            workspaces: vec![workspace("w1", &["team"])],
            ..Folder::default()
        };
        let check = |variables: &[(&str, &str)], token: &str, app_token: &str| {
            let found = tokens(&vault(own.clone(), variables), &folder, 0).unwrap();
            assert_eq!(found.map(|token| token.unwrap()), [token, app_token]);
        };
        check(&[], "made-up-own", "made-up-own-app");
        check(&[("KATA_TOKEN_W1_TEAM", " ")], "made-up-own", "made-up-own-app");
        check(
            &[("KATA_TOKEN_W1_TEAM", "made-up-env")],
            "made-up-env",
            "made-up-own-app",
        );
        check(
            &[
                ("KATA_APP_TOKEN_W1_TEAM", "made-up-env"),
                ("KATA_TOKEN_W1_OTHER", "x"),
            ],
            "made-up-own",
            "made-up-env",
        );
    }

    #[test]
    fn two_channels_with_one_variable_are_refused_where_it_is_set() {
        let state = tempfile::tempdir().unwrap();
        let own = TokenStore::new(state.path(), Keyring::off());
        let folder = Folder {
            workspaces: vec![
                workspace("a", &["b-c"]),
                workspace("a-b", &["c"]),
                workspace("d", &["e"]),
            ],
            ..Folder::default()
        };
        let set = vault(
            own.clone(),
            &[("KATA_TOKEN_A_B_C", "made-up"), ("KATA_TOKEN_D_E", "made-up")],
        );
        for at in [0, 1] {
            let refused = tokens(&set, &folder, at).unwrap_err();
            assert!(
                refused.contains("\"b-c\" of workspace \"a\"")
                    && refused.contains("\"c\" of workspace \"a-b\""),
                "{refused}"
            );
            assert!(!refused.contains("made-up"), "{refused}");
        }
        assert!(tokens(&set, &folder, 2).unwrap()[0].is_some());
        assert_eq!(tokens(&vault(own, &[]), &folder, 0), Ok([None, None]));
    }

    #[test]
    fn a_token_of_google_takes_its_end_along() {
        let name = |adapter: &str, ends: bool| {
            let mut credential = Credential::new("made-up".into());
            credential.expires_at = ends.then(|| SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(7));
            secret(adapter, &credential).expose_secret().to_owned()
        };
        assert_eq!(name("slack", true), "made-up");
        assert_eq!(name("gmail", false), "made-up");
        assert_eq!(
            name("gmail", true),
            r#"{"accessToken":"made-up","expiresAt":7000}"#
        );
    }
}
