//! Dying while a transcript is compacted or a session ends: what was said is there, whole and once.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use crate::{OpenOptions, Retention, SESSION_KILL_POINTS, Store, UnixMs};

use super::{
    support::{Fixture, START, channel, claim, message, push},
    talk::{KEY, exchange, fold, session, shown, texts},
};

/// Names the folder that the dying process works in.
const FOLDER: &str = "KATA_STORE_SESSION_VICTIM";
const DAY: Duration = Duration::from_secs(24 * 3600);
const RETENTION: Retention = Retention {
    processed: DAY,
    failed: DAY,
    tombstones: DAY,
    audit: DAY,
};
/// So many exchanges, of which each but the first is compacted with the summary before it.
const EXCHANGES: i64 = 3;

fn options(now: i64) -> OpenOptions {
    OpenOptions {
        now: std::sync::Arc::new(move || UnixMs(now)),
        max_attempts: 100,
        ..Fixture::new().options
    }
}

/// Talks, compacting as it goes, and comes back two days later. It goes on from wherever an earlier life ended.
async fn live(folder: &Path) {
    let path = folder.join("daemon.db");
    let store = Store::open(&path, options(START)).unwrap().store;
    let id = channel(&store).await;
    for n in 0..EXCHANGES {
        push(&store, id, message("C1", n)).await;
    }
    while let Some(turn) = claim(&store, id).await {
        let n = turn.rows[0].platform_id.as_ref().unwrap().parse().unwrap();
        store.finish_recorded(turn.id, None, exchange(n)).await.unwrap();
    }
    while shown(&store, id).await.len() > 3 {
        let before = shown(&store, id).await;
        let told: Vec<_> = before
            .iter()
            .take(3)
            .map(|kept| kept.entry.text.as_str())
            .collect();
        let summary = told.join("+");
        assert!(store.compact(fold(id, &before, 3, &summary)).await.unwrap());
    }
    fs::write(folder.join("told"), texts(&store, id).await.join("+")).unwrap();
    assert_eq!(session(&store, id).await.compactions, 2);
    store.close().await.unwrap();
    let later = START + i64::try_from(DAY.as_millis()).unwrap() * 2;
    let store = Store::open(&path, options(later)).unwrap().store;
    while store.expire_sessions(&RETENTION).await.unwrap().more {}
    store.expire_sessions(&RETENTION).await.unwrap();
    store.close().await.unwrap();
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
    let folder = Path::new(&folder);
    if folder.join("told").exists() {
        // Its talk was over in an earlier life: only the end is left.
        return runtime.block_on(end(folder));
    }
    runtime.block_on(live(folder));
}

async fn end(folder: &Path) {
    let later = START + i64::try_from(DAY.as_millis()).unwrap() * 2;
    let store = Store::open(&folder.join("daemon.db"), options(later))
        .unwrap()
        .store;
    while store.expire_sessions(&RETENTION).await.unwrap().more {}
    store.close().await.unwrap();
}

/// Runs a process on the folder; whether it died.
fn dies(folder: &Path, failpoints: &str) -> bool {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::killed_sessions::victim"])
        .env(FOLDER, folder)
        .env("FAILPOINTS", failpoints)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    !status.success()
}

#[tokio::test]
async fn dying_while_a_session_is_compacted_or_ends_loses_nothing_and_folds_nothing_twice() {
    for point in SESSION_KILL_POINTS
        .iter()
        .flat_map(|name| ["before", "after"].map(|when| format!("{name}.{when}_commit")))
    {
        for passes in ["", "1*off->"] {
            let folder = tempfile::tempdir().unwrap();
            let died = dies(folder.path(), &format!("{point}={passes}return"));
            assert!(died, "nobody passes {passes}{point}");
            assert!(!dies(folder.path(), ""), "no life after {point}");
            assert_eq!(
                fs::read_to_string(folder.path().join("told")).unwrap(),
                "question 0+answer 0+question 1+answer 1+question 2+answer 2",
                "after {passes}{point}"
            );
            let store = Store::open(&folder.path().join("daemon.db"), options(START))
                .unwrap()
                .store;
            let id = channel(&store).await;
            let session = store.session(id, KEY).await.unwrap().unwrap();
            assert_eq!(session.ended_why.as_deref(), Some("retention"), "after {point}");
            assert!(shown(&store, id).await.is_empty(), "after {point}");
        }
    }
}
