//! What is to be done after a sleep, an outage, or just now.

use std::{iter, num::NonZeroUsize, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::Schedule;

/// Runs are counted up to here. One a second for a year would be 31 million, and nobody reads that number.
const COUNTED: usize = 10_000;

/// What becomes of runs whose time went by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// They are gone.
    Skip,
    /// The newest one is made up for, if it is not older than this.
    Once {
        /// Its greatest age.
        grace: Duration,
    },
    /// They are made up for, the newest so many of them.
    All {
        /// The most at once.
        cap: NonZeroUsize,
    },
}

/// What is due now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The runs to be made, oldest first.
    pub slots: Vec<Timestamp>,
    /// How many went by and are not made up for. Counted to 10,000.
    pub skipped: u64,
    /// The first run to come.
    pub next: Option<Timestamp>,
}

// === impl Schedule ===

impl Schedule {
    /// What is due at `now`: the runs after `since` and up to `now`, thinned out by the policy.
    ///
    /// `since` is the run that was dealt with last, or the time the task was made. A run that is at most `on_time` late was
    /// not missed, and the newest such one is due under every policy: so much may the timer be late, and the largest
    /// [delay](Schedule::jittered) is part of it.
    ///
    /// A clock that was set back (`now` before `since`) makes nothing due; the next run is then counted from `now`, and may
    /// be one that was made already: that a run is not made twice is for the row of its slot to say.
    #[must_use]
    pub fn due(&self, since: Timestamp, now: Timestamp, missed: Missed, on_time: Duration) -> Due {
        let (most, oldest) = match missed {
            Missed::Skip => (1, ago(now, on_time)),
            Missed::Once { grace } => (1, ago(now, grace.max(on_time))),
            Missed::All { cap } => (cap.get(), since),
        };
        let mut slots = self.newest(since, now, most);
        slots.retain(|slot| *slot >= oldest);
        let past = self.upcoming(since).take_while(|slot| *slot <= now);
        let skipped = past.take(COUNTED).count().saturating_sub(slots.len());
        Due {
            slots,
            skipped: u64::try_from(skipped).unwrap_or(u64::MAX),
            next: self.next(now),
        }
    }

    /// The last so many runs in `(since, now]`, oldest first.
    fn newest(&self, since: Timestamp, now: Timestamp, most: usize) -> Vec<Timestamp> {
        let before = |slot: &Timestamp| self.last(since, ago(*slot, Duration::from_nanos(1)));
        let mut found: Vec<Timestamp> = iter::successors(self.last(since, now), before)
            .take(most)
            .collect();
        found.reverse();
        found
    }

    /// The last run in `(since, end]`. By bisection: there may be millions.
    fn last(&self, since: Timestamp, end: Timestamp) -> Option<Timestamp> {
        let next = |after| self.next(after).filter(|slot| *slot <= end);
        let mut last = next(since)?;
        // Between it and `end` there is no run.
        let mut nothing_from = end;
        while last < nothing_from {
            let half = nothing_from.duration_since(last).as_millis() / 2;
            let half = SignedDuration::from_millis(i64::try_from(half).ok()?);
            let middle = last.checked_add(half).ok()?;
            match next(middle) {
                Some(later) => last = later,
                None => nothing_from = middle,
            }
        }
        Some(last)
    }
}

/// So long before a time.
fn ago(time: Timestamp, age: Duration) -> Timestamp {
    time.checked_sub(age).unwrap_or(Timestamp::MIN)
}
