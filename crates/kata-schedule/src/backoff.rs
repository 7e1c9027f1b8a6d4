//! How long a task that fails is left alone.

use std::time::Duration;

/// The pauses after failures in a row: twice as long each time, up to a longest one, and then no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The pause after the first failure.
    pub first: Duration,
    /// No pause is longer.
    pub longest: Duration,
    /// With so many failures in a row a task is parked.
    pub park_after: u32,
}

/// What follows a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The task may run again after this pause.
    After(Duration),
    /// Nothing, until a person looks at it.
    Parked,
}

// === impl Backoff ===

impl Backoff {
    /// What follows so many failures in a row. After none there is no pause.
    #[must_use]
    pub fn after(&self, failures: u32) -> Retry {
        if failures >= self.park_after {
            return Retry::Parked;
        }
        let Some(doublings) = failures.checked_sub(1) else {
            return Retry::After(Duration::ZERO);
        };
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        Retry::After(self.first.saturating_mul(factor).min(self.longest))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BACKOFF: Backoff = Backoff {
        first: Duration::from_secs(60),
        longest: Duration::from_secs(3600),
        park_after: 10,
    };

    #[test]
    fn pauses_double_up_to_the_longest_and_end_with_parking() {
        let minutes = |failures| match BACKOFF.after(failures) {
            Retry::After(pause) => Some(pause.as_secs() / 60),
            Retry::Parked => None,
        };
        let all: Vec<_> = (0..12).map(minutes).collect();
        let some = [0, 1, 2, 4, 8, 16, 32, 60, 60, 60].map(Some);
        assert_eq!(all[..10], some);
        assert_eq!(all[10..], [None, None]);
    }

    proptest! {
        #[test]
        fn a_pause_is_never_shorter_than_the_one_before(failures in 0..1000_u32, first in 0..u64::MAX, longest in 0..u64::MAX) {
            let backoff = Backoff {
                first: Duration::from_millis(first),
                longest: Duration::from_millis(longest),
                park_after: u32::MAX,
            };
            let pause = |failures| match backoff.after(failures) {
                Retry::After(pause) => pause,
                Retry::Parked => unreachable!("after u32::MAX failures"),
            };
            prop_assert!(pause(failures) <= pause(failures + 1));
            prop_assert!(pause(failures) <= backoff.longest);
        }
    }
}
