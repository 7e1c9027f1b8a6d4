//! Google counts quota units a minute for each user (<https://developers.google.com/workspace/gmail/api/reference/quota>): 6000
//! for projects made since May 2026, by the prices of that page. Older ones have 15,000 at lower prices. We spend no more than
//! the former, so that catching up after a night does not end in refusals.

use std::{fmt, num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use tokio::time::{Instant, sleep};

/// What may be spent at once: a hundred mails. With what comes back in a minute it makes 6000.
const AT_ONCE: NonZeroU32 = NonZeroU32::new(2400).expect("not zero");
/// What comes back in a second.
const PER_SECOND: NonZeroU32 = NonZeroU32::new(60).expect("not zero");

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
            limiter: RateLimiter::direct_with_clock(
                Quota::per_second(PER_SECOND).allow_burst(AT_ONCE),
                clock.clone(),
            ),
            clock,
        }
    }

    /// Waits until so many may be spent, and spends them.
    ///
    /// # Cancel safety
    /// Cancel safe: dropped while it waits, it has spent nothing.
    pub(super) async fn spend(&self, units: u32) {
        let units = NonZeroU32::new(units).unwrap_or(NonZeroU32::MIN).min(AT_ONCE);
        // A call never costs more than all that may be spent at once.
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
    async fn a_minute_holds_its_units_and_no_more() {
        let units = Units::new();
        let begun = Instant::now();
        for _ in 0..120 {
            units.spend(20).await;
        }
        assert_eq!(
            begun.elapsed(),
            Duration::ZERO,
            "a hundred mails and more at once"
        );
        let mut spent = 2400;
        while begun.elapsed() < Duration::from_secs(60) {
            units.spend(20).await;
            spent += 20;
        }
        assert!((5900..=6020).contains(&spent), "{spent}");
    }
}
