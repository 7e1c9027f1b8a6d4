//! A schedule of any kind, and the question that all of them answer: when next?

use std::iter;

use jiff::{SignedDuration, Timestamp};

use crate::{
    Kind, ScheduleError, Zone,
    cron::Cron,
    error::shown,
    instant::{self, whole_milliseconds},
};

/// The longest text that is looked at. A pattern that names every minute one by one has 170 characters.
const LONGEST: usize = 1024;

/// When a task runs.
#[derive(Clone, Debug)]
pub struct Schedule(When);

#[derive(Clone, Debug)]
enum When {
    Cron(Box<Cron>),
    /// `start + n · every`, n > 0. Anchored, so that a late run does not make the next one late.
    Every {
        start: Timestamp,
        every: SignedDuration,
    },
    Once(Timestamp),
}

// === impl Schedule ===

impl Schedule {
    /// Reads a schedule: a cron pattern, milliseconds as decimal digits, or an ISO 8601 time. A cron pattern that is an
    /// ISO 8601 time is one run.
    ///
    /// `start` is when the task was made: an interval counts from it, and something must be to come after it. The same
    /// arguments make the same schedule, today and after a restart.
    ///
    /// # Errors
    ///
    /// The text is not understood, or has no run after `start`; the sentence says what to write instead.
    pub fn parse(kind: Kind, text: &str, zone: &Zone, start: Timestamp) -> Result<Schedule, ScheduleError> {
        if text.len() > LONGEST {
            return Err(ScheduleError::TooLong { limit: LONGEST });
        }
        let text = text.trim();
        let when = match kind {
            // How the app tells a time from a pattern; a pattern has no colon.
            Kind::Cron if text.contains(':') => When::Once(instant::parse(text, zone)?),
            Kind::Cron => When::Cron(Box::new(Cron::parse(text, zone)?)),
            Kind::Interval => When::Every {
                start: whole_milliseconds(start),
                every: interval(text)?,
            },
            Kind::OneShot => When::Once(instant::parse(text, zone)?),
        };
        let schedule = Schedule(when);
        match schedule.next(start) {
            Some(_) => Ok(schedule),
            None => Err(ScheduleError::NoRun { start }),
        }
    }

    /// The first run after this time, if there is one. Runs of cron patterns are whole seconds, others whole
    /// milliseconds.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        match &self.0 {
            When::Cron(cron) => cron.next(after),
            When::Every { start, every } => next_multiple(*start, *every, after),
            When::Once(time) => (*time > after).then_some(*time),
        }
    }

    /// The runs after this time, in order.
    pub fn upcoming(&self, after: Timestamp) -> impl Iterator<Item = Timestamp> + '_ {
        iter::successors(self.next(after), |&run| self.next(run))
    }
}

fn interval(text: &str) -> Result<SignedDuration, ScheduleError> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits
        .then(|| text.parse::<i64>().ok())
        .flatten()
        .filter(|&every| every > 0)
        .map(SignedDuration::from_millis)
        .ok_or_else(|| ScheduleError::Interval { text: shown(text) })
}

/// The first `start + n · every` after this time, n > 0. None beyond the year 9999.
fn next_multiple(start: Timestamp, every: SignedDuration, after: Timestamp) -> Option<Timestamp> {
    let gone = after.duration_since(start).as_millis().max(0);
    let slots = gone.checked_div(every.as_millis())?.checked_add(1)?;
    let to_slot = i64::try_from(slots.checked_mul(every.as_millis())?).ok()?;
    start.checked_add(SignedDuration::from_millis(to_slot)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn every(text: &str) -> Result<Schedule, ScheduleError> {
        Schedule::parse(Kind::Interval, text, &Zone::UTC, time("2026-01-01T00:00:00.5Z"))
    }

    #[test]
    fn an_interval_counts_from_its_start_and_never_drifts() {
        let minute = every("60000").unwrap();
        for (after, next) in [
            ("2026-01-01T00:00:00Z", "2026-01-01T00:01:00.5Z"),
            ("2026-01-01T00:00:00.5Z", "2026-01-01T00:01:00.5Z"),
            ("2026-01-01T00:01:00.5Z", "2026-01-01T00:02:00.5Z"),
            // Late by 40 s, and again on time.
            ("2026-01-01T00:01:40Z", "2026-01-01T00:02:00.5Z"),
            ("2026-01-01T00:02:00.499999999Z", "2026-01-01T00:02:00.5Z"),
            // Before its start nothing runs.
            ("2020-01-01T00:00:00Z", "2026-01-01T00:01:00.5Z"),
        ] {
            assert_eq!(minute.next(time(after)), Some(time(next)), "after {after}");
        }
    }

    #[test]
    fn a_month_as_an_interval_does_not_overflow() {
        let days = every("2678400000").unwrap(); // 31 days; a timer of JavaScript ends at 24.8
        assert_eq!(
            days.next(time("2026-01-01T12:00:00Z")),
            Some(time("2026-02-01T00:00:00.5Z"))
        );
        let far = every("31536000000000").unwrap(); // a thousand years
        assert_eq!(
            far.next(time("2026-01-01T12:00:00Z")),
            Some(time("3025-05-04T00:00:00.5Z"))
        );
    }

    #[test]
    fn an_interval_is_decimal_digits_and_not_zero() {
        for text in [
            "0",
            "-5",
            "+5",
            "1.5",
            "1e3",
            "",
            "5m",
            "99999999999999999999",
            "٣",
        ] {
            assert!(
                matches!(every(text), Err(ScheduleError::Interval { .. })),
                "{text}"
            );
        }
        // Understood, and after the end of time.
        assert!(matches!(
            every("9223372036854775807"),
            Err(ScheduleError::NoRun { .. })
        ));
    }

    #[test]
    fn a_single_time_runs_once() {
        let start = time("2026-01-01T00:00:00Z");
        let once = Schedule::parse(Kind::OneShot, "2026-02-01T08:00Z", &Zone::UTC, start).unwrap();
        assert_eq!(
            once.upcoming(start).collect::<Vec<_>>(),
            [time("2026-02-01T08:00:00Z")]
        );
        for past in ["2025-12-31T00:00Z", "2026-01-01T00:00Z"] {
            let refused = Schedule::parse(Kind::OneShot, past, &Zone::UTC, start);
            assert!(matches!(refused, Err(ScheduleError::NoRun { .. })), "{past}");
        }
    }

    #[test]
    fn a_text_without_end_is_not_looked_at() {
        let text = "1,".repeat(LONGEST);
        let refused = Schedule::parse(Kind::Cron, &text, &Zone::UTC, Timestamp::UNIX_EPOCH);
        assert_eq!(refused.unwrap_err(), ScheduleError::TooLong { limit: LONGEST });
    }
}
