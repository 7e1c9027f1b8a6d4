//! What the daemon costs while nothing happens: memory, and how often it wakes the processor.

use std::{collections::HashMap, fs, path::Path, thread::sleep, time::Duration};

use anyhow::{Context, Result};
use kata_testkit::{Platform, host::Channel};

use crate::{
    host::{Answers, Host},
    lab::{Lab, conversations, on_discord, on_gmail, on_slack},
    table::Row,
};

const RSS_MIB: f64 = 16.0;
pub(crate) const WAKE_UPS: f64 = 2.0;

/// Connected to Slack by a socket that is pinged now and then, as Slack does; then with Discord's beside it, whose heartbeat is
/// 41 s; then with a mailbox too, looked at once a minute.
pub(crate) fn at_rest(lab: &Lab) -> Result<Vec<Row>> {
    let names = conversations(1);
    let (slack, discord, gmail) = (lab.slack(&names), lab.discord(), lab.gmail());
    let channels: [(&dyn Platform, Channel); 3] = [
        (&slack, on_slack(&names)),
        (&discord, on_discord()),
        (&gmail, on_gmail()),
    ];
    let mut rows = Vec::new();
    for (count, who) in [
        (1, "Slack"),
        (2, "Slack and Discord"),
        (3, "Slack, Discord and Gmail"),
    ] {
        rows.extend(connected(lab, who, &channels[..count])?);
    }
    Ok(rows)
}

fn connected(lab: &Lab, who: &str, channels: &[(&dyn Platform, Channel)]) -> Result<[Row; 2]> {
    let home = lab.home()?;
    let host = lab.connected_to(home.path(), channels, Answers::None)?;
    let Rest {
        resident,
        threads,
        wake_ups: a_second,
    } = rest(lab, &host)?;
    host.stop()?;
    Ok([
        Row::new(
            format!("idle, {who} connected: resident memory"),
            format!("{resident:.1} MiB, {threads} threads"),
            &format!("≤ {RSS_MIB} MiB"),
            resident <= RSS_MIB,
        ),
        Row::new(
            format!("idle, {who} connected: wake-ups"),
            format!("{a_second:.2}/s"),
            &format!("≤ {WAKE_UPS}/s"),
            a_second <= WAKE_UPS,
        ),
    ])
}

/// A daemon that has nothing to do.
pub(crate) struct Rest {
    /// MiB.
    resident: f64,
    threads: usize,
    /// A second.
    pub(crate) wake_ups: f64,
}

/// Watches a daemon for a while.
pub(crate) fn rest(lab: &Lab, host: &Host) -> Result<Rest> {
    let (settle, watch) = if lab.quick { (1, 4) } else { (5, 20) };
    let (settle, watch) = (Duration::from_secs(settle), Duration::from_secs(watch));
    let folder = format!("/proc/{}", host.pid());
    let folder = Path::new(&folder);
    sleep(settle);
    let resident = number(&folder.join("status"), "VmRSS:")? / 1024.0;
    let before = switches(folder)?;
    sleep(watch);
    let after = switches(folder)?;
    // A thread that is gone has taken its count with it.
    let wakes = |(thread, count): (&String, &f64)| count - before.get(thread).unwrap_or(&0.0);
    Ok(Rest {
        resident,
        threads: after.len(),
        wake_ups: after.iter().map(wakes).sum::<f64>() / watch.as_secs_f64(),
    })
}

/// How often each thread has gone to sleep by itself, which is how often it was woken.
fn switches(process: &Path) -> Result<HashMap<String, f64>> {
    let mut counts = HashMap::new();
    for task in fs::read_dir(process.join("task"))? {
        let task = task?;
        let count = number(&task.path().join("status"), "voluntary_ctxt_switches:")?;
        counts.insert(task.file_name().to_string_lossy().into_owned(), count);
    }
    Ok(counts)
}

/// The number that follows `field` in a status file of /proc.
fn number(status: &Path, field: &str) -> Result<f64> {
    let text = fs::read_to_string(status).context("this figure needs /proc")?;
    let found = text.lines().find_map(|line| line.strip_prefix(field));
    let word = found.and_then(|rest| rest.split_whitespace().next());
    Ok(word.with_context(|| format!("no {field} in /proc"))?.parse()?)
}
