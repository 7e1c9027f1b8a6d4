//! What is a schedule and what is not, with the sentence that says why.

use jiff::tz::TimeZoneDatabase;
use kata_schedule::{Kind, Zone};

use crate::{cron, time, zone};

#[track_caller]
fn refused(pattern: &str, because: &str) {
    let error = cron(pattern, &Zone::UTC).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), because, "{pattern}");
}

#[test]
fn every_refusal_names_the_field_and_the_fix() {
    for (pattern, because) in [
        (
            "*/61 * * * *",
            r#"minute "*/61": the step is a number from 1 to 60"#,
        ),
        (
            "*/0 * * * *",
            r#"minute "*/0": the step is a number from 1 to 60"#,
        ),
        (
            "0 */25 * * *",
            r#"hour "*/25": the step is a number from 1 to 24"#,
        ),
        (
            "1-5, * * * *",
            r#"minute "": an item of the list is empty, take the comma away"#,
        ),
        (
            "5/15 * * * *",
            r#"minute "5/15": a step needs the range it goes through, write */5 or 10-50/5"#,
        ),
        (
            "0 22-2 * * *",
            r#"hour "22-2": the range runs backwards, make two of it with a comma between them"#,
        ),
        ("60 * * * *", r#"minute "60": give numbers from 0 to 59"#),
        ("0 0 -1 * *", r#"day-of-month "-1": give numbers from 1 to 31"#),
        (
            "0 0 * JANUARY *",
            r#"month "JANUARY": give numbers from 1 to 12, or names such as DEC"#,
        ),
        (
            "0 0 * * L",
            r#"day-of-week "L": L stands behind its weekday, write FRI#L"#,
        ),
        (
            "0 0 * * 5#6",
            r##"day-of-week "5#6": after # stands a number from 1 to 5 or L, write FRI#2 or FRI#L"##,
        ),
        (
            "0 0 15L * *",
            r#"day-of-month "15L": L stands alone in a list of days, write 15,L"#,
        ),
        (
            "0 0 LW,1 * *",
            r#"day-of-month "LW": LW is the whole field, without a list"#,
        ),
        (
            "0 0 1-5W * *",
            r#"day-of-month "1-5W": W stands behind one day, write 15W"#,
        ),
        (
            "0 0 0 1 1 * */2",
            r#"year "*/2": years have a step within a range only, write 2027-2099/2"#,
        ),
        ("0 0 0 1 1 * 5000", r#"year "5000": give numbers from 1 to 4999"#),
        (
            "@reboot",
            r#""@reboot" is no schedule: use @yearly, @monthly, @weekly, @daily, @midnight or @hourly"#,
        ),
        (
            "* * * *",
            "the cron pattern has 4 fields: give five (minute hour day-of-month month day-of-week), six with a second in front, or seven with a year at the end",
        ),
        (
            "0 0 30 2 *",
            "the schedule has no run after 2026-11-22T00:00:00Z: give a pattern or a time that is still to come",
        ),
        (
            "2027-02-30T08:00",
            r#"the time "2027-02-30T08:00": give it as 2027-01-31T18:00, with Z or an offset such as +01:00 unless it is local"#,
        ),
    ] {
        refused(pattern, because);
    }
}

#[test]
fn patterns_that_have_no_run_to_come_are_refused() {
    for pattern in [
        "0 0 30 2 *",
        "0 0 31 2,4,6 *",
        "0 0 31 4 +MON",
        "0 0 0 1 1 * 2020",
        "0 0 29 2 +1#1",
        "2020-01-01T00:00",
    ] {
        let error = cron(pattern, &Zone::UTC).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("no run after"), "{pattern}: {error}");
    }
}

#[test]
fn a_refusal_quotes_a_long_text_only_in_part() {
    let error = cron(&format!("{} * * * *", "9".repeat(500)), &Zone::UTC)
        .map(|_| ())
        .unwrap_err();
    assert!(error.to_string().len() < 120, "{error}");
}

#[test]
fn a_time_given_as_a_pattern_is_one_run_in_the_tasks_zone() {
    let once = cron("2027-01-31T18:00", &zone("America/New_York")).unwrap();
    let runs: Vec<_> = once.upcoming(time("2026-11-22T00:00:00Z")).collect();
    assert_eq!(runs, [time("2027-01-31T23:00:00Z")]);
}

#[test]
fn a_question_mark_is_a_star_and_leaves_the_day_to_the_other_field() {
    let start = time("2026-11-22T00:00:00Z");
    for (with, without) in [
        ("0 0 ? * MON", "0 0 * * MON"),
        ("0 0 15 * ?", "0 0 15 * *"),
        ("? ? ? ? ?", "* * * * *"),
    ] {
        let runs = |pattern| {
            cron(pattern, &Zone::UTC)
                .unwrap()
                .upcoming(start)
                .take(20)
                .collect::<Vec<_>>()
        };
        assert_eq!(runs(with), runs(without), "{with}");
    }
}

#[test]
fn a_far_run_is_exact() {
    for (pattern, run) in [
        ("0 0 29 2 +1", "2044-02-28T23:00:00Z"),
        ("59 59 23 31 12 * 4000", "4000-12-31T22:59:59Z"),
        ("0 30 2 25-31 3 +SUN 2095", "2095-03-27T01:30:00Z"),
    ] {
        let schedule = cron(pattern, &zone("Europe/Berlin")).unwrap();
        assert_eq!(
            schedule.next(time("2026-11-22T00:00:00Z")),
            Some(time(run)),
            "{pattern}"
        );
    }
}

#[test]
fn kinds_and_zones_are_known_by_name() {
    for kind in [Kind::Cron, Kind::Interval, Kind::OneShot] {
        assert_eq!(kind.to_string().parse(), Ok(kind));
    }
    assert!("Cron".parse::<Kind>().is_err());
    assert_eq!(zone("europe/berlin").name(), Some("Europe/Berlin"));
    for name in ["", "Europe/Bonn", "../../etc/passwd", "Etc/Unknown", "+01:00"] {
        let refused = Zone::parse(name).unwrap_err().to_string();
        assert!(refused.contains("such as Europe/Berlin"), "{name}: {refused}");
    }
}

#[test]
fn a_machine_without_time_zones_has_those_in_the_program() {
    assert!(TimeZoneDatabase::bundled().get("Europe/Berlin").is_ok());
}
