//! One channel, from its first connect to its stop.

use std::{convert::Infallible, fmt, future::pending, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{
    backoff::Jitter,
    connect::connect,
    cursors::Cursors,
    event::DriverEvent,
    poll,
    read::Reader,
    report::{Final, Report},
    room::Refused,
    sink::Ingress,
    subscribe,
};
use crate::{
    adapter::{Adapter, History, Identity},
    error::{ChannelError, Error},
    time::{Clock, Timestamp},
};

/// What has worked for this long is stable: the next failure is a first one.
pub(super) const STABLE: Duration = Duration::from_secs(60);
/// An adapter closes what is open within two seconds; after that it is left behind.
const DISCONNECT_WITHIN: Duration = Duration::from_secs(2);

/// How a channel is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DriveSettings {
    /// How far apart passes over history are where nothing pushes; none = 10 s.
    pub poll_interval: Option<Duration>,
}

/// Runs one channel: connects, subscribes or polls, reconciles, until it is told to stop.
///
/// Everything that happens arrives as a [`DriverEvent`]; the sender is dropped when the driver ends. A slow listener slows
/// the driver.
#[derive(Debug)]
pub struct Driver {
    parts: Parts,
    thaw: watch::Receiver<u64>,
    events: mpsc::Sender<DriverEvent>,
}

/// What everything in a driver works with.
pub(super) struct Parts {
    pub(super) adapter: Arc<dyn Adapter>,
    pub(super) ingress: Ingress,
    pub(super) cursors: Arc<dyn Cursors>,
    pub(super) settings: DriveSettings,
    pub(super) clock: Clock,
    pub(super) begun: Timestamp,
    pub(super) jitter: Jitter,
    pub(super) report: Arc<Report>,
    pub(super) refused: Refused,
}

// === impl Driver ===

impl Driver {
    /// A driver that has not begun. Each change of `thaw` says that the machine was asleep: sockets are dropped, and
    /// everything is read anew (promise 7).
    #[must_use]
    pub fn new(
        adapter: Arc<dyn Adapter>,
        ingress: Ingress,
        cursors: Arc<dyn Cursors>,
        settings: DriveSettings,
        clock: Clock,
        thaw: watch::Receiver<u64>,
        events: mpsc::Sender<DriverEvent>,
    ) -> Self {
        let report = Arc::new(Report::new(&events));
        let jitter = Jitter::random();
        Self {
            parts: Parts {
                adapter,
                ingress,
                cursors,
                settings,
                begun: clock.wall(),
                clock,
                jitter,
                report,
                refused: Refused::default(),
            },
            thaw,
            events,
        }
    }

    #[cfg(test)]
    pub(super) fn with_jitter(mut self, jitter: Jitter) -> Self {
        self.parts.jitter = jitter;
        self
    }

    /// Runs until `stop`, then disconnects the adapter.
    ///
    /// # Cancel safety
    /// Dropping it ends the work at once and leaves the adapter connected. Rows of a page that was on its way may be
    /// written; reading it again is harmless (D2).
    pub async fn run(mut self, stop: CancellationToken) {
        let report = self.parts.report.clone();
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            never = self.drive() => match never {},
            never = report.expiries() => match never {},
        }
        if timeout(DISCONNECT_WITHIN, self.parts.adapter.disconnect())
            .await
            .is_err()
        {
            warn!(
                platform = self.parts.platform(),
                "the adapter did not disconnect in time"
            );
        }
        drop(self.events);
    }

    async fn drive(&mut self) -> Infallible {
        self.thaw.mark_unchanged();
        let mut identity = None;
        let last = loop {
            tokio::select! {
                biased;
                // What ran is dropped with all it waited for: sockets, backoffs, half-read pages.
                () = thawed(&mut self.thaw) => self.parts.report.hold_anew().await,
                last = self.parts.round(&mut identity) => break last,
            }
        };
        self.parts.report.final_word(last).await;
        // Nothing is called until a new configuration brings a new driver.
        pending().await
    }
}

async fn thawed(thaw: &mut watch::Receiver<u64>) {
    if thaw.changed().await.is_err() {
        pending::<()>().await;
    }
}

// === impl Parts ===

impl Parts {
    /// Everything between two thaws. `identity` outlives it: a thaw does not change who we are.
    async fn round(&self, identity: &mut Option<Identity>) -> Final {
        // D6: a thaw that found us without room asks for it anew, and calls nothing before.
        self.room().await;
        let known = match identity {
            Some(known) => known,
            None => match connect(self).await {
                Ok(known) => identity.insert(known),
                Err(last) => return last,
            },
        };
        match (self.adapter.push(), self.adapter.history()) {
            (Some(push), _) => subscribe::run(self, push, known).await,
            (None, Some(history)) => poll::run(self, history, known).await,
            (None, None) => {
                let error = format!(
                    "the adapter for {} can neither push nor be polled",
                    self.platform()
                );
                Final::Refused(ChannelError::Rejected(error))
            }
        }
    }

    pub(super) fn reader<'d>(&'d self, history: &'d dyn History) -> Reader<'d> {
        Reader {
            history,
            ingress: &self.ingress,
            cursors: &*self.cursors,
            report: &self.report,
            clock: &self.clock,
            begun: self.begun,
            jitter: self.jitter,
            skipped: 0,
        }
    }

    pub(super) fn platform(&self) -> &'static str {
        self.adapter.descriptor().platform
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts")
            .field("platform", &self.platform())
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// A failure of the ingress stack, with its causes, as a state of the channel.
pub(super) fn sentence(error: &Error) -> ChannelError {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    ChannelError::Other(text)
}
