//! Cron patterns. [`grammar`] makes the two croners agree on what a pattern says, croner finds the local times that match,
//! and [`Stretch`] makes instants of them.

mod field;
mod grammar;
mod stretch;

use croner::CronComponent;
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};

use crate::{ScheduleError, Zone, cron::stretch::Stretch};

/// More than any clock was ever moved at once. (Two zones went over the date line, by 24 h.)
const LARGEST_CHANGE: SignedDuration = SignedDuration::from_hours(48);

/// A cron pattern in a time zone.
#[derive(Clone, Debug)]
pub(crate) struct Cron {
    pattern: croner::Cron,
    zone: TimeZone,
    /// It says "every so often" rather than "at that time": where clocks go back it runs in both passes.
    often: bool,
}

// === impl Cron ===

impl Cron {
    pub(crate) fn parse(text: &str, zone: &Zone) -> Result<Cron, ScheduleError> {
        let pattern = grammar::parse(text)?;
        let sweeps = |field: &CronComponent| field.from_wildcard && field.values().len() > 1;
        let fields = &pattern.pattern;
        let often = sweeps(&fields.seconds) || sweeps(&fields.minutes) || fields.hours.values().len() == 24;
        Ok(Cron {
            pattern,
            zone: zone.rules().clone(),
            often,
        })
    }

    /// The first run after this time.
    pub(crate) fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let mut from = Timestamp::from_second(after.as_second().checked_add(1)?).ok()?;
        // `as_second` rounds towards 1970.
        if after.subsec_nanosecond() < 0 {
            from = Timestamp::from_second(after.as_second()).ok()?;
        }
        loop {
            let stretch = Stretch::around(&self.zone, from);
            if let Some(run) = self.next_in(&stretch, from) {
                return Some(run);
            }
            from = self.skip_to(&stretch, stretch.end?)?;
        }
    }

    /// The first run of this stretch that is not before `from`.
    fn next_in(&self, stretch: &Stretch, from: Timestamp) -> Option<Timestamp> {
        let mut wall = stretch.offset.to_datetime(from);
        let mut moved = None;
        if let Some(change) = &stretch.change {
            if change.skipped() {
                // These local times never came. They run by the clock as it was: later by the gap.
                moved = self
                    .next_wall(change.before.to_datetime(from))
                    .filter(|wall| *wall < change.wall_after)
                    .and_then(|wall| change.before.to_timestamp(wall).ok());
            } else if !self.often {
                // These local times come again, and the first time was theirs.
                wall = wall.max(change.wall_before);
            }
        }
        let regular = self
            .next_wall(wall)
            .and_then(|wall| stretch.offset.to_timestamp(wall).ok());
        let first = [moved, regular].into_iter().flatten().min()?;
        stretch.end.is_none_or(|end| first < end).then_some(first)
    }

    /// From the end of a stretch to shortly before the next run, over the years in which there is none.
    fn skip_to(&self, stretch: &Stretch, end: Timestamp) -> Option<Timestamp> {
        let earliest = stretch.offset.to_datetime(end).checked_sub(LARGEST_CHANGE).ok()?;
        let wall = self.next_wall(earliest)?;
        let about = self
            .zone
            .to_timestamp(wall)
            .ok()?
            .checked_sub(LARGEST_CHANGE)
            .ok()?;
        Some(end.max(about))
    }

    /// The first local time that matches and is not before this one.
    fn next_wall(&self, from: DateTime) -> Option<DateTime> {
        self.pattern.find_next_occurrence(&from, true).ok()
    }
}
