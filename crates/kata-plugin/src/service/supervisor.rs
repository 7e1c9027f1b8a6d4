//! Keeps one service running in one workspace: starts it again when it fails, and parks it when that does not help.

use std::{fmt, time::Duration};

use kata_channel::drive::Backoff;
use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
    time::{Instant, sleep, timeout},
};
use tracing::Instrument as _;

use super::{RegisteredService, ServiceContext, ServiceFactory, ServiceState, ServiceStatus};

/// When a service is started again, and when no more.
#[derive(Clone, Debug)]
pub struct Supervision {
    /// The pauses before it is started again.
    pub backoff: Backoff,
    /// So many failures in a row park it.
    pub failures: u32,
    /// Having run for this long clears the count.
    pub proven: Duration,
    /// It may take this long to stop.
    pub stop: Duration,
}

/// Keeps one service running in one workspace. It knows nothing of who spawned it, and says what it does by its
/// [`status`](Self::status).
pub struct Supervisor {
    service: RegisteredService,
    context: ServiceContext,
    supervision: Supervision,
    status: watch::Sender<ServiceStatus>,
}

/// Why a service runs no more.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "somebody has to be told of a parked service"]
pub enum ServiceEnd {
    /// It was stopped.
    Stopped,
    /// It failed too often in a row.
    Parked {
        /// Which one, and why, as a sentence for the person at the desk.
        reason: String,
    },
}

/// How one run ended that nobody stopped.
enum Failure {
    /// It returned, as if it were done.
    Returned,
    /// It said that it cannot go on.
    Failed(String),
    /// It broke down. The panic itself stands in the log, where the process's panic hook put it.
    Panicked,
}

// === impl Supervision ===

impl Default for Supervision {
    /// Pauses of 1 s doubled up to 60 s, ± 20 %; parked by 5 failures in a row; proven after 5 min; 2 s to stop.
    fn default() -> Self {
        let backoff = Backoff::try_new(Duration::from_secs(1), Duration::from_secs(60), 0.2);
        Self {
            backoff: backoff.expect("1 s is less than 60 s, and 0.2 is between 0 and 1"),
            failures: 5,
            proven: Duration::from_secs(5 * 60),
            stop: Duration::from_secs(2),
        }
    }
}

// === impl Supervisor ===

impl Supervisor {
    /// Will keep `service` running until `context.stop` is cancelled.
    #[must_use]
    pub fn new(service: RegisteredService, context: ServiceContext, supervision: Supervision) -> Self {
        Self {
            service,
            context,
            supervision,
            status: watch::Sender::new(ServiceStatus::new()),
        }
    }

    /// How the service stands, now and later.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<ServiceStatus> {
        self.status.subscribe()
    }

    /// Keeps the service running until it is stopped or parked. Within [`Supervision::stop`] of the stop it has ended, or is
    /// dropped at its next `await`.
    ///
    /// # Cancel safety
    /// Dropping it drops the service at its next `await`.
    pub async fn run(self) -> ServiceEnd {
        let span = self.context.span();
        self.keep_running().instrument(span).await
    }

    async fn keep_running(mut self) -> ServiceEnd {
        let stop = self.context.stop.clone();
        while !stop.is_cancelled() {
            let started = Instant::now();
            let Some(failure) = self.run_once().await else {
                break;
            };
            if let Some(reason) = self.failed(&failure, started.elapsed()) {
                return ServiceEnd::Parked { reason };
            }
            let pause = self.supervision.backoff.pause();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = sleep(pause) => {}
            }
        }
        self.rest(ServiceState::Stopped);
        ServiceEnd::Stopped
    }

    /// One run, on a task of its own: a service that panics or blocks its thread is not the supervisor's end. None = it was
    /// stopped.
    async fn run_once(&self) -> Option<Failure> {
        let mut context = self.context.clone();
        context.stop = context.stop.child_token();
        // What a run spawned is stopped with it, before the next run begins.
        let _with_it = context.stop.clone().drop_guard();
        let (make, status) = (self.service.spec.make.clone(), self.status.clone());
        let mut task = JoinSet::new();
        task.spawn(one_run(make, context, status).in_current_span());
        tokio::select! {
            biased;
            () = self.context.stop.cancelled() => {
                self.wait_for_end(&mut task).await;
                None
            }
            ended = task.join_next() => Some(Failure::of(ended)),
        }
    }

    async fn wait_for_end(&self, task: &mut JoinSet<Result<(), String>>) {
        let limit = self.supervision.stop;
        if timeout(limit, task.join_next()).await.is_err() {
            tracing::warn!(
                service = self.service.spec.name,
                "a service did not stop within {limit:?}; it is dropped"
            );
        }
    }

    /// Counts a failure. Says why the service is parked, if it is.
    fn failed(&mut self, failure: &Failure, uptime: Duration) -> Option<String> {
        if uptime >= self.supervision.proven {
            self.supervision.backoff.clear();
            self.status.send_modify(|status| status.failures = 0);
        }
        let (name, why) = (self.service.spec.name, failure.sentence());
        tracing::warn!(service = name, error = why, "a service ended");
        self.status.send_modify(|status| {
            status.failures += 1;
            status.panics += u32::from(matches!(failure, Failure::Panicked));
            status.error = Some(why.to_owned());
        });
        let failures = self.status.borrow().failures;
        if failures < self.supervision.failures {
            self.rest(ServiceState::BackingOff);
            return None;
        }
        self.rest(ServiceState::Parked);
        let (plugin, workspace) = (self.service.plugin, &self.context.workspace);
        Some(format!(
            "the service {name} of {plugin} is parked in workspace {workspace:?}: it failed {failures} times in a row, the \
             last time with: {why}"
        ))
    }

    fn rest(&self, state: ServiceState) {
        self.status.send_modify(|status| status.rests(state));
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor")
            .field("service", &self.service)
            .field("workspace", &self.context.workspace)
            .field("status", &*self.status.borrow())
            .finish_non_exhaustive()
    }
}

async fn one_run(
    make: ServiceFactory,
    context: ServiceContext,
    status: watch::Sender<ServiceStatus>,
) -> Result<(), String> {
    let service = make();
    let running = service.clone();
    status.send_modify(|status| status.runs(running));
    service.run(context).await
}

// === impl Failure ===

impl Failure {
    fn of(ended: Option<Result<Result<(), String>, JoinError>>) -> Self {
        match ended {
            Some(Ok(Err(why))) => Self::Failed(why),
            Some(Err(_)) => Self::Panicked,
            Some(Ok(Ok(()))) | None => Self::Returned,
        }
    }

    fn sentence(&self) -> &str {
        match self {
            Self::Returned => "it ended although nobody stopped it",
            Self::Failed(why) => why,
            Self::Panicked => "it broke down inside the daemon",
        }
    }
}
