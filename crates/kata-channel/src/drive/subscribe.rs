//! Keeping a socket open, and reading history beside it.

use std::{future::pending, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use super::{
    backoff::Backoff,
    connect::connect,
    driver::{Parts, STABLE, sentence},
    flow::Flow,
    poll::{Stopped, keep_reading},
    report::Final,
    sink::{Pulse, Sink},
};
use crate::{
    adapter::{Identity, Push},
    error::ChannelError,
};

/// A socket over which no events flow by then is no socket.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// However often the platform asks for a new connection, it gets one a second.
const SHORTEST_LIFE: Duration = Duration::from_secs(1);

/// How a connection ended.
#[derive(Debug)]
struct End {
    cause: Cause,
    /// Events had flowed.
    was_ready: bool,
}

#[derive(Debug)]
enum Cause {
    /// The platform asked for a new one.
    Asked,
    Channel(ChannelError),
    /// The store takes nothing: the socket is closed meanwhile, and history brings the rest (D6).
    Store(ChannelError),
}

/// Runs a channel that pushes.
pub(super) async fn run(parts: &Parts, push: &dyn Push, identity: &Identity) -> Final {
    let mut reopening = Reopening {
        parts,
        backoff: Backoff::of_driver(parts.jitter),
        rechecked: false,
    };
    loop {
        let opened = Instant::now();
        let end = connection(parts, push, identity).await;
        match reopening.after(end, opened.elapsed()).await {
            Ok(pause) => parts.rest(pause).await,
            Err(last) => return last,
        }
    }
}

/// When the next connection is opened.
struct Reopening<'d> {
    parts: &'d Parts,
    backoff: Backoff,
    /// The platform still knew us when it was asked after the socket was refused.
    rechecked: bool,
}

impl Reopening<'_> {
    /// The pause after a connection that ended so, having lived so long.
    async fn after(&mut self, end: End, lived: Duration) -> Result<Duration, Final> {
        if lived >= STABLE {
            self.backoff.clear();
        }
        self.rechecked &= !end.was_ready;
        let report = &self.parts.report;
        match end.cause {
            Cause::Asked if end.was_ready => return Ok(SHORTEST_LIFE.saturating_sub(lived)),
            Cause::Asked => {
                let error = format!("{} closed the socket before it was ready", self.parts.platform());
                report.degraded(ChannelError::ConnectionLost(error)).await;
            }
            Cause::Channel(error @ ChannelError::AuthExpired(_)) => self.recheck(error).await?,
            Cause::Channel(error @ ChannelError::RateLimited { .. }) => {
                let asked_for = error.retry_after();
                report.limited(error).await;
                return Ok(asked_for.unwrap_or_else(|| self.backoff.pause()));
            }
            Cause::Channel(error) => report.degraded(error).await,
            Cause::Store(error) => self.parts.refused(error).await,
        }
        Ok(self.backoff.pause())
    }

    /// Asks the platform who we are. If it knows us and the socket is refused once more, the socket has a token of its
    /// own, and that one is bad.
    async fn recheck(&mut self, error: ChannelError) -> Result<(), Final> {
        if self.rechecked {
            return Err(Final::AuthExpired(error));
        }
        self.rechecked = true;
        connect(self.parts).await.map(drop)
    }
}

/// One connection, from opening it to its end. Dropping what is left of it closes the socket.
async fn connection(parts: &Parts, push: &dyn Push, identity: &Identity) -> End {
    let flow = Flow::new();
    let (sink, pulse) = Sink::new(flow.over(parts));
    let silence = parts.adapter.descriptor().silence;
    let platform = parts.platform();
    let lost = |why: String| Cause::Channel(ChannelError::ConnectionLost(why));
    let cause = tokio::select! {
        biased;
        ended = push.subscribe(sink) => ended.map_or_else(Cause::Channel, |()| Cause::Asked),
        error = flow.broken() => Cause::Store(error),
        () = never_ready(pulse.clone()) => {
            lost(format!("{platform}'s socket was not ready within {} s", READY_WITHIN.as_secs()))
        }
        () = silent(pulse.clone(), silence) => lost(format!("{platform}'s socket was silent for {} s", silence.as_secs())),
        stopped = read_beside(parts, identity, &flow, pulse.clone()) => match stopped {
            Stopped::AuthExpired(error) => Cause::Channel(error),
            Stopped::Store(error) => Cause::Store(sentence(&error)),
        },
    };
    // An adapter whose push failed ends with words of its own; the store's say what is wrong.
    let cause = flow.failure().map_or(cause, Cause::Store);
    End {
        cause,
        was_ready: pulse.borrow().ready,
    }
}

/// Once events flow: everything by history, and again every so often. Pushed rows flow meanwhile.
async fn read_beside(
    parts: &Parts,
    identity: &Identity,
    flow: &Flow,
    mut pulse: watch::Receiver<Pulse>,
) -> Stopped {
    if pulse.wait_for(|pulse| pulse.ready).await.is_err() {
        return pending().await;
    }
    flow.begin(&parts.report).await;
    parts.report.works(identity).await;
    match parts.adapter.history() {
        Some(history) => {
            keep_reading(
                parts,
                history,
                identity,
                parts.adapter.descriptor().reconcile_every,
            )
            .await
        }
        None => {
            parts.report.reconciled().await;
            pending().await
        }
    }
}

async fn never_ready(mut pulse: watch::Receiver<Pulse>) {
    let ready = timeout(READY_WITHIN, async {
        if pulse.wait_for(|pulse| pulse.ready).await.is_err() {
            pending::<()>().await;
        }
    });
    if ready.await.is_ok() {
        pending::<()>().await;
    }
}

async fn silent(mut pulse: watch::Receiver<Pulse>, deadline: Duration) {
    while timeout(deadline, pulse.changed())
        .await
        .is_ok_and(|beat| beat.is_ok())
    {}
}
