//! A Gmail of our own: one mailbox behind the Gmail API, and Google's endpoints for signing in, on a loopback port.
//!
//! It is written from Google's documentation and held against Google's discovery document: a request with a parameter or a
//! field that the document does not know is refused, and remembered ([`FakeGmail::violations`]). A test drives who writes to the
//! mailbox ([`FakeGmail::arrives`]), scripts what goes wrong ([`FakeGmail::fail_next`]), and judges by the mailbox's own record
//! ([`FakeGmail::drafted`], [`FakeGmail::sent`]).
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use kata_testkit::gmail::{FakeGmail, NewMail};
//!
//! let gmail = FakeGmail::start().await;
//! gmail.add_label("Kata");
//! let id = gmail.arrives(NewMail::from("ada@example.org").subject("Offer").text("How much?").label("Kata"));
//! // Here a daemon would be started with KATA_GMAIL_API_URL = gmail.api_url(), and then:
//! // gmail.wait_drafted(1).await;
//! # assert!(gmail.drafted().is_empty() && !id.is_empty());
//! # }
//! ```

mod authorize;
mod browser;
mod discovery;
mod drive;
mod fault;
mod methods;
mod newmail;
mod observe;
mod payload;
mod search;
mod state;
#[cfg(test)]
mod tests;
mod token;
mod web;

use std::sync::{Arc, Mutex, PoisonError};

use axum::serve;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use browser::{Shown, browse};
pub use fault::Fault;
pub use newmail::NewMail;
pub use observe::{Call, Posted};

use crate::{
    port::{Cut, Port},
    wait::Changes,
};
use state::State;

/// Whose mailbox it is.
pub const ADDRESS: &str = "kata@example.com";
/// The client id that is known.
pub const CLIENT_ID: &str = "client.apps.example";
/// Its secret.
pub const CLIENT_SECRET: &str = "client-secret";
/// The refresh token that is known at first.
pub const REFRESH_TOKEN: &str = "1//refresh";
/// A channel's credential, with all three.
pub const CREDENTIAL: &str =
    r#"{"refreshToken":"1//refresh","clientId":"client.apps.example","clientSecret":"client-secret"}"#;

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

/// A mailbox, served on a port of its own until it is dropped.
#[derive(Debug)]
pub struct FakeGmail {
    shared: Arc<Shared>,
    port: Port,
}

impl FakeGmail {
    /// Starts with an empty mailbox.
    ///
    /// # Panics
    /// If loopback has no free port.
    pub async fn start() -> Self {
        let tasks = TaskTracker::new();
        let (port, incoming) = Port::open(tasks.clone()).await.expect("a free port on loopback");
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new()),
            changes: Changes::new(),
            stop: CancellationToken::new(),
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
        Self { shared, port }
    }

    /// Where the API is: the value of `KATA_GMAIL_API_URL`.
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("http://{}", self.port.addr)
    }

    /// Where tokens are: the value of `KATA_GOOGLE_TOKEN_URL`.
    #[must_use]
    pub fn token_url(&self) -> String {
        format!("http://{}/token", self.port.addr)
    }
}

impl Drop for FakeGmail {
    /// # Panics
    /// If a request was none of Google's, unless the test has failed already.
    fn drop(&mut self) {
        self.shared.stop.cancel();
        self.port.cut_all();
        let violations = self.violations();
        if !std::thread::panicking() {
            assert!(
                violations.is_empty(),
                "the app broke the Gmail API: {violations:#?}"
            );
        }
    }
}
