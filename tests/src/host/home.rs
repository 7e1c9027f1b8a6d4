//! A config directory of its own for every test, and daemons started in it, one after the other or at once.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Config, FakeHost, Policy, process};
use crate::{command::Katad, stage::Platform};

/// A config directory, removed with the test.
#[derive(Debug)]
pub struct Home {
    dir: TempDir,
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

impl Home {
    /// An empty one.
    ///
    /// # Panics
    /// If no temporary directory can be made.
    #[must_use]
    pub fn new() -> Self {
        Self {
            dir: TempDir::new().expect("a temporary directory"),
        }
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The daemon's database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.path().join("daemon.db")
    }

    /// Writes `daemon.json`.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write_settings(&self, settings: &Value) {
        fs::write(self.path().join("daemon.json"), settings.to_string()).expect("a writable directory");
    }

    /// The folder of a workspace that the app's config does not name.
    #[must_use]
    pub fn workspace(&self, id: &str) -> PathBuf {
        self.path().join("workspaces").join(id)
    }

    /// Lists workspaces in the app's `config.json`, each with the folder that it has without the list.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn list_workspaces(&self, ids: &[&str]) {
        let listed: Vec<Value> = ids
            .iter()
            .map(|id| json!({"id": id, "name": id, "rootPath": self.workspace(id), "createdAt": 1}))
            .collect();
        let config = json!({"workspaces": listed});
        fs::write(self.path().join("config.json"), config.to_string()).expect("a writable directory");
    }

    /// A command of `katad` in this directory, that finds `platform` there. It sees nothing of this process's own tokens, and its
    /// person's home is in the directory as well.
    #[must_use]
    pub fn katad(&self, platform: &impl Platform, arguments: &[&str]) -> Katad {
        let katad = Katad::new(arguments)
            .env("KATA_CONFIG_DIR", self.path())
            .env("KATA_KEYRING", "off")
            .env("HOME", self.person());
        let endpoints = platform.endpoints().into_iter();
        endpoints.fold(katad, |katad, (name, url)| katad.env(name, url))
    }

    /// The home directory of the person who runs [`katad`](Self::katad).
    ///
    /// # Panics
    /// If it cannot be made.
    #[must_use]
    pub fn person(&self) -> PathBuf {
        let person = self.path().join("person");
        fs::create_dir_all(&person).expect("a writable directory");
        person
    }

    /// Writes a workspace's `daemon-permissions.json`, whole and at once, as editors do.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write_permissions(&self, workspace: &str, text: &str) {
        let folder = self.workspace(workspace);
        fs::create_dir_all(&folder).expect("a writable directory");
        let draft = folder.join("daemon-permissions.json.new");
        fs::write(&draft, text).expect("a writable directory");
        fs::rename(draft, folder.join("daemon-permissions.json")).expect("a writable directory");
    }

    /// Prepares a daemon that finds `platform` where it looks for the real one.
    #[must_use]
    pub fn start(&self, platform: &impl Platform) -> Start {
        let start = Start {
            env: vec![("KATA_CONFIG_DIR".into(), self.path().into())],
            start: serde_json::json!({"type": "start"}),
            config: None,
            policy: Policy::echo(),
        };
        start.and(platform)
    }
}

/// A daemon about to be started.
#[derive(Debug)]
pub struct Start {
    pub(super) env: Vec<(OsString, OsString)>,
    pub(super) start: Value,
    pub(super) config: Option<Config>,
    pub(super) policy: Policy,
}

impl Start {
    /// What the host sends when the daemon is running; without it the host sends nothing.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = Some(config);
        self
    }

    /// What becomes of turns; at first they are echoed.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// What the host says it can do, in `start`; the 0.7 app says nothing.
    #[must_use]
    pub fn capabilities(mut self, capabilities: &[&str]) -> Self {
        self.start["capabilities"] = capabilities.into();
        self
    }

    /// It finds this platform too.
    #[must_use]
    pub fn and(self, platform: &impl Platform) -> Self {
        let endpoints = platform.endpoints().into_iter();
        endpoints.fold(self, |start, (name, url)| start.env(name, &url))
    }

    /// An environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Failpoints, as the `fail` crate reads them. They need a binary built with the feature `failpoints`.
    #[must_use]
    pub fn failpoints(self, points: &str) -> Self {
        self.env("FAILPOINTS", points)
    }

    /// Starts it.
    ///
    /// # Panics
    /// If there is no binary: the message says how to build it.
    #[must_use]
    pub fn spawn(self) -> FakeHost {
        process::spawn(self)
    }
}
