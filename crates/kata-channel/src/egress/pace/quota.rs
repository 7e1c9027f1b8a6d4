//! The channel's own quota, over tokio's clock.

use std::{fmt, num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use tokio::time::Instant;

/// So many sends a second; as many may leave at once.
pub(super) struct SendQuota {
    limiter: RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>,
    clock: TokioClock,
}

/// governor's own clock cannot be paused in a test; tokio's can.
#[derive(Clone, Debug)]
struct TokioClock {
    origin: Instant,
}

// === impl SendQuota ===

impl SendQuota {
    /// None when `rate` is no usable number.
    pub(super) fn per_second(rate: f64) -> Option<Self> {
        let period = Duration::try_from_secs_f64(rate.recip())
            .ok()
            .filter(|_| rate > 0.0)?;
        // Rates beyond this one are no limit to anybody.
        let burst = if rate >= 1.0 { rate.min(1e6) as u32 } else { 1 };
        let quota = Quota::with_period(period)?.allow_burst(NonZeroU32::new(burst)?);
        let clock = TokioClock {
            origin: Instant::now(),
        };
        Some(Self {
            limiter: RateLimiter::direct_with_clock(quota, clock.clone()),
            clock,
        })
    }

    /// Takes a slot; if there is none, says when to ask again.
    pub(super) fn wait(&self) -> Option<Duration> {
        self.limiter
            .check()
            .err()
            .map(|not_until| not_until.wait_time_from(self.clock.now()))
    }
}

impl fmt::Debug for SendQuota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendQuota").finish_non_exhaustive()
    }
}

// === impl TokioClock ===

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.origin.elapsed()
    }
}
