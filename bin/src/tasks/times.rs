//! A stored task's schedule, and times as the crates have them.

use jiff::{Timestamp, tz::TimeZone};
use kata_schedule::{Kind, Schedule, ScheduleError, Zone};
use kata_store::{Task, TaskKind, UnixMs};

/// The time zone of this name; without one the system's, as it is now.
pub(super) fn zone(name: Option<&str>) -> Result<Zone, String> {
    match name {
        Some(name) => Zone::parse(name).map_err(|error| error.to_string()),
        None => Ok(Zone::from(TimeZone::system())),
    }
}

/// The schedule of a task, which counts from when it was made. None: it has no run any more.
pub(super) fn schedule(task: &Task, now: UnixMs) -> Result<Option<Schedule>, String> {
    let start = task.created_at.or(task.next_run).unwrap_or(now).min(now);
    match Schedule::parse(
        kind(task.kind),
        &task.schedule,
        &zone(task.zone.as_deref())?,
        time(start),
    ) {
        Ok(schedule) => Ok(Some(schedule)),
        Err(ScheduleError::NoRun { .. }) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

pub(super) fn kind(kind: TaskKind) -> Kind {
    match kind {
        TaskKind::Cron => Kind::Cron,
        TaskKind::Interval => Kind::Interval,
        TaskKind::OneShot => Kind::OneShot,
    }
}

pub(super) fn stored_kind(kind: Kind) -> TaskKind {
    match kind {
        Kind::Cron => TaskKind::Cron,
        Kind::Interval => TaskKind::Interval,
        Kind::OneShot => TaskKind::OneShot,
    }
}

/// For kata-schedule. A time that it cannot hold is its last or first one.
pub(super) fn time(at: UnixMs) -> Timestamp {
    Timestamp::from_millisecond(at.0).unwrap_or(if at.0 < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// For the store.
pub(super) fn unix_ms(at: Timestamp) -> UnixMs {
    UnixMs(at.as_millisecond())
}

/// Now, for the store.
pub(super) fn now(clock: &kata_channel::Clock) -> UnixMs {
    UnixMs(clock.wall().as_millis())
}
