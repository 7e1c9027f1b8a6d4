//! Dying at every durable step of a scheduled task: no run is made twice, and none is forgotten.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use crate::{
    Claim, Fire, FireEnd, FireState, Fired, MessageFilter, NewTask, NextRun, OpenOptions, Skipped, Store,
    TASK_KILL_POINTS, Task, TaskFilter, View,
};

use super::{
    planner::{action, create, slot, task, turn},
    support::Fixture,
};

/// Names the folder that the dying process works in.
const FOLDER: &str = "KATA_STORE_TASK_VICTIM";
/// A task has this many runs.
const RUNS: i64 = 3;

fn run(folder: &Path, what: &str) {
    let file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("ran"));
    writeln!(file.unwrap(), "{what}").unwrap();
}

/// The task of that name, made when an earlier life has not.
async fn named(store: &Store, name: &str) -> Task {
    loop {
        let tasks = store.tasks(TaskFilter::default(), None, 100).await.unwrap();
        if let Some(found) = tasks.into_iter().find(|task| task.schedule == name) {
            return found;
        }
        let new = NewTask {
            schedule: name.to_owned(),
            ..task()
        };
        create(store, new).await;
    }
}

async fn turns(store: &Store) {
    while let Claim::Turn(turn) = store.claim_task(Vec::new()).await.unwrap() {
        store.finish(turn.id, None).await.unwrap();
    }
}

/// One run of a task that is due.
async fn due(store: &Store, folder: &Path, task: &Task) {
    let slot_of = task.next_run.unwrap();
    let n = (0..RUNS).find(|n| slot(*n) == slot_of).unwrap();
    let next_run = if n + 1 < RUNS {
        NextRun::At(slot(n + 1))
    } else {
        NextRun::Never
    };
    let fire = match task.schedule.as_str() {
        "turn" => turn(task.id, n, "daemon-s-0123456789ab"),
        _ => action(task.id, n),
    };
    match store.fire(Fire { next_run, ..fire }).await.unwrap() {
        Fired::Taken { fire, turn: None } => {
            run(folder, &format!("action {n}"));
            store.end_fire(fire, FireEnd::Done).await.unwrap();
        }
        Fired::Taken { .. } => {}
        other => panic!("{other:?}"),
    }
}

/// Makes a task of turns and one of actions, and runs them to their end; skips, pauses, parks and cancels a third one.
async fn live(folder: &Path) {
    let fixture = Fixture::new();
    let options = OpenOptions {
        max_attempts: 100,
        ..fixture.options.clone()
    };
    let store = Store::open(&folder.join("daemon.db"), options).unwrap().store;
    // An attempt that an earlier life left open is over, and the next one is due.
    fixture.advance(Duration::from_secs(3_600));
    turns(&store).await;
    named(&store, "turn").await;
    named(&store, "action").await;
    let third = named(&store, "third").await.id;
    let missed = Skipped {
        task: third,
        slot: slot(0),
        slots: 2,
        reason: "missed".to_owned(),
        next_run: NextRun::Stays,
    };
    store.record_skipped(missed).await.unwrap();
    store.park_task(third, "why").await.unwrap();
    store.set_task_enabled(third, false, None).await.unwrap();
    store.cancel_task(third).await.unwrap();
    while store.next_task_due().await.unwrap().is_some() {
        for task in store.due_tasks(fixture.now(), 10).await.unwrap() {
            due(&store, folder, &task).await;
        }
        turns(&store).await;
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
        .args(["--exact", "tests::killed_tasks::victim"])
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
    let view = View::open_read_only(&folder.join("daemon.db")).unwrap();
    // A life that died before it knew that a task was made makes no second one.
    let tasks = view.tasks(&TaskFilter::default(), None, 100).unwrap();
    assert_eq!(tasks.len(), 2, "after {point}");
    for task in tasks {
        let fires = view.fires(task.id, None, 100).unwrap();
        let slots: Vec<_> = fires.iter().rev().map(|fire| fire.slot).collect();
        let all: Vec<_> = (0..RUNS).map(slot).collect();
        assert_eq!(slots, all, "{} after {point}", task.schedule);
        for (n, fire) in fires.iter().rev().enumerate() {
            let times = ran.lines().filter(|line| *line == format!("action {n}")).count();
            match (task.schedule.as_str(), fire.state) {
                ("turn", state) => assert_eq!(state, FireState::Done, "after {point}"),
                // It died with the action open: perhaps it acted, and it never acts again.
                (_, FireState::Failed) => assert!(times <= 1, "after {point}"),
                (_, state) => assert_eq!((state, times), (FireState::Done, 1), "after {point}"),
            }
        }
    }
    let rows = view.messages(&MessageFilter::default(), None, 100).unwrap();
    assert_eq!(rows.len(), usize::try_from(RUNS).unwrap(), "after {point}");
    assert!(rows.iter().all(|row| row.outcome.as_deref() == Some("done")));
}

#[test]
fn dying_at_any_step_of_a_task_makes_no_run_twice_and_forgets_none() {
    for point in TASK_KILL_POINTS
        .iter()
        .flat_map(|name| ["before", "after"].map(|when| format!("{name}.{when}_commit")))
    {
        for passes in ["", "1*off->"] {
            let folder = tempfile::tempdir().unwrap();
            let died = dies(folder.path(), &format!("{point}={passes}return"));
            assert!(died || !passes.is_empty(), "nobody passes {point}");
            assert!(!dies(folder.path(), ""), "no life after {point}");
            check(folder.path(), &point);
        }
    }
}
