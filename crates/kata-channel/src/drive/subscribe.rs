//! Keeping a socket open, and reading history beside it.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};
use tower::{ServiceExt, service_fn};

use super::{
    backoff::Backoff,
    connect::connect,
    driver::{Parts, STABLE, sentence},
    poll::{Stopped, keep_reading},
    report::{Final, Report},
    sink::{Ingress, Pulse, Sink},
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
    let mut backoff = Backoff::of_driver(parts.jitter);
    // The platform knew us when it was asked after the last refusal of the socket.
    let mut rechecked = false;
    loop {
        let opened = Instant::now();
        let end = connection(parts, push, identity).await;
        if opened.elapsed() >= STABLE {
            backoff.clear();
        }
        rechecked &= !end.was_ready;
        let pause = match end.cause {
            Cause::Asked if end.was_ready => SHORTEST_LIFE.saturating_sub(opened.elapsed()),
            Cause::Asked => {
                let error = format!("{} closed the socket before it was ready", parts.platform());
                parts.report.degraded(ChannelError::ConnectionLost(error)).await;
                backoff.pause()
            }
            Cause::Channel(error @ ChannelError::AuthExpired(_)) => {
                // Known to the platform and still refused: the socket has a token of its own, and that one is bad.
                if rechecked {
                    return Final::AuthExpired(error);
                }
                rechecked = true;
                if let Err(last) = connect(parts).await {
                    return last;
                }
                backoff.pause()
            }
            Cause::Channel(error @ ChannelError::RateLimited { .. }) => {
                let pause = error.retry_after().unwrap_or_else(|| backoff.pause());
                parts.report.limited(error).await;
                pause
            }
            Cause::Channel(error) | Cause::Store(error) => {
                parts.report.degraded(error).await;
                backoff.pause()
            }
        };
        sleep(pause).await;
    }
}

/// One connection, from opening it to its end. Dropping what is left of it closes the socket.
async fn connection(parts: &Parts, push: &dyn Push, identity: &Identity) -> End {
    let flow = Flow::new();
    let (sink, pulse) = Sink::new(flow.watch(parts));
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

/// What flows through one connection.
#[derive(Clone)]
struct Flow {
    begun: Arc<AtomicBool>,
    failure: watch::Sender<Option<ChannelError>>,
}

impl Flow {
    fn new() -> Self {
        Self {
            begun: Arc::new(AtomicBool::new(false)),
            failure: watch::Sender::new(None),
        }
    }

    /// Lanes wait from the moment events flow: before the first one is stored, it could overtake what history brings (D3).
    async fn begin(&self, report: &Report) {
        if !self.begun.swap(true, Ordering::Relaxed) {
            report.hold().await;
        }
    }

    /// The ingress stack, as this connection's sink has it.
    fn watch(&self, parts: &Parts) -> Ingress {
        let (flow, report, ingress) = (self.clone(), parts.report.clone(), parts.ingress.clone());
        Ingress::new(service_fn(move |page| {
            let (flow, report, ingress) = (flow.clone(), report.clone(), ingress.clone());
            async move {
                flow.begin(&report).await;
                let answer = ingress.oneshot(page).await;
                if let Err(error) = &answer {
                    flow.failure.send_replace(Some(sentence(error)));
                }
                answer
            }
        }))
    }

    /// The first push that could not be stored.
    async fn broken(&self) -> ChannelError {
        let mut failure = self.failure.subscribe();
        loop {
            if let Some(error) = failure.borrow_and_update().clone() {
                return error;
            }
            // The sender is our own: it does not go away.
            let _ = failure.changed().await;
        }
    }

    fn failure(&self) -> Option<ChannelError> {
        self.failure.borrow().clone()
    }
}
