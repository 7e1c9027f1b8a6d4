//! A year of schedules in zones whose clocks are moved in every way there is, against two oracles: a second cron library for
//! the local times, and a walk over the year, step by step, for the instants at which a clock shows them.

use std::{collections::BTreeSet, str::FromStr};

use chrono::{Datelike, Timelike, Utc};
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, date},
    tz::TimeZone,
};
use kata_schedule::{Kind, Schedule};

use crate::{walk::Walk, zone};

const YEAR: i16 = 2026;

const ZONES: [&str; 16] = [
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Dublin",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "America/Santiago",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Antarctica/Troll",
];

/// Patterns whose minutes are multiples of five, as are the changes of clocks; and whether they are hourly or finer.
const PATTERNS: [(&str, bool); 13] = [
    ("0 0 * * *", false),
    ("30 1 * * *", false),
    ("30 2 * * *", false),
    ("15 0,1,2,3 * * *", false),
    ("45 23 * * SUN", false),
    ("5,35 0-5 * * SAT,SUN", false),
    ("0 */2 * * *", false),
    ("30 2 1-7 * *", false),
    ("0 * * 3,4,9,10 *", true),
    ("*/30 * * * SAT,SUN", true),
    ("*/20 1-4 * * SAT,SUN", true),
    ("40 0-23 * * SUN", true),
    ("*/5 2 * * SUN", true),
];

const FIVE_MINUTES: SignedDuration = SignedDuration::from_mins(5);

fn walk(name: &str) -> Walk {
    let zone = TimeZone::get(name).unwrap();
    Walk::of(
        &zone,
        start_of(YEAR, &zone),
        start_of(YEAR + 1, &zone),
        FIVE_MINUTES,
    )
}

fn start_of(year: i16, zone: &TimeZone) -> Timestamp {
    zone.to_timestamp(date(year, 1, 1).at(0, 0, 0, 0)).unwrap()
}

/// Ours.
fn runs(pattern: &str, name: &str) -> BTreeSet<Timestamp> {
    let rules = TimeZone::get(name).unwrap();
    let just_before = start_of(YEAR, &rules) - SignedDuration::from_secs(1);
    let end = start_of(YEAR + 1, &rules);
    let schedule = Schedule::parse(Kind::Cron, pattern, &zone(name), just_before).unwrap();
    schedule
        .upcoming(just_before)
        .take_while(|run| *run < end)
        .collect()
}

/// The local times of a pattern, by the library `cron`, which wants seconds in front.
fn local_times(pattern: &str) -> Vec<DateTime> {
    let schedule = cron::Schedule::from_str(&format!("0 {pattern}")).unwrap();
    let start = chrono::NaiveDate::from_ymd_opt(YEAR.into(), 1, 1).unwrap();
    let start = start.and_hms_opt(0, 0, 0).unwrap().and_utc();
    let in_year = |time: &chrono::DateTime<Utc>| time.year() == i32::from(YEAR);
    let just_before = start - chrono::TimeDelta::seconds(1);
    schedule
        .after(&just_before)
        .take_while(in_year)
        .map(wall)
        .collect()
}

fn wall(time: chrono::DateTime<Utc>) -> DateTime {
    let small = |n: u32| i8::try_from(n).unwrap();
    let day: Date = date(YEAR, small(time.month()), small(time.day()));
    day.at(small(time.hour()), small(time.minute()), small(time.second()), 0)
}

#[test]
fn a_year_in_every_zone_is_what_the_clock_on_the_wall_says() {
    let walks = ZONES.map(|name| (name, walk(name)));
    for (pattern, often) in PATTERNS {
        let times = local_times(pattern);
        for (name, walk) in &walks {
            let expected = walk.runs(times.iter().copied(), often);
            assert_eq!(runs(pattern, name), expected, "{pattern} in {name}");
        }
    }
}

#[test]
fn the_zones_have_every_kind_of_change() {
    for (name, days, why) in [
        ("America/Sao_Paulo", 0, "none any more"),
        ("Europe/Berlin", 2, "by an hour, at night"),
        ("America/Santiago", 2, "at midnight, back into the day before"),
        ("Australia/Lord_Howe", 2, "by half an hour"),
        ("Antarctica/Troll", 2, "by two hours"),
    ] {
        assert_eq!(walk(name).days_of_change().len(), days, "{name}: {why}");
    }
}

#[test]
fn a_day_that_a_zone_never_had_runs_on_the_next() {
    // Samoa went over the date line: after 29 December 2011 came the 31st.
    let start = "2011-12-29T00:00:00Z".parse().unwrap();
    let schedule = Schedule::parse(Kind::Cron, "0 12 * * *", &zone("Pacific/Apia"), start).unwrap();
    let runs: Vec<String> = schedule
        .upcoming(start)
        .take(3)
        .map(|run| run.to_string())
        .collect();
    assert_eq!(
        runs,
        [
            "2011-12-29T22:00:00Z",
            "2011-12-30T22:00:00Z",
            "2011-12-31T22:00:00Z"
        ]
    );
}
