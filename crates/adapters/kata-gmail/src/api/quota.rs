//! Google counts quota units a second for each user (<https://developers.google.com/workspace/gmail/api/reference/quota>).
//! We spend no more than that, so that catching up after a night does not end in refusals.

use std::{fmt, num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use tokio::time::{Instant, sleep};

/// Units a second for one user.
const PER_SECOND: NonZeroU32 = NonZeroU32::new(250).expect("not zero");

/// The units of one mailbox.
pub(super) struct Units {
    limiter: RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>,
    clock: TokioClock,
}

/// governor's own clock cannot be paused in a test; tokio's can.
#[derive(Clone, Debug)]
struct TokioClock {
    origin: Instant,
}

// === impl Units ===

impl Units {
    pub(super) fn new() -> Self {
        let clock = TokioClock {
            origin: Instant::now(),
        };
        Self {
            limiter: RateLimiter::direct_with_clock(Quota::per_second(PER_SECOND), clock.clone()),
            clock,
        }
    }

    /// Waits until so many may be spent, and spends them.
    ///
    /// # Cancel safety
    /// Cancel safe: dropped while it waits, it has spent nothing.
    pub(super) async fn spend(&self, units: u32) {
        let units = NonZeroU32::new(units).unwrap_or(NonZeroU32::MIN).min(PER_SECOND);
        // A call never costs more than the whole second's.
        while let Ok(Err(not_yet)) = self.limiter.check_n(units) {
            sleep(not_yet.wait_time_from(self.clock.now())).await;
        }
    }
}

impl fmt::Debug for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Units").finish_non_exhaustive()
    }
}

// === impl TokioClock ===

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.origin.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_second_holds_its_units_and_no_more() {
        let units = Units::new();
        let begun = Instant::now();
        for _ in 0..50 {
            units.spend(5).await;
        }
        assert_eq!(begun.elapsed(), Duration::ZERO);
        units.spend(100).await;
        let waited = begun.elapsed();
        assert!(
            waited >= Duration::from_millis(390) && waited <= Duration::from_millis(450),
            "{waited:?}"
        );
    }
}
