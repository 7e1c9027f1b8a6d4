//! The configuration of this machine, for the commands that look at it and add to it.

use std::env;

use kata_home::TokenStore;
use kata_plugin::Plugins;

use super::{Environment, Folder, Vault, Workspace, own_tokens, user_home};
use crate::{
    daemon::Reader,
    exit::Exit,
    home::{DaemonConfig, Home, parse_daemon_json},
    plugins,
    tasks::Desk,
    terminal,
};

/// All of it, as a daemon would read it now.
#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) home: Home,
    pub(crate) config: DaemonConfig,
    pub(crate) plugins: Plugins,
    pub(crate) folder: Folder,
    pub(crate) own: TokenStore,
    pub(crate) vault: Vault,
}

// === impl Local ===

impl Local {
    /// Reads it. What cannot be used is said on the terminal.
    pub(crate) fn read() -> Result<Self, Exit> {
        let bad = |why: String| terminal::fail(why, Exit::BadConfig);
        let home = Home::from_env().map_err(|why| bad(why.to_string()))?;
        let config = parse_daemon_json(&home.daemon_json()).map_err(bad)?;
        let plugins = plugins::all(&Desk::default()).map_err(|why| terminal::fail(why, Exit::Bug))?;
        let user = user_home();
        let folder = Folder::read(&home, user.as_deref(), plugins.registrar()).map_err(bad)?;
        let own = own_tokens(&home);
        Ok(Self {
            vault: Vault::new(Environment::of(env::vars_os()), own.clone(), user),
            home,
            config,
            plugins,
            folder,
            own,
        })
    }

    /// Checks configs as `katad serve` does.
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader {
            plugins: self.plugins.registrar(),
            config: &self.config,
            with_host: false,
        }
    }

    /// The workspace with this id or name; without one the only one that there is.
    pub(crate) fn workspace(&self, named: Option<&str>) -> Result<&Workspace, String> {
        let all = &self.folder.workspaces;
        let Some(name) = named else {
            return match &all[..] {
                [only] => Ok(only),
                [] => Err(self.no_workspace()),
                _ => Err(format!(
                    "there are several workspaces; name one of them: --workspace {}",
                    ids(all).join(", --workspace ")
                )),
            };
        };
        let by_id = all.iter().find(|workspace| workspace.id == name);
        let mut by_name = all.iter().filter(|workspace| workspace.name == name);
        match (by_id, by_name.next(), by_name.next()) {
            (Some(found), ..) | (None, Some(found), None) => Ok(found),
            (None, Some(_), Some(_)) => Err(format!(
                "several workspaces are called {name:?}; name one of them by its id: {}",
                ids(all).join(", ")
            )),
            (None, None, _) if all.is_empty() => Err(self.no_workspace()),
            (None, None, _) => Err(format!(
                "there is no workspace {name:?} (there are: {})",
                ids(all).join(", ")
            )),
        }
    }

    fn no_workspace(&self) -> String {
        format!(
            "{} lists no workspace that can be used; `katad channels add` begins the list where there is none",
            self.home.dir().join("config.json").display()
        )
    }
}

fn ids(all: &[Workspace]) -> Vec<&str> {
    all.iter().map(|workspace| &*workspace.id).collect()
}
