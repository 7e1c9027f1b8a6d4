//! Socket Mode: <https://docs.slack.dev/apis/events-api/using-socket-mode>.
//!
//! A loop of our own, since slack-morphism's reconnects without a pause, has no timeouts, awaits one callback after
//! the other and acknowledges what it cannot read before anybody has seen it. Reconnecting is not this module's
//! business either: a socket that ends ends the subscriptions on it, and the driver decides what then.

mod deliver;
mod desk;
mod envelope;
mod interaction;
mod link;
mod pump;

use std::sync::Arc;

use kata_channel::{
    ChannelError,
    drive::Sink,
    shared::{self, SharedSocket},
};
use rustls::ClientConfig;
use secrecy::SecretString;
use tokio_util::task::TaskTracker;

use crate::{endpoint::Endpoint, errors::Token, web::Web};

pub(crate) use desk::Desk;

type Run = shared::Run<Desk>;
type Seat = shared::Seat<Desk>;

/// An app-level token and the one socket that its channels share: Slack hands an event to *one* of an app's
/// sockets (D5).
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) endpoint: Endpoint,
    pub(crate) token: SecretString,
    tls: Arc<ClientConfig>,
    web: Web,
    socket: SharedSocket<Desk>,
}

// === impl Hub ===

impl Hub {
    pub(crate) fn new(endpoint: Endpoint, tls: Arc<ClientConfig>, token: SecretString) -> Self {
        let web = Web::new(&endpoint, &tls, token.clone(), Token::App);
        Self {
            endpoint,
            token,
            tls,
            web,
            socket: SharedSocket::default(),
        }
    }

    /// Takes a seat at the shared socket, which is opened for the first and closed after the last, and stays until
    /// the socket ends.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping it gives the seat back.
    pub(crate) async fn subscribe(
        self: Arc<Self>,
        desk: Arc<Desk>,
        sink: Sink,
        tasks: &TaskTracker,
    ) -> Result<(), ChannelError> {
        let hub = self.clone();
        let serve = |run: Arc<Run>| async move { hub.connect_and_pump(&run).await };
        self.socket.subscribe(desk, sink, tasks, serve).await
    }

    /// Asks for an address, which is what the app-level token is for, and connects to none.
    pub(crate) async fn probe(&self) -> Result<(), ChannelError> {
        link::address(&self.web, &self.endpoint).await.map(drop)
    }

    async fn connect_and_pump(&self, run: &Arc<Run>) -> Result<(), ChannelError> {
        let socket = link::open(&self.web, &self.endpoint, &self.tls).await?;
        pump::pump(socket, run).await
    }
}
