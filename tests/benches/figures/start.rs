//! From the process's start to `running`: with nothing, with little and with very much in the database.

use std::path::Path;

use anyhow::Result;

use crate::{
    backlog::{self, Rows},
    host::{Answers, Host},
    lab::Lab,
    samples::Samples,
    table::{Row, thousands},
};

const COLD_MS: f64 = 15.0;
const BACKLOG_MS: f64 = 50.0;

/// In a directory that was used before, and in an empty one, where the database is made.
pub(crate) fn cold(lab: &Lab) -> Result<Vec<Row>> {
    let runs = lab.count(50, 20);
    let mut first = Samples::new()?;
    for _ in 0..runs {
        start(lab, lab.home()?.path(), &mut first)?;
    }
    let home = lab.home()?;
    let again = starts(lab, home.path(), runs)?;
    Ok(vec![
        row("cold start to `running`", &again, COLD_MS),
        row("cold start in an empty directory", &first, COLD_MS),
    ])
}

/// Start-up must not read the backlog, nor what is done.
pub(crate) fn with_a_backlog(lab: &Lab) -> Result<Vec<Row>> {
    let rows = lab.count(1_000_000, 20_000);
    let runs = lab.count(20, 5);
    let processed = starts(lab, &backlog::kept(lab, Rows::Processed, rows)?, runs)?;
    let pending = starts(lab, &backlog::kept(lab, Rows::Pending, rows)?, runs)?;
    let many = thousands(u32::try_from(rows)?);
    Ok(vec![
        row(
            &format!("start with {many} rows processed"),
            &processed,
            BACKLOG_MS,
        ),
        row(&format!("start with {many} rows pending"), &pending, BACKLOG_MS),
    ])
}

/// Starts in the same directory, after one that does not count.
fn starts(lab: &Lab, home: &Path, runs: usize) -> Result<Samples> {
    start(lab, home, &mut Samples::new()?)?;
    let mut samples = Samples::new()?;
    for _ in 0..runs {
        start(lab, home, &mut samples)?;
    }
    Ok(samples)
}

fn start(lab: &Lab, home: &Path, samples: &mut Samples) -> Result<()> {
    let host = Host::spawn(&lab.katad, home, &[], Answers::None)?;
    samples.record(host.running()?)?;
    host.stop()
}

fn row(figure: &str, samples: &Samples, goal: f64) -> Row {
    let median = samples.median();
    let value = format!("{median:.1} ms median, {:.1} ms at most", samples.max());
    Row::new(figure, value, &format!("≤ {goal} ms median"), median <= goal)
}
