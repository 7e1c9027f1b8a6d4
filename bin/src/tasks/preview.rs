//! `katad task next`: when a schedule would run. Asks no daemon.

use clap::ValueEnum;
use jiff::{Timestamp, tz::TimeZone};
use kata_channel::Clock;
use kata_schedule::{Kind, Schedule};
use serde_json::json;

use super::times;
use crate::{exit::Exit, terminal};

/// What a schedule's text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TypeArg {
    /// A pattern, such as `0 9 * * MON-FRI`
    Cron,
    /// Milliseconds between runs
    Interval,
    /// A time, such as 2027-01-31T18:00
    OneShot,
}

/// Prints the next runs.
pub(crate) fn run(
    schedule: &str,
    of: Option<TypeArg>,
    zone: Option<&str>,
    count: u16,
    as_json: bool,
) -> Exit {
    let now = times::time(times::now(&Clock::system()));
    let runs = match upcoming(schedule, of, zone, now, count.into()) {
        Ok(runs) => runs,
        Err(why) => return terminal::fail(why, Exit::BadConfig),
    };
    // A name that `upcoming` took is known.
    let zone = zone
        .and_then(|name| TimeZone::get(name).ok())
        .unwrap_or_else(TimeZone::system);
    if as_json {
        let runs: Vec<String> = runs.iter().map(|run| format!("{run:.3}")).collect();
        return terminal::json(&json!({"runs": runs, "zone": zone.iana_name()}));
    }
    let lines: Vec<String> = runs
        .iter()
        .map(|run| {
            run.to_zoned(zone.clone())
                .strftime("%a %Y-%m-%d %H:%M:%S %:z")
                .to_string()
        })
        .collect();
    terminal::say(lines.join("\n"))
}

fn upcoming(
    text: &str,
    of: Option<TypeArg>,
    zone: Option<&str>,
    now: Timestamp,
    count: usize,
) -> Result<Vec<Timestamp>, String> {
    let kind = match of {
        Some(TypeArg::Cron) => Kind::Cron,
        Some(TypeArg::Interval) => Kind::Interval,
        Some(TypeArg::OneShot) => Kind::OneShot,
        None => guessed(text),
    };
    let schedule =
        Schedule::parse(kind, text, &times::zone(zone)?, now).map_err(|error| error.to_string())?;
    Ok(schedule.upcoming(now).take(count).collect())
}

/// The three look nothing alike: digits; a date, which begins with its year and a hyphen; a pattern.
fn guessed(text: &str) -> Kind {
    let text = text.trim();
    let is_year = |year: &str| year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit());
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        Kind::Interval
    } else if text.split_once('-').is_some_and(|(year, _)| is_year(year)) && !text.contains(' ') {
        Kind::OneShot
    } else {
        Kind::Cron
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, zone: &str, count: usize) -> Vec<String> {
        let now = "2026-03-27T09:00:00Z".parse().unwrap();
        let runs = upcoming(text, None, Some(zone), now, count).unwrap();
        runs.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_schedule_is_told_by_its_looks() {
        for (text, kind) in [
            ("0 9 * * MON-FRI", Kind::Cron),
            ("@daily", Kind::Cron),
            ("60000", Kind::Interval),
            ("2027-01-31T18:00", Kind::OneShot),
            ("2027-01-31", Kind::OneShot),
            ("0 0 1 1 * 2027-2030", Kind::Cron),
            ("", Kind::Cron),
        ] {
            assert_eq!(guessed(text), kind, "{text}");
        }
    }

    #[test]
    fn the_preview_follows_the_clocks_of_its_zone() {
        assert_eq!(
            shown("30 2 * * *", "Europe/Berlin", 3),
            [
                "2026-03-28T01:30:00Z",
                "2026-03-29T01:30:00Z",
                "2026-03-30T00:30:00Z"
            ]
        );
        assert_eq!(shown("2026-03-30T10:00", "UTC", 5), ["2026-03-30T10:00:00Z"]);
    }

    #[test]
    fn what_is_wrong_is_said_in_the_schedules_own_words() {
        let now = "2026-03-27T09:00:00Z".parse().unwrap();
        let said = upcoming("*/61 * * * *", None, None, now, 5).unwrap_err();
        assert!(said.contains("the step is a number from 1 to 60"), "{said}");
        let said = upcoming("@daily", None, Some("Atlantis/Here"), now, 5).unwrap_err();
        assert!(said.contains("Atlantis/Here"), "{said}");
    }
}
