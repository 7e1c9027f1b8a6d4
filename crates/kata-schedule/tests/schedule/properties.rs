//! What holds for every pattern, at every time.

use std::{num::NonZeroUsize, time::Duration};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use kata_schedule::{Kind, Missed, Schedule, ScheduleError};
use proptest::prelude::*;

use crate::{pattern::Simple, time, walk::Walk, zone};

const ZONES: [&str; 6] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Africa/Casablanca",
];

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

fn schedule(pattern: &Simple, zone_name: &str) -> Option<Schedule> {
    let start = time("2020-01-01T00:00:00Z");
    // 30 February is the one reason why a random pattern is refused.
    Schedule::parse(Kind::Cron, &pattern.to_string(), &zone(zone_name), start).ok()
}

/// Seconds and parts of them between 2024 and 2029.
fn instants() -> impl Strategy<Value = Timestamp> {
    (1_704_067_200_000..1_861_920_000_000_i64).prop_map(|ms| Timestamp::from_millisecond(ms).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_days_around_a_change_of_clocks_are_what_the_clock_on_the_wall_says(
        pattern in Simple::random(),
        name in prop::sample::select(&ZONES[..]),
        near in instants(),
    ) {
        let zone = TimeZone::get(name).unwrap();
        let change = zone.following(near).next().map_or(near, |change| change.timestamp());
        // From noon, when no clock is moved.
        let noon = zone.to_datetime(change - DAY * 2).date().at(12, 0, 0, 0);
        let start = zone.to_timestamp(noon).unwrap();
        let end = start + DAY * 5;
        let walk = Walk::of(&zone, start, end, MINUTE);
        let times = walk.times().filter(|wall| pattern.matches(*wall));
        let expected: Vec<Timestamp> = walk.runs(times, pattern.is_often()).into_iter().collect();
        let just_before = start - SignedDuration::from_nanos(1);
        let runs: Vec<Timestamp> = schedule(&pattern, name)
            .map(|schedule| schedule.upcoming(just_before).take_while(|run| *run < end).collect())
            .unwrap_or_default();
        prop_assert_eq!(runs, expected, "{} in {}", pattern, name);
    }
}

proptest! {
    #[test]
    fn the_next_run_is_later_and_nothing_lies_between(
        pattern in Simple::random(),
        name in prop::sample::select(&ZONES[..]),
        after in instants(),
        part in 0.0..1.0_f64,
    ) {
        let Some(schedule) = schedule(&pattern, name) else { return Ok(()) };
        let next = schedule.next(after).unwrap();
        prop_assert!(next > after);
        // From anywhere before it, it is the next one.
        let between = after + next.duration_since(after).mul_f64(part);
        if between < next {
            prop_assert_eq!(schedule.next(between), Some(next));
        }
        prop_assert!(schedule.next(next).unwrap() > next);
    }

    #[test]
    fn what_is_due_are_the_newest_of_what_went_by(
        pattern in Simple::random(),
        name in prop::sample::select(&ZONES[..]),
        since in instants(),
        asleep in 0..300_000_i64,
        cap in 1..20_usize,
    ) {
        let Some(schedule) = schedule(&pattern, name) else { return Ok(()) };
        let now = since + SignedDuration::from_secs(asleep);
        let past: Vec<Timestamp> = schedule.upcoming(since).take_while(|slot| *slot <= now).collect();
        let missed = Missed::All { cap: NonZeroUsize::new(cap).unwrap() };
        let due = schedule.due(since, now, missed, Duration::ZERO);
        let newest = &past[past.len().saturating_sub(cap)..];
        prop_assert_eq!(&due.slots[..], newest);
        let all = past.len().min(10_000);
        prop_assert_eq!(due.skipped, u64::try_from(all.saturating_sub(newest.len())).unwrap());
        prop_assert_eq!(due.next, schedule.next(now));
    }

    #[test]
    fn an_interval_never_drifts(every in 1..10_000_000_000_i64, start in instants(), later in 0..1_000_000_000_000_i64) {
        let schedule = Schedule::parse(Kind::Interval, &every.to_string(), &zone("UTC"), start).unwrap();
        let after = start + SignedDuration::from_millis(later);
        let next = schedule.next(after).unwrap();
        prop_assert!(next > after);
        prop_assert!(next.duration_since(after).as_millis() <= every.into());
        prop_assert_eq!(next.duration_since(start).as_millis() % i128::from(every), 0);
    }

    #[test]
    fn no_text_is_a_reason_to_panic(text in "[0-9*?,/#LW+@A-Z: -]{0,40}") {
        let start = time("2026-01-01T00:00:00Z");
        for kind in [Kind::Cron, Kind::Interval, Kind::OneShot] {
            if let Ok(schedule) = Schedule::parse(kind, &text, &zone("Europe/Berlin"), start) {
                prop_assert!(schedule.next(start).is_some());
            }
        }
    }

    #[test]
    fn what_the_grammar_takes_croner_takes_too(
        text in r"(\+?(\*|\?|L|LW|[0-9]{1,2}W?|[1-3]-[0-9]{1,2}|mon|FRI|MAR)([/#][1-9]|#?L|,[L*?]|,[0-9]{1,2}W?)? ){5,7}",
    ) {
        let refused = Schedule::parse(Kind::Cron, &text, &zone("UTC"), time("2026-01-01T00:00:00Z")).err();
        prop_assert!(!matches!(refused, Some(ScheduleError::Pattern { .. })), "{}", text);
    }
}
