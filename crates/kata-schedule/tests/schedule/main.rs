//! Schedules, from outside.
#![expect(clippy::unwrap_used, reason = "a helper of tests may panic like a test")]

mod croner_js;
mod due;
mod grammar;
mod jitter;
mod pattern;
mod properties;
mod walk;
mod year;

use jiff::Timestamp;
use kata_schedule::{Kind, Schedule, ScheduleError, Zone};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn zone(name: &str) -> Zone {
    Zone::parse(name).unwrap()
}

/// A pattern of a task that was made on 22 November 2026.
fn cron(pattern: &str, zone: &Zone) -> Result<Schedule, ScheduleError> {
    Schedule::parse(Kind::Cron, pattern, zone, time("2026-11-22T00:00:00Z"))
}
