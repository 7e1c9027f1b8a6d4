//! The end: within five seconds of its first sign everything in flight is finished or given back uncounted, nothing
//! half-written (promise 12).

use std::{convert::Infallible, io, sync::Arc, thread, time::Duration};

use kata_ipc::{
    Command, Outgoing, Request,
    event::{Answer, DaemonStatus},
    stdio::{EventSender, Incoming},
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
    time::Instant,
};

use crate::{commands, daemon::Daemon, exit::Exit};

/// After the first sign the process ends itself, whatever hangs.
const WATCHDOG: Duration = Duration::from_millis(4500);
/// Agents that are idle end at once, and no other is waited for.
const AGENTS: Duration = Duration::from_millis(100);
/// Closing the store folds in its log and may take this long beyond the drain.
const CLOSE: Duration = Duration::from_millis(300);

/// What may end us beside a command.
#[derive(Debug)]
pub(crate) struct Ending {
    term: Signal,
    int: Signal,
    to_host: Option<EventSender>,
}

/// The first sign of an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// The host said so.
    Stop {
        /// Somebody waits for the answer.
        request_id: Option<String>,
    },
    /// SIGTERM or SIGINT.
    Signal,
    /// The end of stdin, or a closed stdout.
    HostGone,
    /// A loop ended that must not end.
    Broken,
}

// === impl Ending ===

impl Ending {
    /// Installs the handlers. Before any work, so that no signal kills us in the middle of some.
    pub(crate) fn listen(to_host: EventSender) -> io::Result<Self> {
        Ok(Self {
            to_host: Some(to_host),
            ..Self::signals()?
        })
    }

    /// Signals alone, for a daemon without a host.
    pub(crate) fn signals() -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            to_host: None,
        })
    }

    /// Waits for a sign.
    ///
    /// # Cancel safety
    /// Cancel safe: a signal that came is not forgotten.
    pub(crate) async fn sign(&mut self) -> Sign {
        let closed = async {
            match &self.to_host {
                Some(to_host) => to_host.closed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.term.recv() => Sign::Signal,
            _ = self.int.recv() => Sign::Signal,
            () = closed => Sign::HostGone,
        }
    }

    /// Waits for another signal.
    async fn again(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }

    /// Lets go of stdout, so that the writer can end.
    fn release(&mut self) {
        self.to_host = None;
    }
}

/// Ends the process if the drain does not.
pub(crate) fn arm_watchdog(exit: Exit) {
    let armed = thread::Builder::new().name("watchdog".into()).spawn(move || {
        thread::sleep(WATCHDOG);
        // Nothing is lost: what was not written down is found open at the next start.
        std::process::exit(i32::from(exit.code()));
    });
    if let Err(error) = armed {
        tracing::error!(%error, "no watchdog; the drain has to do without");
    }
}

/// Drains: sources are stopped, turns and sends may end, late answers are taken until the store closes. `late` takes what a
/// host still says, and does not end.
pub(crate) async fn drain(
    daemon: &Arc<Daemon>,
    sign: Sign,
    late: impl Future<Output = Infallible>,
    ending: &mut Ending,
) -> Exit {
    let exit = if sign == Sign::Broken {
        Exit::Bug
    } else {
        Exit::Done
    };
    arm_watchdog(exit);
    let deadline = Instant::now() + daemon.config.drain();
    tracing::info!(?sign, turns = daemon.open_turns.len(), "draining");
    daemon.events.status(DaemonStatus::Stopping, None, None).await;
    if let Sign::Stop { request_id: Some(id) } = &sign {
        daemon.events.result(id.clone(), Answer::done()).await;
    }
    daemon.stopping.cancel();
    daemon.turning.close();
    daemon.sending.close();
    if sign == Sign::HostGone
        && let Some(host) = &daemon.host
    {
        host.gone();
    }
    let in_flight = async {
        tokio::join!(
            daemon.turning.wait(),
            daemon.sending.wait(),
            daemon.channels.stop_all()
        );
    };
    tokio::select! {
        biased;
        () = in_flight => {}
        never = late => match never {},
        () = ending.again() => tracing::warn!("a second signal; leaving now"),
        () = tokio::time::sleep_until(deadline) => tracing::info!("the drain's time is over"),
    }
    ending.release();
    close(daemon).await;
    exit
}

/// D13: during the drain stdin is read on, and answers are committed.
pub(crate) async fn late_lines(daemon: &Arc<Daemon>, incoming: &mut mpsc::Receiver<Incoming>) -> Infallible {
    while let Some(line) = incoming.recv().await {
        match line {
            Incoming::Request(Request {
                command: Command::Stop,
                ..
            }) => {}
            Incoming::Request(
                request @ Request {
                    command: Command::MessageProcessed(_) | Command::HealthCheck,
                    ..
                },
            ) => {
                commands::carry_out(daemon, request).await;
            }
            Incoming::Request(Request { command, request_id }) => {
                daemon
                    .events
                    .protocol_error("the daemon is stopping", command.name(), request_id)
                    .await;
            }
            Incoming::Bad(bad) => daemon.events.send(Outgoing::from(bad)).await,
            Incoming::End => break,
        }
    }
    // Nobody can answer any more; what runs otherwise may still end.
    std::future::pending().await
}

/// What is still open is given back uncounted, and the store is closed.
async fn close(daemon: &Arc<Daemon>) {
    if let Some(host) = &daemon.host {
        host.release();
    }
    let closing = async {
        if let Err(error) = daemon.store.give_back_all().await {
            tracing::error!(%error, "open turns could not be given back; the next start counts them as tried");
        }
        // After that, since an agent that dies in an open turn counts as an attempt. What takes longer ends with us: the
        // guards see to that.
        let _ = tokio::time::timeout(AGENTS, daemon.agents.shut_down()).await;
        if let Err(error) = daemon.store.close().await {
            tracing::warn!(%error, "the store did not close cleanly; nothing is lost");
        }
    };
    if tokio::time::timeout(CLOSE, closing).await.is_err() {
        tracing::warn!("the store took too long to close; nothing is lost");
    }
}
