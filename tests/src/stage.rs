//! The scene that most tests play in.

use crate::{
    host::{Channel, Config, FakeHost, Home, Start},
    slack::{ChannelKind, FakeSlack},
};

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
