//! A queue that is full, and a host that answers at once.

use std::collections::HashSet;

use anyhow::{Result, ensure};

use crate::{
    backlog::{self, Rows},
    host::Answers,
    lab::{Lab, conversations},
    table::{Row, thousands},
};

const A_SECOND: f64 = 2_000.0;

/// From the first turn to the last one's answer; each is a durable claim and a durable end.
pub(crate) fn waiting_rows(lab: &Lab) -> Result<Vec<Row>> {
    let rows = lab.count(10_000, 1_000);
    let names = conversations(20);
    let (slack, home) = (lab.slack(&names), lab.home()?);
    backlog::fill(lab, home.path(), &names, Rows::Pending, rows)?;

    let host = lab.connected(home.path(), &slack, &names, Answers::Empty)?;
    let first = host.turn()?;
    let mut seen = HashSet::from([first.id]);
    let mut last = first;
    while seen.len() < rows {
        last = host.turn()?;
        seen.insert(last.id);
    }
    host.stop()?;
    ensure!(
        backlog::nothing_waits(lab, home.path())?,
        "a row still waits after all were answered"
    );
    let rows = u32::try_from(rows)?;
    let rate = f64::from(rows) / (last.at - first.at).as_secs_f64();
    Ok(vec![Row::new(
        format!("drain of {} waiting rows, all durable", thousands(rows)),
        format!("{}/s", thousands(rate)),
        &format!("≥ {}/s", thousands(A_SECOND)),
        rate >= A_SECOND,
    )])
}
