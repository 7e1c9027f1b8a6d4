//! Start, stop, and who may run in a directory.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use kata_testkit::{Stage, host::Policy};
use serde_json::json;

fn pid_in(home: &Path) -> Option<String> {
    fs::read_to_string(home.join("daemon.pid"))
        .ok()
        .map(|pid| pid.trim().to_owned())
}

#[tokio::test]
async fn a_run_says_starting_running_stopping_and_stopped() {
    let stage = Stage::set().await;
    let host = stage.start().spawn();
    let starting = host.wait_status("starting").await;
    assert_eq!(starting["protocol"], 1);
    assert_eq!(starting["pid"], host.pid());
    assert!(
        starting["version"].is_string() && starting["capabilities"].is_array(),
        "{starting}"
    );
    host.wait_running().await;
    assert_eq!(pid_in(stage.home.path()), Some(host.pid().to_string()));
    let exit = host.stop().await;
    assert_eq!((exit.code, exit.overdue), (Some(0), false));
    assert_eq!(host.events()[0]["status"], "starting");
    assert_eq!(host.statuses(), ["starting", "running", "stopping", "stopped"]);
    assert_eq!(pid_in(stage.home.path()), None);
}

#[tokio::test]
async fn state_is_for_its_owner_alone() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    host.stop().await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&stage.home.database()), 0o600);
    assert_eq!(mode(&stage.home.path().join("logs")), 0o700);
    assert_eq!(mode(&stage.home.path().join("logs/katad.log")), 0o600);
}

#[tokio::test]
async fn secrets_are_in_no_file_and_on_no_stream() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    stage.slack.user_posts("C1", "U1", "hello");
    stage.slack.wait_text("hello").await;
    host.stop().await;
    let mut said = host.stderr();
    host.events()
        .iter()
        .for_each(|event| said.push_str(&event.to_string()));
    for file in ["daemon.db", "daemon.db-wal", "logs/katad.log"] {
        let bytes = fs::read(stage.home.path().join(file)).unwrap_or_default();
        said.push_str(&String::from_utf8_lossy(&bytes));
    }
    for secret in ["xoxb-test", "xapp-test", "ticket="] {
        assert!(!said.contains(secret), "{secret} was found");
    }
}

#[tokio::test]
async fn a_host_that_goes_away_is_a_stop() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    host.close_stdin();
    assert_eq!(host.wait_exit().await.code, Some(0));
    assert_eq!(host.statuses(), ["starting", "running", "stopping", "stopped"]);

    let host = stage.play().await;
    host.terminate();
    assert_eq!(host.wait_exit().await.code, Some(0));
    assert_eq!(host.statuses(), ["starting", "running", "stopping", "stopped"]);

    let host = stage.play().await;
    host.close_stdout();
    // The daemon finds out when it has something to say.
    host.send(&json!({"type": "health_check"}));
    assert_eq!(host.wait_exit().await.code, Some(0));
}

#[tokio::test]
async fn a_health_check_is_answered_and_restarts_nothing() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    let (sockets, asked) = (stage.slack.connections(), stage.slack.calls("auth.test").len());
    for n in 0..5 {
        let id = format!("health-{n}");
        host.send(&json!({"type": "health_check", "requestId": id}));
        // The host sends its whole configuration again at each of these.
        host.wait_event("the status", |e| {
            e["status"] == "running" && e["requestId"] == id.as_str()
        })
        .await;
    }
    stage.slack.user_posts("C1", "U1", "hello");
    stage.slack.wait_text("hello").await;
    assert_eq!(
        (stage.slack.connections(), stage.slack.calls("auth.test").len()),
        (sockets, asked)
    );
}

#[tokio::test]
async fn running_is_never_said_once_stop_was_seen() {
    let stage = Stage::set().await;
    let host = stage.up(stage.start().policy(Policy::silent())).await;
    stage.slack.user_posts("C1", "U1", "hello");
    host.wait_turns(1).await;
    let mark = host.mark();
    host.send(&json!({"type": "stop"}));
    for _ in 0..10 {
        host.send(&json!({"type": "health_check"}));
        host.send(&json!({"type": "start"}));
    }
    host.wait_exit().await;
    let after = host.events()[mark..].to_vec();
    assert!(after.iter().all(|e| e["status"] != "running"), "{after:#?}");
}

#[tokio::test]
async fn a_start_with_a_mistyped_setting_names_the_right_one_and_exits_64() {
    let stage = Stage::set().await;
    stage.home.write_settings(&json!({"maxTurn": 1}));
    let host = stage.start().spawn();
    let error = host.wait_status("error").await;
    assert!(
        error["error"]
            .as_str()
            .is_some_and(|e| e.contains("maxTurn") && e.contains("maxTurns")),
        "{error}"
    );
    assert_eq!(host.wait_exit().await.code, Some(64));
    assert_eq!(host.statuses(), ["starting", "error"]);
}

#[tokio::test]
async fn a_second_daemon_on_a_directory_waits_ten_seconds_and_leaves() {
    let stage = Stage::set().await;
    let first = stage.play().await;
    let second = stage.start().spawn();
    let exit = second.wait_exit().await;
    assert_eq!(exit.code, Some(75));
    assert!(exit.took >= Duration::from_secs(9), "{exit:?}");
    assert_eq!(second.statuses(), ["starting", "error"]);
    assert_eq!(pid_in(stage.home.path()), Some(first.pid().to_string()));
    stage.slack.user_posts("C1", "U1", "still here");
    stage.slack.wait_text("still here").await;
}

#[tokio::test]
async fn a_successor_takes_over_from_a_daemon_that_dies_late() {
    let stage = Stage::set().await;
    let first = stage.play().await;
    // As the app does: SIGTERM to the pid in the file, the file removed, the next one spawned at once.
    first.freeze();
    fs::remove_file(stage.home.path().join("daemon.pid")).unwrap();
    let second = stage.start().spawn();
    second.wait_status("starting").await;
    first.kill9().await;
    second.wait_running().await;
    assert_eq!(pid_in(stage.home.path()), Some(second.pid().to_string()));
}

#[tokio::test]
async fn a_stop_while_the_lock_is_waited_for_touches_nothing() {
    let stage = Stage::set().await;
    let first = stage.play().await;
    let second = stage.start().spawn();
    second.wait_status("starting").await;
    let exit = second.stop().await;
    assert_eq!((exit.code, exit.overdue), (Some(0), false));
    assert_eq!(second.statuses(), ["starting", "stopping", "stopped"]);
    assert_eq!(pid_in(stage.home.path()), Some(first.pid().to_string()));
}

#[tokio::test]
async fn a_stop_gives_an_open_turn_back_uncounted() {
    let stage = Stage::set().await;
    let host = stage.up(stage.start().policy(Policy::silent())).await;
    stage.slack.user_posts("C1", "U1", "hello");
    let before = host.wait_turn("hello").await;
    let exit = host.stop().await;
    assert_eq!((exit.code, exit.overdue), (Some(0), false));
    let host = stage.play().await;
    let after = host.wait_turn("hello").await;
    assert_eq!(after.message_id, before.message_id);
    assert_eq!(after.event["attempt"], before.event["attempt"]);
    assert_eq!(stage.slack.wait_posted(1).await.len(), 1);
}

#[tokio::test]
async fn an_answer_that_comes_after_stop_is_kept_and_sent_by_the_next_daemon() {
    let stage = Stage::set().await;
    let host = stage.up(stage.start().policy(Policy::silent())).await;
    stage.slack.user_posts("C1", "U1", "hello");
    let turn = host.wait_turn("hello").await;
    // Nothing can be sent any more, so that the answer has to outlive the process.
    stage
        .slack
        .fail_always("chat.postMessage", kata_testkit::slack::Fault::Http(503));
    host.send(&json!({"type": "stop"}));
    host.answer(turn.message_id, "late but here");
    assert_eq!(host.wait_exit().await.code, Some(0));
    stage.slack.heal("chat.postMessage");
    let host = stage.up(stage.start().policy(Policy::silent())).await;
    stage.slack.wait_text("late but here").await;
    assert!(host.turns().is_empty());
    assert_eq!(stage.said(), ["late but here"]);
}
