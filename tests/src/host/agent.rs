//! The fake agent, as a channel's settings name it.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::process;

/// `settings.agent` of a channel whose agent is `fake-acp`.
#[derive(Clone, Debug, Default)]
pub struct AcpAgent {
    args: Vec<String>,
    settings: Map<String, Value>,
}

impl AcpAgent {
    /// One that keeps nothing and offers nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// It keeps its sessions under `state`, and can load them.
    #[must_use]
    pub fn loads(self, state: &Path) -> Self {
        self.arg("--load").keeps(state)
    }

    /// It keeps its sessions under `state`, and can resume them.
    #[must_use]
    pub fn resumes(self, state: &Path) -> Self {
        self.arg("--resume").keeps(state)
    }

    fn keeps(self, state: &Path) -> Self {
        self.arg("--state").arg(&state.to_string_lossy())
    }

    /// An argument of `fake-acp`.
    #[must_use]
    pub fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    /// The names of the variables that it is given.
    #[must_use]
    pub fn env(self, names: &[&str]) -> Self {
        self.set("env", json!(names))
    }

    /// Any other key of the settings.
    #[must_use]
    pub fn set(mut self, key: &str, value: Value) -> Self {
        self.settings.insert(key.to_owned(), value);
        self
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> Value {
        let mut settings = self.settings.clone();
        settings.insert("backend".to_owned(), "acp".into());
        settings.insert("command".to_owned(), json!(fake_acp()));
        settings.insert("args".to_owned(), json!(self.args));
        Value::Object(settings)
    }
}

/// The program, which cargo builds with the tests.
///
/// # Panics
/// If it is not there.
#[must_use]
pub fn fake_acp() -> PathBuf {
    let path = process::beside_this_test("fake-acp");
    assert!(
        path.is_file(),
        "{} is built with the tests of kata-testkit",
        path.display()
    );
    path
}
