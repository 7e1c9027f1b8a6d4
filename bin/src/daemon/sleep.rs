//! Notices that the machine slept (promise 7), and starts the one ordered reaction to it.
//!
//! A jump between wall and monotonic clock is the sign. Where the monotonic clock runs on in sleep (Windows, a
//! stopped process), a tick much later than due is; a false alarm costs a reconcile.

use std::{sync::Arc, time::Duration};

use kata_channel::{Clock, Timestamp};
use tokio_util::sync::CancellationToken;

use super::Daemon;

/// How often the clocks are compared.
const TICK: Duration = Duration::from_secs(5);
/// Clocks drift and are slewed by less than this in one tick.
const JUMP: Duration = Duration::from_secs(5);
/// A tick this late was not made late by a busy machine.
const LATE: Duration = Duration::from_secs(30);

/// Runs until `stop`.
pub(super) async fn watch(daemon: Arc<Daemon>, stop: CancellationToken) {
    let mut detector = Detector::new(daemon.clock.clone());
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = tokio::time::sleep(TICK) => {}
        }
        if let Some(slept) = detector.look() {
            tracing::info!(
                seconds = slept.as_secs(),
                "the machine slept, or its clock was set; catching up"
            );
            daemon.thaw();
        }
    }
}

/// Compares what the two clocks say has passed since the last look.
#[derive(Debug)]
struct Detector {
    clock: Clock,
    wall: Timestamp,
    awake: Duration,
}

// === impl Detector ===

impl Detector {
    fn new(clock: Clock) -> Self {
        Self {
            wall: clock.wall(),
            awake: clock.awake(),
            clock,
        }
    }

    /// How long we were away, if we were.
    fn look(&mut self) -> Option<Duration> {
        let (wall, awake) = (self.clock.wall(), self.clock.awake());
        let wall_passed = wall.as_millis() - self.wall.as_millis();
        let awake_passed = awake.saturating_sub(self.awake);
        (self.wall, self.awake) = (wall, awake);
        let apart = Duration::from_millis(
            wall_passed.abs_diff(i64::try_from(awake_passed.as_millis()).unwrap_or(i64::MAX)),
        );
        if apart >= JUMP {
            return Some(apart);
        }
        let late = awake_passed.saturating_sub(TICK);
        (late >= LATE).then_some(late)
    }
}

#[cfg(test)]
mod tests {
    use kata_channel::ManualClock;

    use super::*;

    fn detector() -> (ManualClock, Detector) {
        let manual = ManualClock::at(Timestamp::from_millis(1_700_000_000_000));
        let detector = Detector::new(manual.clock());
        (manual, detector)
    }

    #[test]
    fn a_night_asleep_is_noticed_once() {
        let (manual, mut detector) = detector();
        manual.advance(TICK);
        assert_eq!(detector.look(), None);
        manual.sleep(Duration::from_secs(8 * 3600));
        manual.advance(TICK);
        assert_eq!(detector.look(), Some(Duration::from_secs(8 * 3600)));
        manual.advance(TICK);
        assert_eq!(detector.look(), None);
    }

    #[test]
    fn a_clock_set_back_is_noticed() {
        let (manual, mut detector) = detector();
        manual.set_wall(Timestamp::from_millis(1_600_000_000_000));
        assert!(detector.look().is_some());
    }

    #[test]
    fn a_stopped_process_is_noticed_by_its_late_tick() {
        let (manual, mut detector) = detector();
        manual.advance(TICK + LATE);
        assert_eq!(detector.look(), Some(LATE));
    }

    #[test]
    fn a_busy_machine_is_not_a_night_asleep() {
        let (manual, mut detector) = detector();
        manual.advance(TICK + Duration::from_secs(10));
        assert_eq!(detector.look(), None);
    }
}
