//! The runs of a pattern, found by looking at a clock on the wall, minute by minute. It asks the zone for one thing: what the
//! clock shows at an instant.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

/// When a clock showed a local time: first, or when it would have had it not been moved over it; and once more.
#[derive(Clone, Copy, Debug)]
struct Shown {
    at: Timestamp,
    again: Option<Timestamp>,
}

/// What a zone's clock shows, step by step.
#[derive(Debug)]
pub(crate) struct Walk {
    shown: BTreeMap<DateTime, Shown>,
    days_of_change: BTreeSet<Date>,
}

// === impl Walk ===

impl Walk {
    /// From `start`, near which no clock was moved, up to `end`.
    pub(crate) fn of(zone: &TimeZone, start: Timestamp, end: Timestamp, step: SignedDuration) -> Walk {
        let mut walk = Walk {
            shown: BTreeMap::new(),
            days_of_change: BTreeSet::new(),
        };
        let mut expected = zone.to_datetime(start);
        let mut now = start;
        while now < end {
            let wall = zone.to_datetime(now);
            // What should have been shown by now and was not.
            let mut late = now;
            while expected < wall {
                walk.days_of_change.insert(expected.date());
                walk.shown.insert(
                    expected,
                    Shown {
                        at: late,
                        again: None,
                    },
                );
                expected += step;
                late += step;
            }
            if wall < expected {
                walk.days_of_change.insert(wall.date());
                walk.shown.entry(wall).and_modify(|shown| shown.again = Some(now));
            } else {
                walk.shown.insert(wall, Shown { at: now, again: None });
                expected = wall + step;
            }
            now += step;
        }
        walk
    }

    /// The runs at these local times; `often`: also when the clock shows one again.
    pub(crate) fn runs(&self, times: impl IntoIterator<Item = DateTime>, often: bool) -> BTreeSet<Timestamp> {
        let shown = times.into_iter().filter_map(|time| self.shown.get(&time));
        shown
            .flat_map(|shown| [Some(shown.at), shown.again.filter(|_| often)])
            .flatten()
            .collect()
    }

    /// All that the clock shows, or should have shown.
    pub(crate) fn times(&self) -> impl Iterator<Item = DateTime> + '_ {
        self.shown.keys().copied()
    }

    /// Days on which the clock was moved.
    pub(crate) fn days_of_change(&self) -> &BTreeSet<Date> {
        &self.days_of_change
    }
}
