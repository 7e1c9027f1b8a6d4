//! Where the figures are measured: the binary, a place on the disk, and the fake Slack's runtime.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use kata_testkit::{
    host::{Channel, Config},
    slack::{ChannelKind, FakeSlack},
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::host::{Answers, Host};

/// The workspace of every figure.
pub(crate) const WORKSPACE: &str = "ws1";
/// Its only channel.
pub(crate) const SLUG: &str = "bench";
/// Who writes.
pub(crate) const USER: &str = "U1";

pub(crate) struct Lab {
    pub(crate) katad: PathBuf,
    pub(crate) quick: bool,
    pub(crate) runtime: Runtime,
    scratch: PathBuf,
}

impl Lab {
    pub(crate) fn new(quick: bool) -> Result<Self> {
        let profile = profile_folder()?;
        let katad = env::var_os("KATAD").map_or_else(|| profile.join("katad"), PathBuf::from);
        if !katad.is_file() {
            bail!(
                "there is no binary to measure at {}: build it with `cargo build --release -p katad`, or name one in KATAD",
                katad.display()
            );
        }
        // Beside the build and not in the system's temporary folder: where that is in memory, a commit costs nothing.
        let scratch = profile.join("figures");
        fs::create_dir_all(&scratch).with_context(|| format!("cannot make {}", scratch.display()))?;
        Ok(Self {
            katad,
            quick,
            // One thread for Slack, so that on two cores the daemon has one to itself.
            runtime: Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()?,
            scratch,
        })
    }

    /// How many, in earnest and in `--quick`.
    pub(crate) fn count(&self, full: usize, quick: usize) -> usize {
        if self.quick { quick } else { full }
    }

    /// A config directory that is removed afterwards.
    pub(crate) fn home(&self) -> Result<TempDir> {
        Ok(TempDir::with_prefix_in("home-", &self.scratch)?)
    }

    /// A config directory that is kept for the next time.
    pub(crate) fn kept_home(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// A Slack with one person and these conversations.
    pub(crate) fn slack(&self, conversations: &[String]) -> FakeSlack {
        let slack = self.runtime.block_on(FakeSlack::start());
        slack.add_user(USER, "ada");
        for id in conversations {
            slack.add_channel(id, &id.to_lowercase(), ChannelKind::Public, &[USER]);
        }
        slack
    }

    /// A daemon that is connected to the Slack at `api_url`, by a socket.
    pub(crate) fn connected(
        &self,
        home: &Path,
        api_url: &str,
        conversations: &[String],
        answers: Answers,
    ) -> Result<Host> {
        let host = Host::spawn(&self.katad, home, Some(api_url), answers)?;
        host.running()?;
        host.send(&configuration(conversations))?;
        host.connected()?;
        Ok(host)
    }
}

fn configuration(conversations: &[String]) -> Value {
    let conversations: Vec<&str> = conversations.iter().map(String::as_str).collect();
    Config::new()
        .channel(WORKSPACE, Channel::slack(SLUG).conversations(&conversations))
        .command()
}

/// So many conversations' ids.
pub(crate) fn conversations(count: usize) -> Vec<String> {
    (1..=count).map(|n| format!("C{n:04}")).collect()
}

/// `target/release`, where this bench is `target/release/deps/figures-…`.
fn profile_folder() -> Result<PathBuf> {
    let bench = env::current_exe().context("a bench knows its own path")?;
    let profile = bench.ancestors().find(|folder| folder.join("deps").is_dir());
    Ok(profile
        .context("benches lie in target/<profile>/deps")?
        .to_owned())
}
