//! A Discord of our own: HTTP API, gateway and CDN on a loopback port.
//!
//! It is written from Discord's documentation (each topic's page is linked where it is served) and from its published
//! OpenAPI document, by which every request is checked, so that it answers what Discord answers and not what an
//! adapter happens to expect. A test drives the people in the guild ([`FakeDiscord::user_posts`] and its kin), scripts
//! what goes wrong ([`FakeDiscord::fail_next`]), and judges by Discord's own record ([`FakeDiscord::posted`]). What
//! breaks the documented protocol fails the test: at the next wait, or when the fake is dropped.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use kata_testkit::discord::{ChannelKind, FakeDiscord};
//!
//! let discord = FakeDiscord::start().await;
//! discord.add_user("1001", "ada");
//! discord.add_channel("2001", "general", ChannelKind::Text);
//! let id = discord.user_posts("2001", "1001", "hello");
//! assert_eq!(discord.texts("2001"), ["hello"]);
//! // Here a daemon would be started with KATA_DISCORD_API_URL = discord.api_url(), and then:
//! // discord.wait_posted(1).await;
//! # assert!(id.parse::<u64>().is_ok());
//! # }
//! ```

mod dump;
mod fault;
mod gateway;
mod id;
mod json;
mod observe;
mod people;
mod press;
mod record;
mod rest;
mod servers;
mod spec;
mod state;
mod world;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use axum::serve;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use fault::{Fault, Scope};
pub use people::Upload;
pub use record::{Answered, Call, Posted, Via};
pub use rest::Rate;
pub use world::ChannelKind;

use crate::{
    port::{Cut, Port},
    wait::Changes,
};
use state::State;

/// The bot token that is known at first. It has the shape of one, and the bot's id in it.
pub const BOT_TOKEN: &str = "OTAwMDAwMDAwMDAwMDAwMDAz.Gkata0.fake-discord-token-of-the-tests-alone";
/// The bot's user id.
pub const BOT_USER: &str = "900000000000000003";
/// The role of the bot alone.
pub const BOT_ROLE: &str = "900000000000000005";
/// The application.
pub const APPLICATION: &str = "900000000000000004";
/// The guild.
pub const GUILD: &str = "900000000000000001";

/// What the server's tasks and the test share.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    changes: Changes,
    stop: CancellationToken,
}

impl Shared {
    /// Looks at the state.
    fn look<T>(&self, f: impl FnOnce(&State) -> T) -> T {
        f(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the state and wakes every wait.
    fn change<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        let out = f(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changes.notify();
        out
    }
}

/// A guild with our bot in it, served on a port of its own until it is dropped.
#[derive(Debug)]
pub struct FakeDiscord {
    shared: Arc<Shared>,
    port: Port,
}

impl FakeDiscord {
    /// Starts a guild with the bot and the guild's owner.
    ///
    /// # Panics
    /// If loopback has no free port.
    pub async fn start() -> Self {
        let tasks = TaskTracker::new();
        let (port, incoming) = Port::open(tasks.clone()).await.expect("a free port on loopback");
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new(format!("http://{}", port.addr))),
            changes: Changes::new(),
            stop: CancellationToken::new(),
        });
        let app = rest::router(shared.clone()).into_make_service_with_connect_info::<Cut>();
        let served = shared.clone();
        tasks.spawn(async move {
            // Serving on our own listener does not fail.
            served
                .stop
                .run_until_cancelled(async { serve(incoming, app).await })
                .await
        });
        Self { shared, port }
    }

    /// In the place of `https://discord.com`: the value of `KATA_DISCORD_API_URL`. The API is below `/api/v10`.
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("http://{}", self.port.addr)
    }
}

impl Drop for FakeDiscord {
    /// # Panics
    /// If the app broke the protocol and no wait has said so, unless the test has failed already.
    fn drop(&mut self) {
        self.shared.stop.cancel();
        self.port.cut_all();
        let violations = self.violations();
        if !std::thread::panicking() {
            assert!(
                violations.is_empty(),
                "the app broke Discord's protocol: {violations:#?}"
            );
        }
    }
}
