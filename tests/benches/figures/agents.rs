//! What agents cost beside their own memory: for each warm session a guard, and the server that brings it our tools.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use kata_testkit::host::AcpAgent;

use crate::{
    host::Answers,
    lab::{Lab, USER, conversations, on_slack},
    table::Row,
};

/// How long an answer may take; it is there or it is not.
const PATIENCE: Duration = Duration::from_secs(60);

/// Memory of all processes of a kind, and how many there are.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    processes: u32,
    mib: f64,
}

/// One, four and eight warm `acp` sessions, each with its MCP server. The agent itself is a small program: what a real one
/// needs comes on top.
pub(crate) fn warm(lab: &Lab) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for sessions in if lab.quick { vec![1] } else { vec![0, 1, 4, 8] } {
        let kinds = measure(lab, sessions)?;
        let said: Vec<String> = kinds
            .iter()
            .map(|(kind, sum)| format!("{kind} {:.1} MiB in {}", sum.mib, sum.processes))
            .collect();
        rows.push(Row::note(
            format!("{sessions} warm agents, proportional memory"),
            said.join(", "),
        ));
    }
    Ok(rows)
}

fn measure(lab: &Lab, sessions: usize) -> Result<BTreeMap<String, Sum>> {
    let names = conversations(sessions.max(1));
    let (slack, home) = (lab.slack(&names), lab.home()?);
    let channel = on_slack(&names).agent(&AcpAgent::new());
    let host = lab.connected_to(home.path(), &[(&slack, channel)], Answers::None)?;
    for name in names.iter().take(sessions) {
        slack.user_posts(name, USER, "do: tools");
    }
    let answers = || slack.posted().len();
    let since = Instant::now();
    while answers() < sessions {
        if since.elapsed() > PATIENCE {
            bail!("only {} of {sessions} agents answered", answers());
        }
        sleep(Duration::from_millis(50));
    }
    let kinds = family(host.pid())?;
    host.stop()?;
    Ok(kinds)
}

/// The memory of a process and all that came from it, by kind. Proportional: what several share is divided among them.
fn family(root: u32) -> Result<BTreeMap<String, Sum>> {
    let mut kinds: BTreeMap<String, Sum> = BTreeMap::new();
    let mut open = vec![root];
    while let Some(pid) = open.pop() {
        let folder = format!("/proc/{pid}");
        let folder = Path::new(&folder);
        open.extend(children(folder)?);
        let words = fs::read(folder.join("cmdline")).unwrap_or_default();
        let sum = kinds.entry(kind(&words)).or_default();
        sum.processes += 1;
        sum.mib += proportional(folder)? / 1024.0;
    }
    Ok(kinds)
}

/// What a process is, by its command line: the daemon, its subcommands, or another program's name.
fn kind(command_line: &[u8]) -> String {
    let words: Vec<String> = command_line
        .split(|byte| *byte == 0)
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    let program = words
        .first()
        .and_then(|path| path.rsplit('/').next())
        .unwrap_or_default();
    match words.get(1).map(String::as_str) {
        Some(sub @ ("guard" | "tools")) if program == "katad" => format!("katad {sub}"),
        _ => program.to_owned(),
    }
}

fn children(process: &Path) -> Result<Vec<u32>> {
    let mut found = Vec::new();
    for task in fs::read_dir(process.join("task")).context("this figure needs /proc")? {
        let text = fs::read_to_string(task?.path().join("children")).unwrap_or_default();
        found.extend(text.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
    }
    Ok(found)
}

/// In KiB.
fn proportional(process: &Path) -> Result<f64> {
    let text = fs::read_to_string(process.join("smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    let word = line
        .and_then(|rest| rest.split_whitespace().next())
        .unwrap_or("0");
    Ok(word.parse()?)
}
