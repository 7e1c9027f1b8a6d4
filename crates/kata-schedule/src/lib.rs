//! When a task runs: cron patterns, intervals and single times, the next run, and what was missed.
//!
//! Pure. This crate refuses to know: what time it is, what a task does, where tasks are kept, that there are threads.
//! Every answer follows from its arguments; the rules of time zones are the one thing that is looked up.
//!
//! ```
//! use jiff::Timestamp;
//! use kata_schedule::{Kind, Schedule, Zone};
//!
//! let zone = Zone::parse("Europe/Berlin")?;
//! let created: Timestamp = "2026-03-27T09:00:00Z".parse()?;
//! let schedule = Schedule::parse(Kind::Cron, "30 2 * * *", &zone, created)?;
//!
//! // On 29 March the clocks go from 02:00 to 03:00: the run of 02:30 is at 03:30.
//! let runs: Vec<String> = schedule.upcoming(created).take(3).map(|t| t.to_string()).collect();
//! assert_eq!(runs, ["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"]);
//!
//! let refused = Schedule::parse(Kind::Cron, "*/61 * * * *", &zone, created).unwrap_err();
//! assert_eq!(refused.to_string(), r#"minute "*/61": the step is a number from 1 to 60"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Cron
//!
//! The grammar is that of [croner 10 for JavaScript](https://croner.56k.guru/usage/pattern/), which the Kata Agents app
//! uses: `[second] minute hour day-of-month month day-of-week [year]`.
//!
//! | | |
//! |---|---|
//! | `*` `?` | every value |
//! | `5` `1-5` `1,2,9` `*/15` `10-50/20` | one, a range, a list, every fifteenth, every twentieth of a range |
//! | `JAN` `MON` | names of months and weekdays, in any case; Sunday is `0` and `7` |
//! | `L` `LW` `15W` | day of month: the last, the last from Monday to Friday, the one from Monday to Friday nearest to the 15th |
//! | `FRI#2` `FRI#L` `5L` | day of week: the second Friday of the month, the last one |
//! | `+FRI` | day of month *and* weekday; without `+` either is enough |
//! | `@yearly` `@annually` `@monthly` `@weekly` `@daily` `@midnight` `@hourly` | nicknames |
//! | `2027-01-31T18:00` | one run, as if it were a one-shot |
//!
//! What croner's documentation does not name and its code lets through (`15L`, `5#`, `5*`) is refused, with the fix. Years
//! end with 4999.
//!
//! # When clocks change
//!
//! - A local time that is skipped runs once, moved by the gap: 02:30 becomes 03:30. Where another run is at that time
//!   already, it is one run.
//! - A local time that comes twice runs the first time.
//! - A pattern that is hourly or finer runs both times. That is one whose minutes or seconds are `*` or `*/n`, or which
//!   names every hour.
//!
//! # Intervals and single times
//!
//! An interval counts from the start of its task, so its runs never drift. A single time is ISO 8601: a date alone is
//! midnight in UTC, a time without an offset is local time.

mod backoff;
mod cron;
mod error;
mod instant;
mod jitter;
mod kind;
mod missed;
mod schedule;
mod zone;

pub use crate::{
    backoff::{Backoff, Retry},
    error::{Fault, ScheduleError},
    kind::{Kind, UnknownKind},
    missed::{Due, Missed},
    schedule::Schedule,
    zone::{UnknownZone, Zone},
};
