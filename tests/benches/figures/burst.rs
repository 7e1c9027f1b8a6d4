//! Very many events at once: stored, and acknowledged because they are stored.

use anyhow::Result;

use crate::{
    ceiling,
    firehose::{Firehose, Plan},
    host::Answers,
    lab::{Lab, conversations},
    table::{Row, thousands},
};

const A_SECOND: f64 = 10_000.0;

/// Pushed as fast as the socket takes them, until the last acknowledgement. The host answers nothing: three turns are
/// open, all else waits.
pub(crate) fn stored_and_acknowledged(lab: &Lab) -> Result<Vec<Row>> {
    let events = lab.count(30_000, 2_000);
    let names = conversations(10);
    let plan = Plan::new(&names, events);
    let home = lab.home()?;
    let slack = Firehose::start(lab, plan)?;
    let host = lab.connected(home.path(), &slack, &names, Answers::None)?;
    let took = slack.flood()?;
    host.received(events)?;
    host.stop()?;
    let rate = f64::from(u32::try_from(events)?) / took.as_secs_f64();
    Ok(vec![
        Row::new(
            "events stored and acknowledged",
            format!("{}/s", thousands(rate)),
            &format!("≥ {}/s", thousands(A_SECOND)),
            rate >= A_SECOND,
        ),
        ceiling::of_the_firehose(lab)?,
    ])
}
