//! Services that fail, panic, hang and come back, on a clock that leaps.

use std::{
    future,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use kata_channel::drive::{Backoff, Jitter};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::*;
use crate::state::MemoryState;

/// What one run of a service does.
#[derive(Clone, Copy, Debug)]
enum Does {
    Return,
    Fail,
    Panic,
    /// Fails after a while.
    FailAfter(Duration),
    /// Waits to be stopped, and stops.
    Wait,
    /// Hears nothing.
    Hang,
}

/// Does one thing after the other, one a run; the last one again and again.
struct Script {
    does: Vec<Does>,
    runs: AtomicU32,
    /// When each run began, from the start of the test.
    began: Mutex<Vec<Duration>>,
    start: Instant,
    /// The token that each run was given.
    stops: Mutex<Vec<CancellationToken>>,
}

/// One run of a [`Script`].
struct Run(Arc<Script>, Does);

#[async_trait]
impl Service for Run {
    async fn run(&self, context: ServiceContext) -> Result<(), String> {
        self.0.began.lock().unwrap().push(self.0.start.elapsed());
        self.0.stops.lock().unwrap().push(context.stop.clone());
        match self.1 {
            Does::Return => return Ok(()),
            Does::Fail => {}
            Does::Panic => panic!("in a service"),
            Does::FailAfter(uptime) => sleep(uptime).await,
            Does::Wait => {
                context.stop.cancelled().await;
                return Ok(());
            }
            Does::Hang => future::pending().await,
        }
        Err("no connection".into())
    }

    fn health(&self) -> Health {
        match self.1 {
            Does::Hang => panic!("asked of one that hangs"),
            _ => Health::Unhealthy {
                reason: "the platform is slow".into(),
            },
        }
    }
}

/// A service under supervision.
struct Rig {
    script: Arc<Script>,
    stop: CancellationToken,
    status: watch::Receiver<ServiceStatus>,
    end: JoinHandle<ServiceEnd>,
}

impl Rig {
    fn start(does: &[Does]) -> Self {
        let script = script(does);
        let stop = CancellationToken::new();
        let supervisor = Supervisor::new(service(&script), context(&stop), supervision());
        let status = supervisor.status();
        assert_eq!(status.borrow().state, ServiceState::Starting);
        #[expect(clippy::disallowed_methods, reason = "a test's runtime ends with the test")]
        let end = tokio::spawn(supervisor.run());
        Self {
            script,
            stop,
            status,
            end,
        }
    }

    async fn until(&mut self, state: ServiceState) -> ServiceStatus {
        let status = self.status.wait_for(|status| status.state == state).await;
        status.unwrap().clone()
    }

    async fn until_run(&mut self, n: usize) {
        let began = || self.script.began.lock().unwrap().len();
        while began() < n {
            self.status.changed().await.unwrap();
        }
    }

    fn began(&self) -> Vec<u64> {
        let began = self.script.began.lock().unwrap();
        began.iter().map(Duration::as_secs).collect()
    }
}

fn script(does: &[Does]) -> Arc<Script> {
    Arc::new(Script {
        does: does.to_vec(),
        runs: AtomicU32::new(0),
        began: Mutex::default(),
        start: Instant::now(),
        stops: Mutex::default(),
    })
}

fn service(script: &Arc<Script>) -> RegisteredService {
    let script = Arc::clone(script);
    let make = move || {
        let run = script.runs.fetch_add(1, Ordering::Relaxed) as usize;
        let does = script.does[run.min(script.does.len() - 1)];
        Arc::new(Run(Arc::clone(&script), does)) as Arc<dyn Service>
    };
    RegisteredService {
        plugin: "kata-irc",
        spec: ServiceSpec {
            name: "irc_presence",
            make: Arc::new(make),
        },
    }
}

fn context(stop: &CancellationToken) -> ServiceContext {
    let state = MemoryState::new().of("kata-irc", "w1");
    ServiceContext::new(state, stop.clone(), Clock::system(), TaskTracker::new())
}

/// As by default, with pauses that can be told beforehand.
fn supervision() -> Supervision {
    let backoff = Backoff::try_new(Duration::from_secs(1), Duration::from_secs(60), 0.2).unwrap();
    Supervision {
        backoff: backoff.with_jitter(Jitter::none()),
        ..Supervision::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_again_and_again_is_started_after_longer_pauses_and_parked() {
    let mut rig = Rig::start(&[Does::Fail]);
    let backing_off = rig.until(ServiceState::BackingOff).await;
    assert_eq!((backing_off.failures, backing_off.panics), (1, 0));
    assert_eq!(backing_off.error.as_deref(), Some("no connection"));
    let parked = rig.until(ServiceState::Parked).await;
    assert_eq!((parked.failures, parked.panics), (5, 0));
    assert_eq!(rig.began(), [0, 1, 3, 7, 15]);
    let ServiceEnd::Parked { reason } = rig.end.await.unwrap() else {
        panic!("it was not stopped");
    };
    assert_eq!(
        reason,
        "the service irc_presence of kata-irc is parked in workspace \"w1\": it failed 5 times in a row, the last time with: \
         no connection"
    );
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_caught_and_counted() {
    let mut rig = Rig::start(&[Does::Panic, Does::Fail, Does::Panic, Does::Wait]);
    rig.until_run(4).await;
    let running = rig.until(ServiceState::Running).await;
    assert_eq!((running.failures, running.panics), (3, 2));
    rig.stop.cancel();
    assert_eq!(rig.end.await.unwrap(), ServiceEnd::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_factory_that_panics_is_a_failed_start() {
    let make = || -> Arc<dyn Service> { panic!("in a factory") };
    let service = RegisteredService {
        plugin: "kata-irc",
        spec: ServiceSpec {
            name: "irc_presence",
            make: Arc::new(make),
        },
    };
    let supervisor = Supervisor::new(service, context(&CancellationToken::new()), supervision());
    let status = supervisor.status();
    assert!(matches!(supervisor.run().await, ServiceEnd::Parked { .. }));
    assert_eq!(status.borrow().panics, 5);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_returns_unasked_has_failed() {
    let mut rig = Rig::start(&[Does::Return]);
    let parked = rig.until(ServiceState::Parked).await;
    assert_eq!(
        parked.error.as_deref(),
        Some("it ended although nobody stopped it")
    );
}

#[tokio::test(start_paused = true)]
async fn having_run_for_long_clears_the_count_and_the_pause() {
    let long = Does::FailAfter(Duration::from_secs(5 * 60));
    let almost = Does::FailAfter(Duration::from_secs(5 * 60 - 1));
    let does = [Does::Fail, Does::Fail, almost, long, Does::Fail, Does::Wait];
    let mut rig = Rig::start(&does);
    rig.until_run(6).await;
    // 0, then pauses of 1, 2 and 4 s; the fourth run clears both, and the pauses are 1 and 2 s again.
    assert_eq!(rig.began(), [0, 1, 3, 306, 607, 609]);
    assert_eq!(rig.until(ServiceState::Running).await.failures, 2);
}

#[tokio::test(start_paused = true)]
async fn a_service_is_asked_to_stop_and_is_given_its_time() {
    let mut rig = Rig::start(&[Does::Wait]);
    rig.until_run(1).await;
    rig.stop.cancel();
    let before = Instant::now();
    assert_eq!(rig.end.await.unwrap(), ServiceEnd::Stopped);
    assert_eq!(before.elapsed(), Duration::ZERO);
    assert_eq!(rig.status.borrow().state, ServiceState::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_does_not_stop_is_dropped_after_two_seconds() {
    let mut rig = Rig::start(&[Does::Hang]);
    rig.until_run(1).await;
    rig.stop.cancel();
    let before = Instant::now();
    assert_eq!(rig.end.await.unwrap(), ServiceEnd::Stopped);
    assert_eq!(before.elapsed().as_secs(), 2);
    assert_eq!(Arc::strong_count(&rig.script), 1, "nothing of it is left");
}

#[tokio::test(start_paused = true)]
async fn a_pause_ends_with_the_stop() {
    let mut rig = Rig::start(&[Does::Fail]);
    rig.until(ServiceState::BackingOff).await;
    rig.stop.cancel();
    let before = Instant::now();
    assert_eq!(rig.began(), [0]);
    assert_eq!(rig.end.await.unwrap(), ServiceEnd::Stopped);
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn what_is_stopped_before_it_starts_never_runs() {
    let script = script(&[Does::Wait]);
    let stop = CancellationToken::new();
    stop.cancel();
    let supervisor = Supervisor::new(service(&script), context(&stop), supervision());
    assert_eq!(supervisor.run().await, ServiceEnd::Stopped);
    assert_eq!(script.runs.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn what_a_run_spawned_is_stopped_with_it() {
    let mut rig = Rig::start(&[Does::Fail, Does::Wait]);
    rig.until_run(2).await;
    let stops = rig.script.stops.lock().unwrap().clone();
    let cancelled: Vec<_> = stops.iter().map(CancellationToken::is_cancelled).collect();
    assert_eq!(cancelled, [true, false]);
}

#[tokio::test(start_paused = true)]
async fn a_service_cannot_stop_its_supervisor() {
    let mut rig = Rig::start(&[Does::Wait]);
    rig.until_run(1).await;
    rig.script.stops.lock().unwrap()[0].cancel();
    let backing_off = rig.until(ServiceState::BackingOff).await;
    assert_eq!(
        backing_off.error.as_deref(),
        Some("it ended although nobody stopped it")
    );
    rig.until_run(2).await;
}

#[tokio::test(start_paused = true)]
async fn health_is_what_a_running_service_says_of_itself() {
    let mut rig = Rig::start(&[Does::Fail, Does::Wait]);
    let unhealthy = |reason: &str| Health::Unhealthy {
        reason: reason.into(),
    };
    let backing_off = rig.until(ServiceState::BackingOff).await;
    assert_eq!(backing_off.health(), unhealthy("no connection"));
    let running = rig.until(ServiceState::Running).await;
    assert_eq!(running.health(), unhealthy("the platform is slow"));
    rig.stop.cancel();
    assert_eq!(rig.until(ServiceState::Stopped).await.health(), Health::Healthy);
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_health_does_not_pay_for_a_panic() {
    let mut rig = Rig::start(&[Does::Hang]);
    let running = rig.until(ServiceState::Running).await;
    assert!(matches!(running.health(), Health::Unhealthy { .. }));
}
