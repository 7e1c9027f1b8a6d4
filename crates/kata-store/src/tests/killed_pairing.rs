//! Dying at every durable step of pairing: nobody is let in twice, told twice, or let in without being told.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::{OpenOptions, PAIRING_KILL_POINTS, PairingState, Store};

use super::{
    pairing::{confirm, knock},
    support::Fixture,
};

/// Names the folder that the dying process works in.
const FOLDER: &str = "KATA_STORE_PAIRING_VICTIM";

fn open(folder: &Path) -> Store {
    let options: OpenOptions = Fixture::new().options;
    Store::open(&folder.join("daemon.db"), options).unwrap().store
}

/// Two strangers ask and are let in, and one is put out again. It goes on from wherever an earlier life ended.
async fn live(folder: &Path) {
    let store = open(folder);
    let channel = store.channel("w", "s").await.unwrap().id;
    for (id, sender) in [(1, "U1"), (2, "U2")] {
        knock(&store, channel, sender, id).await;
    }
    for pairing in store.pairings(true, None, 10).await.unwrap() {
        if pairing.state == PairingState::Asked {
            confirm(&store, &pairing.code).await;
        }
        if pairing.sender == "U2" {
            store.unpair(pairing.id, "U0").await.unwrap();
        }
    }
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
    runtime.block_on(live(Path::new(&folder)));
}

/// Runs a process on the folder; whether it died.
fn dies(folder: &Path, failpoints: &str) -> bool {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::killed_pairing::victim"])
        .env(FOLDER, folder)
        .env("FAILPOINTS", failpoints)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    !status.success()
}

async fn check(folder: &Path, point: &str) {
    let store = open(folder);
    let channel = store.channel("w", "s").await.unwrap().id;
    assert_eq!(store.paired(channel).await.unwrap(), ["U1"], "after {point}");
    let all = store.pairings(true, None, 10).await.unwrap();
    assert_eq!(all.len(), 2, "after {point}");
    let said = store
        .messages(crate::MessageFilter::default(), None, 100)
        .await
        .unwrap();
    let heard = said
        .iter()
        .filter(|row| row.content == "you are heard now")
        .count();
    let codes = said
        .iter()
        .filter(|row| row.content.starts_with("your code"))
        .count();
    assert_eq!((heard, codes), (2, 2), "after {point}");
    store.close().await.unwrap();
}

#[tokio::test]
async fn dying_at_any_step_of_pairing_lets_each_sender_in_once() {
    let steps = PAIRING_KILL_POINTS.iter().chain(&["admit"]);
    for point in steps.flat_map(|name| ["before", "after"].map(|when| format!("{name}.{when}_commit"))) {
        for passes in ["", "1*off->"] {
            let folder = tempfile::tempdir().unwrap();
            let died = dies(folder.path(), &format!("{point}={passes}return"));
            assert!(died || !passes.is_empty(), "nobody passes {point}");
            assert!(!dies(folder.path(), ""), "no life after {point}");
            check(folder.path(), &point).await;
        }
    }
}
