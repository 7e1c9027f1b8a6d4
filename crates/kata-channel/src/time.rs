//! Wall time, time awake, and a clock that a test can hold in its hand.
//!
//! Schedules, cursors, approvals and ages count wall time; leases and deadlines count time awake (D16).

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

/// A wall-clock instant in Unix milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From Unix milliseconds.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Unix milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Time from `earlier` to `self`; zero when `earlier` is later (clocks step back).
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// `%Y-%m-%dT%H:%M:%fZ`, the form the 0.7 daemon stores.
    #[must_use]
    pub fn to_iso(self) -> String {
        let t = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        t.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_iso())
    }
}

trait Source: Send + Sync {
    fn wall(&self) -> Timestamp;
    fn awake(&self) -> Duration;
}

/// Where time comes from. Cloning gives another handle on the same clock.
#[derive(Clone)]
pub struct Clock(Arc<dyn Source>);

impl Clock {
    /// The machine's clocks.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(System {
            start: Instant::now(),
        }))
    }

    /// The wall clock. It may step either way, and leaps over sleep.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        self.0.wall()
    }

    /// Time since this clock was made, not counting the machine's sleep (on Windows it does count: promise 7).
    #[must_use]
    pub fn awake(&self) -> Duration {
        self.0.awake()
    }

    /// Sleeps until the wall clock reads `deadline`, re-reading it at least once a minute, so that a machine's
    /// sleep or a clock step cannot make it late by more.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping it forgets the wait and nothing else.
    pub async fn sleep_until(&self, deadline: Timestamp) {
        const SLICE: Duration = Duration::from_secs(60);
        loop {
            let left = deadline.since(self.wall());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(SLICE)).await;
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.wall()).finish()
    }
}

struct System {
    start: Instant,
}

impl Source for System {
    fn wall(&self) -> Timestamp {
        Timestamp(jiff::Timestamp::now().as_millisecond())
    }

    fn awake(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A clock that moves only when it is told to. For tests.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<(Timestamp, Duration)>>);

impl ManualClock {
    /// Stands at `wall` until it is moved.
    #[must_use]
    pub fn at(wall: Timestamp) -> Self {
        Self(Arc::new(Mutex::new((wall, Duration::ZERO))))
    }

    /// The machine is awake for this long.
    pub fn advance(&self, by: Duration) {
        let mut now = self.lock();
        now.0 = now.0 + by;
        now.1 += by;
    }

    /// The machine sleeps for this long: wall time passes, time awake does not.
    pub fn sleep(&self, by: Duration) {
        let mut now = self.lock();
        now.0 = now.0 + by;
    }

    /// Someone sets the wall clock.
    pub fn set_wall(&self, to: Timestamp) {
        self.lock().0 = to;
    }

    /// A [`Clock`] that reads this one.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Clock(Arc::new(self.clone()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (Timestamp, Duration)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for ManualClock {
    fn wall(&self) -> Timestamp {
        self.lock().0
    }

    fn awake(&self) -> Duration {
        self.lock().1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_times_have_the_form_that_the_older_daemon_reads() {
        assert_eq!(
            Timestamp::from_millis(1_700_000_000_007).to_iso(),
            "2023-11-14T22:13:20.007Z"
        );
    }

    #[test]
    fn sleep_moves_the_wall_clock_alone() {
        let manual = ManualClock::at(Timestamp::from_millis(1_000));
        let clock = manual.clock();
        manual.advance(Duration::from_secs(1));
        manual.sleep(Duration::from_secs(10));
        assert_eq!(clock.wall(), Timestamp::from_millis(12_000));
        assert_eq!(clock.awake(), Duration::from_secs(1));
    }

    #[test]
    fn a_clock_that_stepped_back_gives_zero_not_a_panic() {
        assert_eq!(
            Timestamp::from_millis(5).since(Timestamp::from_millis(9)),
            Duration::ZERO
        );
    }
}
