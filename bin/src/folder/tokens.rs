//! Where the tokens of a run without the app come from: environment, then the app's store.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::SystemTime,
};

use kata_home::{Credential, CredentialStore, Credentials, Machine, app_token_variable, token_variable};
use kata_ipc::config::ChannelConfig;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::{Environment, Folder, Workspace};
use crate::{
    daemon::{Tokens, TokensOf},
    open::sentence,
};

/// All places where tokens are kept, asked in their order and only when one is needed.
#[derive(Debug)]
pub(crate) struct Vault {
    environment: Environment,
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
    pub(crate) fn new(environment: Environment, user: Option<PathBuf>) -> Self {
        Self {
            environment,
            user,
            app: OnceLock::new(),
        }
    }

    /// The file of the app's store.
    pub(crate) fn app_file(user: &Path) -> PathBuf {
        user.join(".kata-agents").join("credentials.enc")
    }

    pub(super) fn of<'a>(&'a self, folder: &Folder, workspace: &'a Workspace) -> OfWorkspace<'a> {
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

    fn app_token(&self, workspace: &str, config: &ChannelConfig) -> Result<Option<SecretString>, String> {
        let Some(key) = config.credentials.app_token_key() else {
            return Ok(None);
        };
        let app = self.vault.app()?;
        Ok(app.of_channel(workspace, key).map(|found| found.value.clone()))
    }

    fn token(&self, workspace: &str, config: &ChannelConfig) -> Result<Option<SecretString>, String> {
        let Some(key) = config.credentials.key() else {
            return Ok(None);
        };
        let app = self.vault.app()?;
        let given = |slug: &Option<String>| slug.as_deref() == Some(key);
        let found = if given(&config.credentials.channel_slug) {
            app.of_channel(workspace, key)
        } else {
            app.of_source(workspace, self.root, key)
        };
        Ok(found.map(|found| secret(&config.adapter, found)))
    }
}

impl TokensOf for OfWorkspace<'_> {
    fn tokens(&self, workspace: &str, config: &ChannelConfig) -> Result<Tokens, String> {
        let slug = &config.slug;
        let name = token_variable(workspace, slug);
        let mut advice = format!(
            "it was looked for in the variable {name} and in the app's store; `katad auth {} {slug}` stores one",
            config.adapter
        );
        let mut closed = |why: String| {
            tracing::warn!(channel = slug, "{why}");
            advice = format!("{advice} ({why})");
            None
        };
        let token = match self.variable(&name, &name)? {
            None => self.token(workspace, config).unwrap_or_else(&mut closed),
            set => set,
        };
        let app_token = match self.variable(&app_token_variable(workspace, slug), &name)? {
            None => self.app_token(workspace, config).unwrap_or_else(&mut closed),
            set => set,
        };
        Ok(Tokens {
            token,
            app_token,
            advice: Some(advice),
        })
    }
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
