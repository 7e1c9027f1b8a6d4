//! A database that is damaged, and what other commands read of a good one.

use std::{fs, process::Command};

use kata_testkit::Stage;

#[tokio::test]
async fn a_damaged_database_is_set_aside_and_the_daemon_starts_on_a_new_one() {
    let stage = Stage::set().await;
    fs::write(
        stage.home.database(),
        b"this is no database, whatever its name says".repeat(200),
    )
    .unwrap();
    let host = stage.play().await;
    let error = host.wait_for("plugin_error").await;
    stage.slack.user_posts("C1", "U1", "hello");
    let turn = host.wait_turn("hello").await;
    // A live app may still answer an old id, so the new ones start far above.
    assert!(turn.message_id > 1_700_000_000, "{}", turn.message_id);
    stage.slack.wait_text("hello").await;
    let kept: Vec<String> = fs::read_dir(stage.home.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| {
            name.starts_with("daemon.db") && error["error"].as_str().is_some_and(|e| e.contains(name))
        })
        .filter(|name| name != "daemon.db")
        .collect();
    assert_eq!(kept.len(), 1, "{error}");
}

#[tokio::test]
async fn status_and_explain_read_the_file_while_the_daemon_runs() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    stage.slack.user_posts("C1", "U1", "hello");
    let turn = host.wait_turn("hello").await;
    host.wait_for("message_sent").await;
    let katad = kata_testkit::host::katad();
    let run = |args: &[&str]| {
        Command::new(&katad)
            .args(args)
            .env("KATA_CONFIG_DIR", stage.home.path())
            .output()
            .expect("katad runs")
    };
    let status = run(&["status"]);
    assert!(status.status.success(), "{status:?}");
    let explain = run(&["explain", &turn.message_id.to_string()]);
    assert!(explain.status.success(), "{explain:?}");
    assert!(!explain.stdout.is_empty());
}
