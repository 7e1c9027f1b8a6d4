//! Where the figures are measured: the binary, a place on the disk, and the fake Slack's runtime.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use kata_testkit::{
    Platform,
    discord::{self, FakeDiscord},
    gmail::FakeGmail,
    host::{Channel, Config},
    slack::{ChannelKind, FakeSlack},
};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::host::{Answers, Host};

/// The workspace of every figure.
pub(crate) const WORKSPACE: &str = "ws1";
/// Its only channel.
pub(crate) const SLUG: &str = "bench";
/// Who writes.
pub(crate) const USER: &str = "U1";
/// The same on Discord.
pub(crate) const DISCORD_USER: &str = "1001";
/// Where.
pub(crate) const DISCORD_CHANNEL: &str = "2001";
/// What is served of a mailbox.
const GMAIL_LABEL: &str = "Kata";

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

    /// A Discord with one person and one channel in its server.
    pub(crate) fn discord(&self) -> FakeDiscord {
        let discord = self.runtime.block_on(FakeDiscord::start());
        discord.add_user(DISCORD_USER, "ada");
        discord.add_channel(DISCORD_CHANNEL, "bench", discord::ChannelKind::Text);
        discord
    }

    /// A mailbox with one label.
    pub(crate) fn gmail(&self) -> FakeGmail {
        let gmail = self.runtime.block_on(FakeGmail::start());
        gmail.add_label(GMAIL_LABEL);
        gmail
    }

    /// A daemon that is connected to this Slack, by a socket.
    pub(crate) fn connected(
        &self,
        home: &Path,
        slack: &dyn Platform,
        conversations: &[String],
        answers: Answers,
    ) -> Result<Host> {
        self.connected_to(home, &[(slack, on_slack(conversations))], answers)
    }

    /// A daemon that is connected to each of these platforms.
    pub(crate) fn connected_to(
        &self,
        home: &Path,
        channels: &[(&dyn Platform, Channel)],
        answers: Answers,
    ) -> Result<Host> {
        let platforms: Vec<&dyn Platform> = channels.iter().map(|(platform, _)| *platform).collect();
        let host = Host::spawn(&self.katad, home, &platforms, answers)?;
        host.running()?;
        let channel =
            |config: Config, (_, channel): &(_, Channel)| config.channel(WORKSPACE, channel.clone());
        host.send(&channels.iter().fold(Config::new(), channel).command())?;
        for _ in channels {
            host.connected()?;
        }
        Ok(host)
    }
}

/// The channel that serves these conversations of [`Lab::slack`].
pub(crate) fn on_slack(conversations: &[String]) -> Channel {
    let conversations: Vec<&str> = conversations.iter().map(String::as_str).collect();
    Channel::slack(SLUG).conversations(&conversations)
}

/// The channel that serves [`Lab::discord`].
pub(crate) fn on_discord() -> Channel {
    Channel::discord("bench-discord").conversations(&[DISCORD_CHANNEL])
}

/// The channel that serves [`Lab::gmail`], looked at as often as by default.
pub(crate) fn on_gmail() -> Channel {
    Channel::gmail("bench-gmail", 60_000).conversations(&[GMAIL_LABEL])
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
