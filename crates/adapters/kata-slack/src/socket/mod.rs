//! Socket Mode: <https://docs.slack.dev/apis/events-api/using-socket-mode>.
//!
//! A loop of our own, since slack-morphism's reconnects without a pause, has no timeouts, awaits one callback after
//! the other and acknowledges what it cannot read before anybody has seen it. Reconnecting is not this module's
//! business either: a socket that ends ends the subscriptions on it, and the driver decides what then.

mod deliver;
mod desk;
mod envelope;
mod interaction;
mod lanes;
mod link;
mod pump;
mod run;

use std::sync::{Arc, Mutex, PoisonError};

use kata_channel::{ChannelError, drive::Sink};
use rustls::ClientConfig;
use secrecy::SecretString;
use tokio_util::task::TaskTracker;

use crate::{endpoint::Endpoint, errors::Token, web::Web};

pub(crate) use desk::Desk;
use run::{Leave, Run};

/// An app-level token and the one socket that its channels share: Slack hands an event to *one* of an app's
/// sockets (D5).
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) endpoint: Endpoint,
    pub(crate) token: SecretString,
    tls: Arc<ClientConfig>,
    web: Web,
    current: Mutex<Option<Arc<Run>>>,
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
            current: Mutex::default(),
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
        let (run, seat, over) = self.join(desk, sink, tasks);
        let _leave = Leave { run, seat };
        over.await
            .unwrap_or_else(|_| Err(ChannelError::ConnectionLost("the socket to Slack is gone".into())))
    }

    fn join(self: &Arc<Self>, desk: Arc<Desk>, sink: Sink, tasks: &TaskTracker) -> run::Joined {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(run) = current.as_ref()
            && let Some(joined) = run.join(desk.clone(), sink.clone())
        {
            return joined;
        }
        // A driver that left and comes back found the old socket dead, or slept: everybody moves to a new one.
        if let Some(old) = current.take() {
            old.end(Ok(()));
        }
        let run = Arc::new(Run::default());
        *current = Some(run.clone());
        let joined = run
            .join(desk, sink)
            .expect("a run that nobody has left takes everybody");
        let hub = self.clone();
        tasks.spawn(async move { hub.serve(&run).await });
        joined
    }

    async fn serve(&self, run: &Arc<Run>) {
        let result = tokio::select! {
            biased;
            () = run.cancel.cancelled() => Ok(()),
            result = self.connect_and_pump(run) => result,
        };
        run.end(result);
    }

    async fn connect_and_pump(&self, run: &Arc<Run>) -> Result<(), ChannelError> {
        let socket = link::open(&self.web, &self.endpoint, &self.tls).await?;
        pump::pump(socket, run).await
    }
}
