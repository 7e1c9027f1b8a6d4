//! One message after another, in and out: how long each stands in the daemon.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use jiff::Timestamp;

use crate::{
    ceiling,
    host::{Answers, Host},
    lab::{DISCORD_CHANNEL, DISCORD_USER, Lab, USER, conversations, on_discord},
    samples::Samples,
    table::Row,
};

const IN_P50_MS: f64 = 2.0;
const IN_P99_MS: f64 = 10.0;
const OUT_P50_MS: f64 = 3.0;

/// Rounds that are not measured.
const WARM_UP: usize = 50;

/// By Slack's socket.
pub(crate) fn over_slack(lab: &Lab) -> Result<Vec<Row>> {
    let names = conversations(1);
    let (slack, home) = (lab.slack(&names), lab.home()?);
    let host = lab.connected(home.path(), &slack, &names, Answers::None)?;
    let stood = both_ways(lab, &host, |text| {
        slack.user_posts(&names[0], USER, text);
    })?;
    host.stop()?;
    let calls = slack.calls("chat.postMessage");
    let taken: Vec<Timestamp> = calls.iter().map(|call| call.at).collect();
    drop(slack);
    let mut rows = stood.rows("Socket Mode event", "`chat.postMessage`", &taken)?;
    rows.extend(ceiling::of_one_message(lab)?);
    Ok(rows)
}

/// By Discord's gateway.
pub(crate) fn over_discord(lab: &Lab) -> Result<Vec<Row>> {
    let (discord, home) = (lab.discord(), lab.home()?);
    let host = lab.connected_to(home.path(), &[(&discord, on_discord())], Answers::None)?;
    let stood = both_ways(lab, &host, |text| {
        discord.user_posts(DISCORD_CHANNEL, DISCORD_USER, text);
    })?;
    host.stop()?;
    let calls = discord.calls("create_message");
    let taken: Vec<Timestamp> = calls.iter().map(|call| call.at).collect();
    stood.rows("Discord gateway event", "create message", &taken)
}

/// How long messages stood in the daemon.
struct Stood {
    inward: Samples,
    /// When each was answered. The fakes' records have no other clock than the wall's.
    answered: Vec<Timestamp>,
}

/// Each message is answered, and the answer taken by the platform, before the next is written.
fn both_ways(lab: &Lab, host: &Host, says: impl Fn(&str)) -> Result<Stood> {
    let rounds = lab.count(1_000, 100);
    let mut inward = Samples::new()?;
    let mut answered = Vec::new();
    for round in 0..WARM_UP + rounds {
        let written = Instant::now();
        says(&format!("what about number {round}?"));
        let turn = host.turn()?;
        if round >= WARM_UP {
            inward.record(turn.at - written)?;
        }
        answered.push(Timestamp::now());
        host.answer(turn.id, &format!("number {round} is well"))?;
        host.sent()?;
    }
    Ok(Stood { inward, answered })
}

impl Stood {
    /// With the moments in which the platform was called.
    fn rows(&self, event: &str, call: &str, taken: &[Timestamp]) -> Result<Vec<Row>> {
        let answers = self.answered.len();
        ensure!(
            taken.len() == answers,
            "{answers} answers and {} calls",
            taken.len()
        );
        let mut outward = Samples::new()?;
        for (answered, taken) in self.answered.iter().zip(taken).skip(WARM_UP) {
            let took = taken.duration_since(*answered);
            outward.record(Duration::try_from(took).unwrap_or_default())?;
        }
        Ok(vec![inward_row(event, &self.inward), outward_row(call, &outward)])
    }
}

fn inward_row(event: &str, samples: &Samples) -> Row {
    let (p50, p99) = (samples.median(), samples.percentile(99.0));
    Row::new(
        format!("{event} → `process_message`"),
        format!("p50 {p50:.2} ms, p99 {p99:.2} ms"),
        &format!("p50 ≤ {IN_P50_MS} ms, p99 ≤ {IN_P99_MS} ms"),
        p50 <= IN_P50_MS && p99 <= IN_P99_MS,
    )
}

fn outward_row(call: &str, samples: &Samples) -> Row {
    let (p50, p99) = (samples.median(), samples.percentile(99.0));
    Row::new(
        format!("`message_processed` → {call}"),
        format!("p50 {p50:.2} ms, p99 {p99:.2} ms"),
        &format!("p50 ≤ {OUT_P50_MS} ms"),
        p50 <= OUT_P50_MS,
    )
}
