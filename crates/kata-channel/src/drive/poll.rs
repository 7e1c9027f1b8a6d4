//! Reading history on a timer: all there is where nothing pushes, and the truth beside a socket.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{
    backoff::Backoff,
    driver::{Parts, STABLE, sentence},
    read::Halt,
    reconcile::Reconciler,
    report::Final,
};
use crate::{
    adapter::{History, Identity},
    error::{ChannelError, Error},
};

/// How far apart passes are when the configuration does not say.
const POLL_EVERY: Duration = Duration::from_secs(10);
/// Passes of many channels do not fall together.
const SPREAD: f64 = 0.1;

/// What ends the reading.
#[derive(Debug)]
pub(super) enum Stopped {
    AuthExpired(ChannelError),
    Store(Error),
}

/// Runs a channel that is only polled.
pub(super) async fn run(parts: &Parts, history: &dyn History, identity: &Identity) -> Final {
    let every = parts.settings.poll_interval.unwrap_or(POLL_EVERY);
    let mut backoff = Backoff::of_driver(parts.jitter);
    parts.report.works(identity).await;
    parts.report.hold().await;
    loop {
        let started = Instant::now();
        match keep_reading(parts, history, identity, every).await {
            Stopped::AuthExpired(error) => return Final::AuthExpired(error),
            Stopped::Store(error) => parts.refused(sentence(&error)).await,
        }
        if started.elapsed() >= STABLE {
            backoff.clear();
        }
        parts.rest(backoff.pause()).await;
    }
}

/// Reads everything, and again `every` so often; one pass at a time.
pub(super) async fn keep_reading(
    parts: &Parts,
    history: &dyn History,
    identity: &Identity,
    every: Duration,
) -> Stopped {
    let mut backoff = Backoff::of_driver(parts.jitter);
    let mut reconciler = Reconciler::new(parts.reader(history));
    loop {
        let pause = match reconciler.pass().await {
            Ok(()) => {
                backoff.clear();
                parts.report.works(identity).await;
                parts.report.warned(parts.adapter.warning()).await;
                parts.report.reconciled().await;
                parts.jitter.spread(every, SPREAD)
            }
            Err(Halt::Store(error)) => return Stopped::Store(error),
            Err(Halt::Channel(error @ ChannelError::AuthExpired(_))) => return Stopped::AuthExpired(error),
            Err(Halt::Channel(error)) => {
                parts.report.degraded(error).await;
                backoff.pause()
            }
        };
        sleep(pause).await;
    }
}
