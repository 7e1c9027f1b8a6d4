//! Dying at every durable step. The test runs itself as the process that dies.

use std::{
    collections::HashSet,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use crate::{
    Answer, Claim, KILL_POINTS, OpenOptions, OutClaim, OutWork, Part, Retention, Settle, Store, UnixMs,
};

use super::support::{Fixture, START, admit, failure, message};

/// Names the folder that the dying process works in.
const FOLDER: &str = "KATA_STORE_VICTIM";
const DAY: Duration = Duration::from_secs(24 * 3600);
const RETENTION: Retention = Retention {
    processed: DAY,
    failed: DAY,
    tombstones: DAY,
    audit: DAY,
};

/// Time goes on through deaths: it starts later in each life, and moves with each look at it.
static NOW: AtomicI64 = AtomicI64::new(0);

fn options(folder: &Path) -> OpenOptions {
    let lives = fs::read_to_string(folder.join("lives")).map_or(0, |lives| lives.len());
    fs::write(folder.join("lives"), "x".repeat(lives + 1)).unwrap();
    NOW.store(
        START + i64::try_from(lives).unwrap() * 3_600_000,
        Ordering::SeqCst,
    );
    let now = || UnixMs(NOW.fetch_add(30_000, Ordering::SeqCst));
    OpenOptions {
        now: std::sync::Arc::new(now),
        ..Fixture::new().options
    }
}

/// The platform: a file with a line a message that it has.
struct Platform(PathBuf);

impl Platform {
    fn post(&self, part: &Part) {
        let mut file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.0)
            .unwrap();
        writeln!(file, "{}\t{}", part.key, part.text).unwrap();
    }

    fn texts(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.0).unwrap_or_default();
        text.lines()
            .filter_map(|line| line.split_once('\t'))
            .map(|(_, text)| text.to_owned())
            .collect()
    }

    fn has(&self, part: &Part) -> bool {
        fs::read_to_string(&self.0)
            .unwrap_or_default()
            .lines()
            .any(|line| line.starts_with(&part.key))
    }
}

/// Takes four messages in, each of which has its own trouble, and answers them. It goes on from wherever an earlier
/// life ended.
async fn live(folder: &Path) {
    let store = Store::open(&folder.join("daemon.db"), options(folder))
        .unwrap()
        .store;
    let platform = Platform(folder.join("platform"));
    let channel = store.channel("w", "s").await.unwrap().id;
    store.adopt(500).await.unwrap();
    for (n, text) in [(1, "fail"), (2, "busy"), (3, "give_back"), (4, "cancel")] {
        let new = crate::NewMessage {
            content: text.to_owned(),
            ..message(&format!("C{n}"), n)
        };
        admit(&store, channel, vec![crate::Arrival::Turn(new)], None)
            .await
            .unwrap();
    }
    let mut troubled = HashSet::new();
    loop {
        match store.claim(vec![(channel, 1)]).await.unwrap() {
            Claim::Turn(turn) => run(&store, turn.id, &turn.rows[0].content, &mut troubled).await,
            Claim::Nothing { next_due: Some(_) } => {}
            Claim::Nothing { next_due: None } => break,
        }
    }
    loop {
        match store.claim_out(vec![channel]).await.unwrap() {
            OutClaim::Work(work) => send(&store, &platform, work).await,
            OutClaim::Nothing { next_due: Some(_) } => {}
            OutClaim::Nothing { next_due: None } => break,
        }
    }
    store.sweep(&RETENTION).await.unwrap();
    store.close().await.unwrap();
}

async fn run(store: &Store, turn: i64, text: &str, troubled: &mut HashSet<i64>) {
    let answer = || {
        Some(Answer {
            content: format!("to {text}"),
            parts: None,
        })
    };
    match text {
        "fail" if troubled.insert(turn) => drop(store.fail(turn, failure("on purpose")).await.unwrap()),
        "busy" if troubled.insert(turn) => {
            store.busy(turn, UnixMs(0), DAY, failure("busy")).await.unwrap();
        }
        "give_back" if troubled.insert(turn) => store.give_back(turn).await.unwrap(),
        "cancel" => drop(store.cancel(turn, "on purpose").await.unwrap()),
        _ => drop(store.finish(turn, answer()).await.unwrap()),
    }
}

async fn send(store: &Store, platform: &Platform, work: OutWork) {
    match work {
        OutWork::Prepare(raw) => store.prepare(raw.id, vec![raw.content]).await.unwrap(),
        OutWork::Send(part) => {
            platform.post(&part);
            store
                .settle(part.id, Settle::Sent { platform_id: None })
                .await
                .unwrap();
        }
        OutWork::ReadBack(part) => {
            let found = if platform.has(&part) {
                Settle::Sent { platform_id: None }
            } else {
                Settle::Absent
            };
            store.settle(part.id, found).await.unwrap();
        }
    }
}

/// The process that dies. Without a folder it is not meant, and does nothing.
#[test]
fn victim() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let _scenario = fail::FailScenario::setup();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(live(Path::new(&folder)));
}

/// Runs a process on the folder; whether it died.
fn dies(folder: &Path, failpoints: &str) -> bool {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::killed::victim"])
        .env(FOLDER, folder)
        .env("FAILPOINTS", failpoints)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    !status.success()
}

/// A message that the 0.7 daemon left.
fn leave_old_row(folder: &Path) {
    let conn = rusqlite::Connection::open(folder.join("daemon.db")).unwrap();
    conn.execute_batch(include_str!("../migrations/0001_kata_0_7.sql"))
        .unwrap();
    let payload =
        r#"{"id":"0","content":"old","metadata":{"workspaceId":"w","slackChannel":"C0","sessionKey":"k"}}"#;
    conn.execute(
        "INSERT INTO messages (direction, channel_id, payload) VALUES ('inbound', 's', ?1)",
        [payload],
    )
    .unwrap();
}

#[test]
fn dying_at_any_durable_step_loses_nothing_and_says_nothing_twice() {
    for point in KILL_POINTS
        .iter()
        .flat_map(|name| ["before", "after"].map(|when| format!("{name}.{when}_commit")))
    {
        // The second time that it is passed as well: then something is already there to lose.
        for passes in ["", "1*off->"] {
            let folder = tempfile::tempdir().unwrap();
            leave_old_row(folder.path());
            let died = dies(folder.path(), &format!("{point}={passes}return"));
            assert!(died || !passes.is_empty(), "nobody passes {point}");
            assert!(!dies(folder.path(), ""), "no life after {point}");
            let mut texts = Platform(folder.path().join("platform")).texts();
            texts.sort_unstable();
            assert_eq!(
                texts,
                ["to busy", "to fail", "to give_back", "to old"],
                "after {passes}{point}"
            );
        }
    }
}
