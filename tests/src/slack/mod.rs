//! A Slack of our own: Web API and Socket Mode on a loopback port.
//!
//! It is written from Slack's documentation (each method's page is linked where it is served) and from its published
//! OpenAPI document, so that it answers what Slack answers and not what an adapter happens to expect. A test drives
//! the people in the workspace ([`FakeSlack::user_posts`] and its kin), scripts what goes wrong
//! ([`FakeSlack::fail_next`]), and judges by Slack's own record ([`FakeSlack::posted`]).
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use kata_testkit::slack::{ChannelKind, FakeSlack};
//!
//! let slack = FakeSlack::start().await;
//! slack.add_user("U1", "ada");
//! slack.add_channel("C1", "general", ChannelKind::Public, &["U1"]);
//! let ts = slack.user_posts("C1", "U1", "hello");
//! assert_eq!(slack.texts("C1"), ["hello"]);
//! // Here a daemon would be started with KATA_SLACK_API_URL = slack.api_url(), and then:
//! // slack.wait_posted(1).await;
//! # assert!(ts.contains('.'));
//! # }
//! ```

mod access;
mod args;
mod blocks;
mod dump;
mod error;
mod fault;
mod hub;
mod json;
mod methods;
mod observe;
mod people;
mod press;
mod record;
mod servers;
mod socket;
mod state;
mod ts;
mod web;
mod world;

#[cfg(test)]
mod tests;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::serve;
use tokio::time::interval;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use fault::{Fault, Rate};
pub use hub::Redelivery;
pub use people::{SlashCommand, Upload};
pub use record::{Ack, Call, Posted, Status, Via};
pub use state::PageOrder;
pub use world::ChannelKind;

use crate::port::{Cut, Port};
use crate::wait::Changes;
use state::State;

/// The bot token that is known at first.
pub const BOT_TOKEN: &str = "xoxb-test";
/// The app-level token that is known at first.
pub const APP_TOKEN: &str = "xapp-test";
/// The team.
pub const TEAM: &str = world::TEAM;
/// The bot's user id.
pub const BOT_USER: &str = world::BOT_USER;
/// The bot's id as an integration.
pub const BOT: &str = world::BOT;

/// What the server's tasks and the test share.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    changes: Changes,
    stop: CancellationToken,
    ping_every: Mutex<Duration>,
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

    fn granted_scopes(&self) -> String {
        self.look(|state| state.scopes.iter().copied().collect::<Vec<_>>().join(","))
    }

    fn ping_every(&self) -> Duration {
        *self.ping_every.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A workspace with our app installed, served on a port of its own until it is dropped.
#[derive(Debug)]
pub struct FakeSlack {
    shared: Arc<Shared>,
    port: Port,
}

impl FakeSlack {
    /// Starts a workspace with the bot alone in it.
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
            ping_every: Mutex::new(Duration::from_secs(10)),
        });
        let app = web::router(shared.clone()).into_make_service_with_connect_info::<Cut>();
        let served = shared.clone();
        tasks.spawn(async move {
            // Serving on our own listener does not fail.
            served
                .stop
                .run_until_cancelled(async { serve(incoming, app).await })
                .await
        });
        tasks.spawn(redeliver(shared.clone()));
        Self { shared, port }
    }

    /// Where the Web API is: the value of `KATA_SLACK_API_URL`.
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("http://{}/api", self.port.addr)
    }
}

/// Looks now and then for envelopes that waited too long for their acknowledgement.
async fn redeliver(shared: Arc<Shared>) {
    let looks = async {
        let mut ticks = interval(Duration::from_millis(50));
        loop {
            ticks.tick().await;
            shared.change(|state| state.hub.redeliver_due());
        }
    };
    shared.stop.run_until_cancelled(looks).await;
}

impl Drop for FakeSlack {
    fn drop(&mut self) {
        self.shared.stop.cancel();
        self.port.cut_all();
    }
}
