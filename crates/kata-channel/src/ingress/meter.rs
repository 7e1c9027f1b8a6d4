//! A rate meter that hands out reservations instead of refusals.

use std::{
    fmt,
    hash::Hash,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use governor::{
    Quota, RateLimiter, clock::Clock, middleware::NoOpMiddleware, nanos::Nanos,
    state::keyed::HashMapStateStore,
};

use crate::time::Timestamp;

/// After so many reservations, keys that are as good as new are forgotten.
const SWEEP_EVERY: u32 = 1024;

/// Turns a minute for each key. Only ever touched under its owner's lock: a reservation moves the meter's clock.
pub(super) struct Meter<K: Eq + Hash + Clone> {
    limiter: RateLimiter<K, HashMapStateStore<K>, HeldClock, NoOpMiddleware<Nanos>>,
    clock: HeldClock,
    until_sweep: u32,
}

/// A clock that stands where it was put.
#[derive(Clone, Debug)]
struct HeldClock(Arc<AtomicU64>);

impl<K: Eq + Hash + Clone> Meter<K> {
    /// A meter that starts full: `per_minute` turns at once, then one each time a minute's share has passed.
    pub(super) fn new(per_minute: NonZeroU32, now: Timestamp) -> Self {
        let clock = HeldClock(Arc::new(AtomicU64::new(nanos(now))));
        let limiter = RateLimiter::new(
            Quota::per_minute(per_minute),
            HashMapStateStore::default(),
            clock.clone(),
        );
        Self {
            limiter,
            clock,
            until_sweep: SWEEP_EVERY,
        }
    }

    /// Takes the next free slot of `key` at or after `now`, and says when it is.
    pub(super) fn reserve(&mut self, key: &K, now: Timestamp) -> Timestamp {
        self.clock.put(nanos(now));
        self.sweep();
        let Err(refused) = self.limiter.check_key(key) else {
            return now;
        };
        // The limiter only says when there would be room. Asked again at that time it takes the slot.
        let earliest = refused.earliest_possible().as_u64();
        self.clock.put(earliest);
        let taken = self.limiter.check_key(key);
        debug_assert!(taken.is_ok(), "a slot is free at the time the limiter named");
        // A slot in mid-millisecond begins with the next one.
        Timestamp::from_millis(i64::try_from(earliest.div_ceil(1_000_000)).unwrap_or(i64::MAX))
    }

    fn sweep(&mut self) {
        self.until_sweep -= 1;
        if self.until_sweep == 0 {
            self.until_sweep = SWEEP_EVERY;
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
    }

    #[cfg(test)]
    fn keys(&self) -> usize {
        self.limiter.len()
    }
}

impl<K: Eq + Hash + Clone> fmt::Debug for Meter<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter").finish_non_exhaustive()
    }
}

impl HeldClock {
    fn put(&self, at: u64) {
        self.0.store(at, Ordering::Relaxed);
    }
}

impl Clock for HeldClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(self.0.load(Ordering::Relaxed))
    }
}

fn nanos(at: Timestamp) -> u64 {
    u64::try_from(at.as_millis())
        .unwrap_or(0)
        .saturating_mul(1_000_000)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn meter(per_minute: u32) -> Meter<u32> {
        Meter::new(NonZeroU32::new(per_minute).expect("not zero"), START)
    }

    proptest! {
        /// The n-th of a burst waits max(0, n - burst) periods, and each key waits for itself alone.
        #[test]
        fn a_burst_is_spread_evenly(per_minute in 1_u32..60, count in 1_u32..120) {
            let mut meter = meter(per_minute);
            for n in 1..=count {
                let wait = meter.reserve(&1, START).since(START);
                let expect = Duration::from_secs(60) / per_minute * n.saturating_sub(per_minute);
                prop_assert!(wait.abs_diff(expect) <= Duration::from_millis(1), "{n}: {wait:?}, not {expect:?}");
            }
            prop_assert_eq!(meter.reserve(&2, START), START);
        }

        /// Whatever the arrivals, no slot is given before it is asked for, and no minute holds more than twice the rate
        /// (a full meter and what flows in meanwhile).
        #[test]
        fn no_minute_is_overfilled(per_minute in 1_u32..20, gaps in prop::collection::vec(0_u64..30_000, 1..100)) {
            let mut meter = meter(per_minute);
            let mut now = START;
            let mut slots = Vec::new();
            for gap in gaps {
                now = now + Duration::from_millis(gap);
                let slot = meter.reserve(&1, now);
                prop_assert!(slot >= now);
                slots.push(slot);
            }
            for (i, first) in slots.iter().enumerate() {
                let end = *first + Duration::from_secs(60);
                let held = slots[i..].iter().take_while(|slot| **slot < end).count();
                prop_assert!(held <= 2 * per_minute as usize, "{held} in a minute");
            }
        }
    }

    #[test]
    fn senders_of_long_ago_are_forgotten() {
        let mut meter = meter(1);
        for key in 0..SWEEP_EVERY * 3 {
            meter.reserve(&key, START + Duration::from_secs(u64::from(key) * 60));
        }
        assert!(meter.keys() <= SWEEP_EVERY as usize + 2, "{} keys", meter.keys());
    }
}
