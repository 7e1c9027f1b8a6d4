//! A time as a person or JavaScript writes it: ISO 8601.

use jiff::{Timestamp, civil::Time, fmt::temporal::Pieces, tz::TimeZone};

use crate::{
    Zone,
    error::{ScheduleError, shown},
};

/// Reads a time. A date alone is midnight in UTC, a time without an offset is local, as in
/// [`Date.parse`](https://tc39.es/ecma262/#sec-date-time-string-format). A local time that is skipped is moved by the
/// gap; of one that comes twice the first is meant.
pub(crate) fn parse(text: &str, zone: &Zone) -> Result<Timestamp, ScheduleError> {
    read(text.trim(), zone)
        .map(whole_milliseconds)
        .ok_or_else(|| ScheduleError::Time { text: shown(text) })
}

fn read(text: &str, zone: &Zone) -> Option<Timestamp> {
    let pieces = Pieces::parse(text).ok()?;
    // The zone is the task's. A second one in the text would be a second opinion.
    if pieces.time_zone_annotation().is_some() {
        return None;
    }
    let Some(time) = pieces.time() else {
        return TimeZone::UTC
            .to_timestamp(pieces.date().to_datetime(Time::midnight()))
            .ok();
    };
    let local = pieces.date().to_datetime(time);
    match pieces.to_numeric_offset() {
        Some(offset) => offset.to_timestamp(local).ok(),
        None => zone.rules().to_timestamp(local).ok(),
    }
}

/// Without what is finer than a millisecond. Rows keep milliseconds, and a slot must be the same after a restart.
pub(crate) fn whole_milliseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Result<String, ScheduleError> {
        parse(text, &Zone::parse("Europe/Berlin").unwrap()).map(|time| time.to_string())
    }

    #[test]
    fn a_date_alone_is_utc_and_a_time_without_an_offset_is_local() {
        for (text, time) in [
            ("2027-01-31", "2027-01-31T00:00:00Z"),
            ("2027-01-31T18:00", "2027-01-31T17:00:00Z"),
            (" 2027-01-31T18:00:05 ", "2027-01-31T17:00:05Z"),
            ("2027-01-31 18:00", "2027-01-31T17:00:00Z"),
            ("2027-07-31T18:00", "2027-07-31T16:00:00Z"),
            ("2027-01-31T18:00Z", "2027-01-31T18:00:00Z"),
            ("2027-01-31T18:00:00.25-05:00", "2027-01-31T23:00:00.25Z"),
            ("2027-01-31T18:00:00.123456789Z", "2027-01-31T18:00:00.123Z"),
            // Skipped, and twice.
            ("2027-03-28T02:30", "2027-03-28T01:30:00Z"),
            ("2027-10-31T02:30", "2027-10-31T00:30:00Z"),
        ] {
            assert_eq!(at(text).as_deref(), Ok(time), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused_with_an_example() {
        for text in [
            "",
            "tomorrow",
            "18:00",
            "2027-02-30T18:00",
            "2027-13-01",
            "2027-01-31T25:00",
            "2027-01-31T18:00[America/New_York]",
            "31.01.2027 18:00",
            "1800000000000",
        ] {
            assert!(matches!(at(text), Err(ScheduleError::Time { .. })), "{text}");
        }
    }
}
