//! Agents that are kept between turns: one a session, and one task that holds it.

use std::{
    collections::HashMap,
    fmt,
    future::pending,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    select,
    sync::{Notify, mpsc, oneshot},
    time::{Instant, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{AcpSettings, connection::Launch, session::Session};
use crate::{AgentError, Reply, Turn};

/// So many turns may wait for one agent. A lane has one turn at a time: what waits is the next one, while the one before is
/// being cancelled.
const WAITING: usize = 4;

/// The end of the daemon waits this long.
const SHUT_DOWN: Duration = Duration::from_secs(2);

/// Of which session an agent is: workspace and session key.
type Key = (String, String);

/// All seats.
pub(super) struct Pool {
    seats: Mutex<HashMap<Key, Seat>>,
    max_warm: usize,
    tasks: TaskTracker,
    launch: Launch,
    stop: CancellationToken,
    left: Notify,
}

/// A turn for an agent.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) turn: Turn,
    pub(super) settings: Arc<AcpSettings>,
    pub(super) reply: oneshot::Sender<Result<Reply, AgentError>>,
    /// Nobody waits for the reply any more.
    pub(super) dropped: CancellationToken,
}

/// Where a session's agent sits, as long as there is one. A task holds it.
#[derive(Debug)]
struct Seat {
    jobs: mpsc::Sender<Job>,
    idle_since: Option<Instant>,
    rise: Arc<Notify>,
}

// === impl Pool ===

impl Pool {
    pub(super) fn new(max_warm: usize, tasks: TaskTracker, launch: Launch) -> Self {
        Self {
            seats: Mutex::default(),
            max_warm,
            tasks,
            launch,
            stop: CancellationToken::new(),
            left: Notify::new(),
        }
    }

    /// Gives a turn to its session's agent.
    pub(super) fn give(self: &Arc<Self>, job: Job) -> Result<(), AgentError> {
        if self.stop.is_cancelled() {
            return Err(shutting_down());
        }
        let key = (job.turn.workspace.clone(), job.turn.session_key.clone());
        let mut seats = self.seats();
        let seat = seats.entry(key.clone()).or_insert_with(|| self.seat(key.clone()));
        if seat.jobs.is_closed() {
            // The task that held it panicked: the agent went with it.
            *seat = self.seat(key);
        }
        seat.idle_since = None;
        seat.jobs
            .try_send(job)
            .map_err(|_| AgentError::Busy("the agent is at work for this session already".into()))
    }

    /// Stops all agents, and waits for that for 2 s.
    pub(super) async fn shut_down(&self) {
        self.stop.cancel();
        let _ = timeout(SHUT_DOWN, self.emptied()).await;
    }

    /// Returns once no agent runs.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub(super) async fn emptied(&self) {
        loop {
            // Listened for first, so that nobody leaves unnoticed between the look and the wait.
            let mut left = pin!(self.left.notified());
            left.as_mut().enable();
            if self.seats().is_empty() {
                return;
            }
            left.await;
        }
    }

    fn seat(self: &Arc<Self>, key: Key) -> Seat {
        let (jobs, waiting) = mpsc::channel(WAITING);
        let rise = Arc::new(Notify::new());
        self.tasks
            .spawn(Arc::clone(self).sit(key, waiting, Arc::clone(&rise)));
        Seat {
            jobs,
            idle_since: None,
            rise,
        }
    }

    /// Holds one session's agent, from its first turn until it is stopped.
    async fn sit(self: Arc<Self>, key: Key, mut jobs: mpsc::Receiver<Job>, rise: Arc<Notify>) {
        let mut warm: Option<Session> = None;
        loop {
            let job = select! {
                biased;
                () = self.stop.cancelled() => None,
                job = jobs.recv() => job,
                () = rise.notified() => None,
                () = over(warm.as_ref()) => None,
            };
            warm = match job {
                Some(job) => self.run(job, warm).await,
                None => {
                    end(warm).await;
                    None
                }
            };
            if warm.is_some() {
                self.rest(&key);
            } else if self.leave(&key, &mut jobs) {
                return;
            }
        }
    }

    /// Runs one turn, and answers the agent if it may have another one.
    async fn run(&self, job: Job, warm: Option<Session>) -> Option<Session> {
        if job.dropped.is_cancelled() {
            return warm;
        }
        let mut session = match warm {
            Some(warm) if warm.serves(&job.settings) && !warm.is_gone() => warm,
            other => {
                end(other).await;
                let starting = Session::start(job.settings, &job.turn, &self.launch, &self.tasks);
                let started = select! {
                    biased;
                    () = self.stop.cancelled() => Err(shutting_down()),
                    () = job.dropped.cancelled() => Err(AgentError::Cancelled),
                    started = starting => started,
                };
                match started {
                    Ok(session) => session,
                    Err(error) => {
                        // Whoever dropped the turn hears no reply.
                        let _ = job.reply.send(Err(error));
                        return None;
                    }
                }
            }
        };
        let outcome = session.prompt(job.turn, &job.dropped, &self.stop).await;
        // Before the agent is ended, which may take 2 s.
        let _ = job.reply.send(outcome.reply);
        if outcome.is_fit {
            return Some(session);
        }
        session.end().await;
        None
    }

    /// This agent has no turn. If too many have none, the one that had none for longest is stopped.
    fn rest(&self, key: &Key) {
        let mut seats = self.seats();
        if let Some(seat) = seats.get_mut(key) {
            seat.idle_since.get_or_insert_with(Instant::now);
        }
        let idle = seats.values().filter(|seat| seat.idle_since.is_some());
        if idle.count() <= self.max_warm {
            return;
        }
        let longest = seats.values_mut().filter(|seat| seat.idle_since.is_some());
        if let Some(seat) = longest.min_by_key(|seat| seat.idle_since) {
            // It counts no more, even if it takes a while.
            seat.idle_since = None;
            seat.rise.notify_one();
        }
    }

    /// Gives the seat up, unless a turn came for it: turns are given under the same lock.
    fn leave(&self, key: &Key, jobs: &mut mpsc::Receiver<Job>) -> bool {
        let mut seats = self.seats();
        if self.stop.is_cancelled() {
            while let Ok(job) = jobs.try_recv() {
                let _ = job.reply.send(Err(shutting_down()));
            }
        }
        let is_wanted = !jobs.is_empty();
        if !is_wanted {
            seats.remove(key);
            self.left.notify_waiters();
        }
        !is_wanted
    }

    fn seats(&self) -> MutexGuard<'_, HashMap<Key, Seat>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("seats", &self.seats().len())
            .field("max_warm", &self.max_warm)
            .finish_non_exhaustive()
    }
}

/// Returns once a resting agent is not to be kept: it rested for too long, or is gone.
async fn over(warm: Option<&Session>) {
    match warm {
        Some(session) => select! {
            () = sleep(session.idle()) => {}
            () = session.gone() => {}
        },
        None => pending().await,
    }
}

async fn end(session: Option<Session>) {
    if let Some(session) = session {
        session.end().await;
    }
}

fn shutting_down() -> AgentError {
    AgentError::Unavailable("the daemon is shutting down".into())
}
