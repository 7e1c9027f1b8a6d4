//! One message after another, in and out: how long each stands in the daemon.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use jiff::Timestamp;

use crate::{
    ceiling,
    host::Answers,
    lab::{Lab, USER, conversations},
    samples::Samples,
    table::Row,
};

const IN_P50_MS: f64 = 2.0;
const IN_P99_MS: f64 = 10.0;
const OUT_P50_MS: f64 = 3.0;

/// Each message is answered, and the answer taken by Slack, before the next is written.
pub(crate) fn both_ways(lab: &Lab) -> Result<Vec<Row>> {
    let (warm_up, rounds) = (50, lab.count(1_000, 100));
    let names = conversations(1);
    let (slack, home) = (lab.slack(&names), lab.home()?);
    let host = lab.connected(home.path(), &slack.api_url(), &names, Answers::None)?;

    let mut inward = Samples::new()?;
    let mut answered = Vec::new();
    for round in 0..warm_up + rounds {
        let written = Instant::now();
        slack.user_posts(&names[0], USER, &format!("what about number {round}?"));
        let turn = host.turn()?;
        if round >= warm_up {
            inward.record(turn.at - written)?;
        }
        // Slack's record has no other clock than the wall's.
        answered.push(Timestamp::now());
        host.answer(turn.id, &format!("number {round} is well"))?;
        host.sent()?;
    }
    host.stop()?;

    let calls = slack.calls("chat.postMessage");
    ensure!(
        calls.len() == answered.len(),
        "{} answers and {} calls",
        answered.len(),
        calls.len()
    );
    let mut outward = Samples::new()?;
    for (answer, call) in answered.iter().zip(&calls).skip(warm_up) {
        let took = call.at.duration_since(*answer);
        outward.record(Duration::try_from(took).unwrap_or_default())?;
    }
    drop(slack);
    let mut rows = vec![inward_row(&inward), outward_row(&outward)];
    rows.extend(ceiling::of_one_message(lab)?);
    Ok(rows)
}

fn inward_row(samples: &Samples) -> Row {
    let (p50, p99) = (samples.median(), samples.percentile(99.0));
    Row::new(
        "Socket Mode event → `process_message`",
        format!("p50 {p50:.2} ms, p99 {p99:.2} ms"),
        &format!("p50 ≤ {IN_P50_MS} ms, p99 ≤ {IN_P99_MS} ms"),
        p50 <= IN_P50_MS && p99 <= IN_P99_MS,
    )
}

fn outward_row(samples: &Samples) -> Row {
    let (p50, p99) = (samples.median(), samples.percentile(99.0));
    Row::new(
        "`message_processed` → `chat.postMessage`",
        format!("p50 {p50:.2} ms, p99 {p99:.2} ms"),
        &format!("p50 ≤ {OUT_P50_MS} ms"),
        p50 <= OUT_P50_MS,
    )
}
