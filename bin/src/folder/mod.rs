//! What the config directory says, for a run without the app: workspaces, their channels, their plugins, their tokens.

mod environment;
mod handed;
mod local;
mod tokens;

use std::{
    fs, iter,
    path::{Path, PathBuf},
};

use kata_home::{HomeError, Keyring, TokenStore, Workspaces, channels, enabled_plugins, source_channels};
use kata_ipc::config::RawConfig;
use kata_plugin::Registrar;
use serde_json::{Map, Value};

pub(crate) use self::{
    environment::Environment,
    handed::Handed,
    local::Local,
    tokens::{OfWorkspace, Vault, app_token_key, token_key},
};
use crate::{
    daemon::{Asked, Desired, Reader, Refusal},
    home::Home,
    open::sentence,
    watch::Wanted,
};

/// What stands in the folder.
#[derive(Clone, Debug, Default)]
pub(crate) struct Folder {
    pub(crate) workspaces: Vec<Workspace>,
    /// Files that cannot be used, each with its sentence.
    pub(crate) refusals: Vec<Refusal>,
    /// Where all of it was read, or would be.
    pub(crate) wanted: Wanted,
}

/// A workspace, as its folder says.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    pub(crate) id: String,
    /// What people call it.
    pub(crate) name: String,
    pub(crate) root: PathBuf,
    pub(crate) enabled_plugins: Vec<String>,
    pub(crate) configs: Vec<RawConfig>,
}

// === impl Folder ===

impl Folder {
    /// Reads it. Blocks for a few small files. The error is a sentence about the list of workspaces: without that nothing is
    /// known; what is broken elsewhere is among the refusals.
    pub(crate) fn read(home: &Home, user: Option<&Path>, plugins: &Registrar) -> Result<Self, String> {
        let list = Workspaces::read(home.dir(), user).map_err(|why| sentence(&why))?;
        let mut folder = Self {
            wanted: wanted(home),
            ..Self::default()
        };
        for listed in list.all() {
            folder.wanted.follow(&listed.root);
            let workspace = Workspace {
                id: listed.id.clone(),
                name: listed.name.clone(),
                root: listed.root.clone(),
                enabled_plugins: Vec::new(),
                configs: Vec::new(),
            };
            folder.add(workspace, plugins);
        }
        Ok(folder)
    }

    fn add(&mut self, mut workspace: Workspace, plugins: &Registrar) {
        match enabled_plugins(&workspace.root) {
            Ok(Some(enabled)) => workspace.enabled_plugins = enabled,
            Ok(None) => {
                let all = plugins.channels().map(|kind| kind.plugin.to_owned());
                workspace.enabled_plugins = all.collect();
            }
            // Which plugins it has is not known, so none is run.
            Err(why) => return self.refuse(&why),
        }
        let root = workspace.root.clone();
        let own = channels(&root).map(|all| each(all, |file| file.config));
        let of_sources = source_channels(&root).map(|all| each(all, |source| source.config()));
        for read in [own, of_sources] {
            match read {
                Ok(configs) => configs.into_iter().for_each(|config| match config {
                    Ok(config) => workspace.configs.push(RawConfig::from(Value::from(config))),
                    Err(why) => self.refuse(&why),
                }),
                Err(why) => self.refuse(&why),
            }
        }
        self.workspaces.push(workspace);
    }

    fn refuse(&mut self, why: &HomeError) {
        self.refusals.push(Refusal {
            plugin_id: "katad".to_owned(),
            error: sentence(why),
        });
    }

    /// What shall run by it. Blocks where a token must be asked for.
    pub(crate) fn desired(&self, vault: &Vault, reader: Reader<'_>) -> Desired {
        let tokens: Vec<_> = self.workspaces.iter().map(|w| vault.of(self, w)).collect();
        let asked = iter::zip(&self.workspaces, &tokens).map(|(workspace, tokens)| Asked {
            workspace: &workspace.id,
            configs: &workspace.configs,
            tokens,
            enabled_plugins: &workspace.enabled_plugins,
        });
        let mut desired = reader.read(asked);
        desired.refusals.extend(self.refusals.iter().cloned());
        desired
    }
}

type Configs = Vec<Result<Map<String, Value>, HomeError>>;

fn each<T>(all: Vec<Result<T, HomeError>>, config: impl Fn(T) -> Map<String, Value>) -> Configs {
    all.into_iter().map(|one| one.map(&config)).collect()
}

/// katad's own store. `KATA_KEYRING=off` keeps it from the system's keyring.
pub(crate) fn own_tokens(home: &Home) -> TokenStore {
    let is_off = std::env::var_os("KATA_KEYRING").is_some_and(|value| value == "off");
    let keyring = if is_off { Keyring::off() } else { Keyring::system() };
    TokenStore::new(home.dir(), keyring)
}

/// `$HOME`, else what the system knows of the user.
pub(crate) fn user_home() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| !home.as_os_str().is_empty())
}

/// What is followed even if nothing can be read.
pub(crate) fn wanted(home: &Home) -> Wanted {
    let mut wanted = Wanted::default();
    wanted.files.insert(home.dir().join("config.json"));
    wanted.files.insert(own_tokens(home).file());
    wanted
}

impl Wanted {
    /// The configs of a workspace, and folders to which one may come.
    fn follow(&mut self, root: &Path) {
        self.files.insert(root.join("config.json"));
        for parent in [root.join("channels"), root.join("sources")] {
            let entries = fs::read_dir(&parent).into_iter().flatten().flatten();
            let folders = entries.map(|entry| entry.path()).filter(|path| path.is_dir());
            self.files
                .extend(folders.map(|folder| folder.join("config.json")));
            self.folders.insert(parent);
        }
    }
}
