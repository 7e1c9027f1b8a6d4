//! What is due after a night asleep.

use std::{num::NonZeroUsize, time::Duration};

use jiff::Timestamp;
use kata_schedule::{Due, Kind, Missed, Schedule, Zone};

use crate::{cron, time};

const ON_TIME: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn hourly() -> Schedule {
    cron("0 * * * *", &Zone::UTC).unwrap()
}

fn all(cap: usize) -> Missed {
    Missed::All {
        cap: NonZeroUsize::new(cap).unwrap(),
    }
}

fn once(hours: u32) -> Missed {
    Missed::Once { grace: HOUR * hours }
}

#[track_caller]
fn check(since: &str, now: &str, policy: Missed, slots: &[&str], skipped: u64, next: &str) {
    let due = hourly().due(time(since), time(now), policy, ON_TIME);
    let slots: Vec<Timestamp> = slots.iter().map(|slot| time(slot)).collect();
    assert_eq!(
        due,
        Due {
            slots,
            skipped,
            next: Some(time(next))
        },
        "{policy:?}"
    );
}

#[test]
fn a_night_asleep_is_skipped_made_up_for_once_or_all_up_to_a_cap() {
    let (since, now, next) = (
        "2026-12-01T22:00:00Z",
        "2026-12-02T06:30:00Z",
        "2026-12-02T07:00:00Z",
    );
    check(since, now, Missed::Skip, &[], 8, next);
    check(since, now, once(1), &["2026-12-02T06:00:00Z"], 7, next);
    let three = [
        "2026-12-02T04:00:00Z",
        "2026-12-02T05:00:00Z",
        "2026-12-02T06:00:00Z",
    ];
    check(since, now, all(3), &three, 5, next);
    let due = hourly().due(time(since), time(now), all(100), ON_TIME);
    assert_eq!((due.slots.len(), due.skipped), (8, 0));
    assert!(due.slots.is_sorted());
}

#[test]
fn a_run_that_is_on_time_is_due_under_every_policy() {
    for policy in [Missed::Skip, once(0), all(1)] {
        for now in ["2026-12-01T23:00:00Z", "2026-12-01T23:01:00Z"] {
            check(
                "2026-12-01T22:00:00Z",
                now,
                policy,
                &["2026-12-01T23:00:00Z"],
                0,
                "2026-12-02T00:00:00Z",
            );
        }
    }
    let late = "2026-12-01T23:01:00.001Z";
    check(
        "2026-12-01T22:00:00Z",
        late,
        Missed::Skip,
        &[],
        1,
        "2026-12-02T00:00:00Z",
    );
}

#[test]
fn what_is_older_than_its_grace_is_gone() {
    let now = "2026-12-02T06:30:00Z";
    let since = time("2026-12-01T00:00:00Z");
    let daily = cron("0 3 * * *", &Zone::UTC).unwrap();
    let due = |hours| daily.due(since, time(now), once(hours), ON_TIME);
    assert_eq!(
        (due(4).slots, due(4).skipped),
        (vec![time("2026-12-02T03:00:00Z")], 1)
    );
    assert_eq!((due(3).slots, due(3).skipped), (vec![], 2));
}

#[test]
fn nothing_is_due_before_its_time_or_twice() {
    check(
        "2026-12-01T22:00:00Z",
        "2026-12-01T22:59:59.9Z",
        all(9),
        &[],
        0,
        "2026-12-01T23:00:00Z",
    );
    check(
        "2026-12-01T23:00:00Z",
        "2026-12-01T23:00:00.1Z",
        all(9),
        &[],
        0,
        "2026-12-02T00:00:00Z",
    );
}

#[test]
fn a_clock_set_back_makes_nothing_due_and_never_stops_a_task() {
    check(
        "2099-01-01T00:00:00Z",
        "2026-12-01T12:10:00Z",
        all(9),
        &[],
        0,
        "2026-12-01T13:00:00Z",
    );
}

#[test]
fn a_single_time_that_went_by_asleep_is_made_up_for_and_then_over() {
    let made = time("2026-12-01T20:00:00Z");
    let reminder = Schedule::parse(Kind::OneShot, "2026-12-02T03:00Z", &Zone::UTC, made).unwrap();
    let now = time("2026-12-02T06:00:00Z");
    let slot = time("2026-12-02T03:00:00Z");
    assert_eq!(
        reminder.due(made, now, once(12), ON_TIME),
        Due {
            slots: vec![slot],
            skipped: 0,
            next: None
        }
    );
    assert_eq!(
        reminder.due(slot, now, once(12), ON_TIME),
        Due {
            slots: vec![],
            skipped: 0,
            next: None
        }
    );
}

#[test]
fn a_year_of_seconds_is_answered_from_its_end() {
    let every_second = cron("* * * * * *", &Zone::UTC).unwrap();
    let due = every_second.due(
        time("2026-12-01T00:00:00Z"),
        time("2027-12-01T00:00:00.5Z"),
        all(2),
        ON_TIME,
    );
    assert_eq!(
        due.slots,
        [time("2027-11-30T23:59:59Z"), time("2027-12-01T00:00:00Z")]
    );
    assert_eq!(due.skipped, 9_998, "counted to 10,000");
}
