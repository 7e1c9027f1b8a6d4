//! Pauses that grow with each failure, and the dice that keep many clients from knocking at once.

use std::time::Duration;

/// Where randomness comes from.
#[derive(Clone, Copy, Debug)]
pub struct Jitter(Dice);

#[derive(Clone, Copy, Debug)]
enum Dice {
    Random,
    Loaded(f64),
}

/// Pauses between tries: `min` doubled with each failure in a row, up to `max`, each spread by a share of itself.
///
/// ```
/// use std::time::Duration;
/// use kata_channel::drive::{Backoff, Jitter};
///
/// let mut backoff = Backoff::try_new(Duration::from_secs(1), Duration::from_secs(60), 0.2)?.with_jitter(Jitter::none());
/// assert_eq!(backoff.pause(), Duration::from_secs(1));
/// assert_eq!(backoff.pause(), Duration::from_secs(2));
/// backoff.clear();
/// assert_eq!(backoff.pause(), Duration::from_secs(1));
/// # Ok::<(), kata_channel::drive::InvalidBackoff>(())
/// ```
#[derive(Clone, Debug)]
pub struct Backoff {
    min: Duration,
    max: Duration,
    share: f64,
    jitter: Jitter,
    failures: u32,
}

/// Bounds that cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("a backoff needs 0 < min <= max and a jitter between 0 and 1, not {min:?}, {max:?} and {share}")]
pub struct InvalidBackoff {
    min: Duration,
    max: Duration,
    share: f64,
}

// === impl Jitter ===

impl Jitter {
    /// Real dice.
    #[must_use]
    pub const fn random() -> Self {
        Self(Dice::Random)
    }

    /// No jitter at all. For tests.
    #[must_use]
    pub const fn none() -> Self {
        Self(Dice::Loaded(0.0))
    }

    /// Always the same throw, from -1 (shortest) to 1 (longest). For tests.
    #[must_use]
    pub const fn loaded(throw: f64) -> Self {
        Self(Dice::Loaded(throw))
    }

    /// `base`, longer or shorter by up to `share` of itself.
    #[must_use]
    pub fn spread(self, base: Duration, share: f64) -> Duration {
        let throw = match self.0 {
            Dice::Random => rand::random_range(-1.0..=1.0),
            Dice::Loaded(throw) => throw.clamp(-1.0, 1.0),
        };
        Duration::try_from_secs_f64(base.as_secs_f64() * (1.0 + share * throw)).unwrap_or(base)
    }
}

// === impl Backoff ===

impl Backoff {
    /// Pauses from `min` to `max`, each spread by `share` (0.2 = ±20 %) of itself.
    ///
    /// # Errors
    /// [`InvalidBackoff`] for a `min` of zero or above `max`, or a share outside 0 to 1.
    pub fn try_new(min: Duration, max: Duration, share: f64) -> Result<Self, InvalidBackoff> {
        if min.is_zero() || min > max || !(0.0..=1.0).contains(&share) {
            return Err(InvalidBackoff { min, max, share });
        }
        Ok(Self {
            min,
            max,
            share,
            jitter: Jitter::random(),
            failures: 0,
        })
    }

    /// What the drivers wait between tries: 1 s doubled up to 60 s, ± 20 %.
    pub(super) fn of_driver(jitter: Jitter) -> Self {
        Self {
            min: Duration::from_secs(1),
            max: Duration::from_secs(60),
            share: 0.2,
            jitter,
            failures: 0,
        }
    }

    /// With other dice.
    #[must_use]
    pub fn with_jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// Counts a failure and says how long to wait before the next try.
    pub fn pause(&mut self) -> Duration {
        let factor = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_add(1);
        self.jitter
            .spread(self.min.saturating_mul(factor).min(self.max), self.share)
    }

    /// Something worked: the next failure is the first one again.
    pub fn clear(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pauses_stay_in_bounds(min_ms in 1_u64..10_000, more_ms in 0_u64..1_000_000, share in 0.0..=1.0, throw in -1.0..=1.0, failures in 1_usize..80) {
            let (min, max) = (Duration::from_millis(min_ms), Duration::from_millis(min_ms + more_ms));
            let mut even = Backoff::try_new(min, max, share).expect("valid bounds").with_jitter(Jitter::none());
            let mut spread = even.clone().with_jitter(Jitter::loaded(throw));
            let mut last = Duration::ZERO;
            for _ in 0..failures {
                let pause = even.pause();
                prop_assert!(pause >= min && pause <= max && pause >= last);
                let bound = pause.mul_f64(share) + Duration::from_micros(1);
                prop_assert!(spread.pause().abs_diff(pause) <= bound);
                last = pause;
            }
        }
    }

    #[test]
    fn random_dice_stay_within_their_share() {
        let base = Duration::from_secs(10);
        for _ in 0..1000 {
            assert!(Jitter::random().spread(base, 0.1).abs_diff(base) <= Duration::from_secs(1));
        }
    }

    #[test]
    fn bounds_that_cannot_be_kept_are_refused() {
        let second = Duration::from_secs(1);
        for (min, max, share) in [
            (Duration::ZERO, second, 0.1),
            (second * 2, second, 0.1),
            (second, second, 1.1),
        ] {
            assert!(
                Backoff::try_new(min, max, share).is_err(),
                "{min:?} {max:?} {share}"
            );
        }
    }
}
