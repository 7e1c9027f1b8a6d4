//! What reading a schedule costs, and the next run of it.

use std::{
    error::Error,
    hint::black_box,
    io::{self, Write},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use kata_schedule::{Kind, Schedule, Zone};

/// Calls of each kind that are measured.
const CALLS: u32 = 500;

const SCHEDULES: [(&str, Kind, &str); 8] = [
    ("every minute", Kind::Cron, "* * * * *"),
    ("every morning of a working day", Kind::Cron, "30 8 * * MON-FRI"),
    ("the last Friday of a month", Kind::Cron, "0 17 * * FRI#L"),
    ("once a year", Kind::Cron, "@yearly"),
    ("a Monday that is 29 February", Kind::Cron, "0 0 29 2 +MON"),
    (
        "the last second of the year 4000",
        Kind::Cron,
        "59 59 23 31 12 * 4000",
    ),
    ("every five minutes, as an interval", Kind::Interval, "300000"),
    ("one time", Kind::OneShot, "2030-01-31T18:00"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let zone = Zone::parse("Europe/Berlin")?;
    let now: Timestamp = "2026-11-22T14:00:00Z".parse()?;
    let mut out = io::stdout().lock();
    writeln!(out, "Europe/Berlin, {CALLS} calls each")?;
    for (what, kind, text) in SCHEDULES {
        let parse = || Schedule::parse(kind, black_box(text), &zone, now);
        let schedule = parse()?;
        let (parsing, _) = measure(parse);
        let (median, p99) = measure(|| schedule.next(black_box(now)));
        writeln!(
            out,
            "{what:<36} parse {parsing:>9.2?}  next {median:>9.2?}  p99 {p99:>9.2?}"
        )?;
    }
    let refuse = || Schedule::parse(Kind::Cron, black_box("0 0 30 2 *"), &zone, now);
    writeln!(
        out,
        "{:<36} parse {:>9.2?}",
        "30 February, refused",
        measure(refuse).0
    )?;
    Ok(())
}

/// Median and 99th percentile of one call.
fn measure<T>(mut call: impl FnMut() -> T) -> (Duration, Duration) {
    let mut times: Vec<Duration> = (0..CALLS)
        .map(|_| {
            let start = Instant::now();
            black_box(call());
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}
