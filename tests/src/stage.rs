//! The scene that most tests play in.

use crate::{
    discord::{self, FakeDiscord},
    gmail::FakeGmail,
    host::{Channel, Config, FakeHost, Home, Start},
    slack::{ChannelKind, FakeSlack},
};

/// Something that a daemon looks for at an address, and finds on loopback.
pub trait Platform {
    /// The variables that move it, each with where it is.
    fn endpoints(&self) -> Vec<(&'static str, String)>;
}

impl Platform for FakeSlack {
    fn endpoints(&self) -> Vec<(&'static str, String)> {
        vec![("KATA_SLACK_API_URL", self.api_url())]
    }
}

impl Platform for FakeDiscord {
    fn endpoints(&self) -> Vec<(&'static str, String)> {
        vec![("KATA_DISCORD_API_URL", self.api_url())]
    }
}

impl Platform for FakeGmail {
    fn endpoints(&self) -> Vec<(&'static str, String)> {
        vec![
            ("KATA_GMAIL_API_URL", self.api_url()),
            ("KATA_GOOGLE_TOKEN_URL", self.token_url()),
        ]
    }
}

/// A workspace with Ada (`U1`), Bob (`U2`) and the channels `C1`, `C2` and `C3`, and a config directory.
#[derive(Debug)]
pub struct Stage {
    /// The platform.
    pub slack: FakeSlack,
    /// The config directory.
    pub home: Home,
}

/// The workspace that [`Stage::config`] configures.
pub const WORKSPACE: &str = "ws1";
/// The channel's slug.
pub const SLUG: &str = "support";

impl Stage {
    /// Sets it up; no daemon runs yet.
    pub async fn set() -> Self {
        let slack = FakeSlack::start().await;
        slack.add_user("U1", "ada");
        slack.add_user("U2", "bob");
        for (id, name) in [("C1", "general"), ("C2", "random"), ("C3", "alerts")] {
            slack.add_channel(id, name, ChannelKind::Public, &["U1", "U2"]);
        }
        Self {
            slack,
            home: Home::new(),
        }
    }

    /// One channel that listens to `conversations` on a socket.
    #[must_use]
    pub fn config(conversations: &[&str]) -> Config {
        Config::new().channel(WORKSPACE, Channel::slack(SLUG).conversations(conversations))
    }

    /// A daemon that is about to serve `C1`, with an agent that says what it is told.
    #[must_use]
    pub fn start(&self) -> Start {
        self.home.start(&self.slack).config(Self::config(&["C1"]))
    }

    /// Starts a daemon and waits until its socket is open and its history is read.
    pub async fn up(&self, start: Start) -> FakeHost {
        let sockets = self.slack.connections();
        let host = start.spawn();
        host.wait_channel(SLUG, "connected").await;
        self.slack.wait_connections(sockets + 1).await;
        host
    }

    /// [`start`](Self::start) and [`up`](Self::up).
    pub async fn play(&self) -> FakeHost {
        self.up(self.start()).await
    }

    /// The texts of all that was posted, in order.
    #[must_use]
    pub fn said(&self) -> Vec<String> {
        self.slack.posted().into_iter().map(|p| p.text).collect()
    }
}

/// Ada (`1001`), Bob (`1002`), the channels `2001`, `2002` and `2003` and the forum `2009` of a Discord guild, and a
/// config directory.
#[derive(Debug)]
pub struct DiscordStage {
    /// The platform.
    pub discord: FakeDiscord,
    /// The config directory.
    pub home: Home,
}

impl DiscordStage {
    /// Sets it up; no daemon runs yet.
    pub async fn set() -> Self {
        Self {
            discord: guild().await,
            home: Home::new(),
        }
    }

    /// One channel that listens to `conversations`.
    #[must_use]
    pub fn config(conversations: &[&str]) -> Config {
        Config::new().channel(WORKSPACE, Channel::discord(SLUG).conversations(conversations))
    }

    /// A daemon that is about to serve `2001`, with an agent that says what it is told.
    #[must_use]
    pub fn start(&self) -> Start {
        self.home.start(&self.discord).config(Self::config(&["2001"]))
    }

    /// Starts a daemon and waits until its session is open and its history is read.
    pub async fn up(&self, start: Start) -> FakeHost {
        let sessions = self.discord.sessions();
        let host = start.spawn();
        host.wait_channel(SLUG, "connected").await;
        self.discord.wait_sessions(sessions + 1).await;
        host
    }

    /// [`start`](Self::start) and [`up`](Self::up).
    pub async fn play(&self) -> FakeHost {
        self.up(self.start()).await
    }

    /// The texts of all that was posted, in order.
    #[must_use]
    pub fn said(&self) -> Vec<String> {
        self.discord.posted().into_iter().map(|p| p.text).collect()
    }
}

async fn guild() -> FakeDiscord {
    let discord = FakeDiscord::start().await;
    discord.add_user("1001", "ada");
    discord.add_user("1002", "bob");
    for (id, name) in [("2001", "general"), ("2002", "random"), ("2003", "alerts")] {
        discord.add_channel(id, name, discord::ChannelKind::Text);
    }
    discord.add_channel("2009", "ideas", discord::ChannelKind::Forum);
    discord
}

/// Both platforms, one daemon: the channel [`SLUG`] is Slack's, [`BothStage::SECOND`] is Discord's.
#[derive(Debug)]
pub struct BothStage {
    /// The scene on Slack, with the config directory.
    pub slack: Stage,
    /// The other platform, with the people and places of a [`DiscordStage`].
    pub discord: FakeDiscord,
}

impl BothStage {
    /// The slug of Discord's channel.
    pub const SECOND: &str = "guild";

    /// Sets it up; no daemon runs yet.
    pub async fn set() -> Self {
        Self {
            slack: Stage::set().await,
            discord: guild().await,
        }
    }

    /// A daemon that is about to serve these conversations of Slack's and of Discord's.
    #[must_use]
    pub fn start(&self, slack: &[&str], discord: &[&str]) -> Start {
        let config =
            Stage::config(slack).channel(WORKSPACE, Channel::discord(Self::SECOND).conversations(discord));
        let start = self.slack.home.start(&self.slack.slack).and(&self.discord);
        start.config(config)
    }

    /// Starts a daemon and waits until both are connected.
    pub async fn up(&self, start: Start) -> FakeHost {
        let sessions = self.discord.sessions();
        let host = self.slack.up(start).await;
        host.wait_channel(Self::SECOND, "connected").await;
        self.discord.wait_sessions(sessions + 1).await;
        host
    }
}
