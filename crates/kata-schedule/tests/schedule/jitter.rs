//! Delays that differ from task to task and never change.

use std::{collections::BTreeSet, time::Duration};

use kata_schedule::{Schedule, Zone};
use proptest::prelude::*;

use crate::{cron, time};

fn hourly() -> Schedule {
    cron("0 * * * *", &Zone::UTC).unwrap()
}

#[test]
fn a_delay_is_the_same_in_every_version_of_the_program() {
    let slot = time("2026-12-01T12:00:00Z");
    let delays: Vec<i64> = (1..=3)
        .map(|task| {
            hourly()
                .jittered(slot, task, Duration::from_secs(60))
                .as_millisecond()
                - slot.as_millisecond()
        })
        .collect();
    assert_eq!(delays, [47_063, 14_605, 10_897]);
}

#[test]
fn tasks_of_one_slot_are_scattered() {
    let slot = time("2026-12-01T12:00:00Z");
    let seconds: BTreeSet<i64> = (0..1000)
        .map(|task| hourly().jittered(slot, task, Duration::from_secs(60)).as_second() - slot.as_second())
        .collect();
    assert_eq!(seconds, (0..60).collect());
}

#[test]
fn without_room_there_is_no_delay() {
    let slot = time("2026-12-01T12:00:00Z");
    assert_eq!(hourly().jittered(slot, 7, Duration::ZERO), slot);
}

proptest! {
    #[test]
    fn a_run_begins_not_before_its_slot_and_before_the_next(task: i64, hour in 0..10_000_i64, max in 0..u64::MAX) {
        let slot = time("2026-12-01T12:00:00Z") + Duration::from_secs(hour.unsigned_abs() * 3600);
        let begins = hourly().jittered(slot, task, Duration::from_millis(max));
        prop_assert!(begins >= slot);
        prop_assert!(begins < hourly().next(slot).unwrap());
        prop_assert!(max == 0 || begins < slot.saturating_add(Duration::from_millis(max)).unwrap());
    }
}
