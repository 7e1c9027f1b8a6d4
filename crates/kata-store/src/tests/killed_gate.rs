//! Dying at every durable step of the gate: no use is taken twice, no answer counts twice, and the chain holds.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    ApprovalDecision, ApprovalState, GATE_KILL_POINTS, GrantFilter, HeadStanding, OpenOptions, Ruling, Store,
    View,
};

use super::{
    desk::{counted, judged, open, question, resolve, rule},
    support::{Fixture, claim, message, push},
};

/// Names the folder that the dying process works in.
const FOLDER: &str = "KATA_STORE_GATE_VICTIM";
/// What the rule of the file allows.
const USES: u64 = 2;

/// What a call does, once it is let through: a line in a file, before which nothing else may stand in for it.
fn run(folder: &Path, what: &str) {
    let file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("ran"));
    writeln!(file.unwrap(), "{what}").unwrap();
}

/// Asks about a call, allows it, runs it; uses a rule up; lets one question expire, withdraws one, revokes a grant. It
/// goes on from wherever an earlier life ended.
async fn live(folder: &Path) {
    let fixture = Fixture::new();
    let options = OpenOptions {
        audit_head: Some(folder.join("daemon.audit")),
        max_attempts: 100,
        ..fixture.options.clone()
    };
    let store = Store::open(&folder.join("daemon.db"), options).unwrap().store;
    let id = store.channel("w", "s").await.unwrap().id;
    store
        .sync_file_grants("w", vec![rule("two", Some(USES), None)])
        .await
        .unwrap();
    push(&store, id, message("C1", 1)).await;
    // The attempt that an earlier life left open is over, and the next one is due later.
    fixture.advance(std::time::Duration::from_secs(60));
    let turn = match claim(&store, id).await {
        Some(turn) => turn.id,
        None => {
            store
                .messages(crate::MessageFilter::default(), None, 100)
                .await
                .unwrap()
                .pop()
                .unwrap()
                .id
        }
    };
    if !folder.join("ran").exists() {
        call(&store, folder, id, turn).await;
    }
    while counted(&store, "two", Some(USES)).await.decision == Ruling::Allow {
        run(folder, "two");
    }
    let brief = crate::NewApproval {
        expires_at: fixture.now(),
        ..question(id, "C1", turn, "brief", fixture.now())
    };
    store.open_approval(brief).await.unwrap();
    store.expire_approvals().await.unwrap();
    open(&store, question(id, "C1", turn, "idle", fixture.now())).await;
    store.withdraw_approvals(turn).await.unwrap();
    let hour = open(&store, question(id, "C1", turn, "hour", fixture.now()))
        .await
        .approval;
    resolve(&store, hour.id, ApprovalDecision::AllowHour).await;
    // An earlier life may have left its own.
    for grant in store.grants(GrantFilter::default(), None, 100).await.unwrap() {
        if grant.digest.as_deref() == Some("hour") {
            store.revoke_grant(grant.id, "U1").await.unwrap();
        }
    }
    assert_eq!(judged(&store, id, "C1", turn, "hour").await.decision, Ruling::Ask);
    store.close().await.unwrap();
}

/// As the gate does it: asked until a grant lets it through.
async fn call(store: &Store, folder: &Path, id: crate::ChannelId, turn: i64) {
    loop {
        let now = Fixture::new().now();
        if judged(store, id, "C1", turn, "once").await.decision == Ruling::Allow {
            run(folder, "once");
            return;
        }
        let approval = open(store, question(id, "C1", turn, "once", now)).await.approval;
        assert_eq!(approval.state, ApprovalState::Open);
        resolve(store, approval.id, ApprovalDecision::AllowOnce).await;
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
        .args(["--exact", "tests::killed_gate::victim"])
        .env(FOLDER, folder)
        .env("FAILPOINTS", failpoints)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    !status.success()
}

fn check(folder: &Path, point: &str) {
    let ran = fs::read_to_string(folder.join("ran")).unwrap_or_default();
    let times = |what: &str| u64::try_from(ran.lines().filter(|line| *line == what).count()).unwrap();
    // A use that was taken by a call that then did not run is lost, and never taken twice.
    assert_eq!(times("once"), 1, "after {point}");
    assert!(times("two") <= USES, "after {point}");
    let view = View::open_read_only(&folder.join("daemon.db")).unwrap();
    let grants = view.grants(&GrantFilter::default(), None, 100).unwrap();
    assert!(
        grants
            .iter()
            .all(|grant| grant.uses.is_none_or(|uses| grant.used <= uses))
    );
    let file = grants.iter().filter(|grant| grant.approval.is_none()).count();
    assert_eq!(file, 1, "after {point}");
    let report = view.verify_audit(&folder.join("daemon.audit")).unwrap();
    assert_eq!(
        (report.broken, report.disputes, report.head),
        (None, 0, HeadStanding::Same),
        "after {point}"
    );
}

#[test]
fn dying_at_any_step_of_the_gate_takes_no_use_twice_and_breaks_no_chain() {
    for point in GATE_KILL_POINTS
        .iter()
        .flat_map(|name| ["before", "after"].map(|when| format!("{name}.{when}_commit")))
    {
        for passes in ["", "1*off->"] {
            let folder = tempfile::tempdir().unwrap();
            let died = dies(folder.path(), &format!("{point}={passes}return"));
            assert!(died || !passes.is_empty(), "nobody passes {point}");
            if died {
                // A crash between a commit and its head leaves the head behind, and nothing else.
                let view = View::open_read_only(&folder.path().join("daemon.db")).unwrap();
                let head = view
                    .verify_audit(&folder.path().join("daemon.audit"))
                    .unwrap()
                    .head;
                let fits = matches!(head, HeadStanding::Same | HeadStanding::Behind { .. });
                assert!(fits, "after {point}: {head:?}");
            }
            assert!(!dies(folder.path(), ""), "no life after {point}");
            check(folder.path(), &point);
        }
    }
}
