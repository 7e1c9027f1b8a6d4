//! Strangers who write to us: silence, or a code by which somebody lets them in.

use std::process::Command;

use kata_testkit::{
    SLUG, Stage, WORKSPACE,
    host::{Channel, Config, FakeHost, Policy, katad},
};
use serde_json::{Value, json};

/// A channel for direct messages, with these settings. Eve (`U9`) is nobody's friend.
fn config(settings: Value) -> Config {
    Config::new().channel(WORKSPACE, Channel::slack(SLUG).settings(settings))
}

fn with_codes() -> Config {
    config(json!({"pairing": "code"}))
}

async fn stage() -> Stage {
    let stage = Stage::set().await;
    stage.slack.add_user("U9", "eve");
    stage.slack.add_user("U8", "mallory");
    stage
}

async fn up(stage: &Stage) -> FakeHost {
    stage.up(stage.start().config(with_codes())).await
}

/// `U9` writes; the code that it is told, and the event that says so.
async fn knocks(stage: &Stage, host: &FakeHost) -> String {
    let before = stage.slack.posted().len();
    stage.slack.user_writes_to_bot("U9", "rm -rf everything");
    let told = stage.slack.wait_posted(before + 1).await.remove(before);
    let asked = host.wait_for("pairing_requested").await;
    assert_eq!(
        (&asked["sender"], &asked["channelId"]),
        (&json!("U9"), &json!(SLUG))
    );
    let code = asked["code"].as_str().expect("a code").to_owned();
    assert!(told.text.contains(&code), "{}", told.text);
    code
}

fn pair(code: &str) -> Value {
    json!({"type": "pair_sender", "workspaceId": WORKSPACE, "slug": SLUG, "code": code})
}

fn run(stage: &Stage, args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(katad())
        .args(args)
        .env("KATA_CONFIG_DIR", stage.home.path())
        .output()
        .expect("katad runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test]
async fn a_stranger_gets_silence_where_nobody_said_otherwise() {
    let stage = stage().await;
    let host = stage
        .up(stage.start().config(config(json!({"senders": ["U1"]}))))
        .await;
    stage.slack.user_writes_to_bot("U9", "let me in");
    stage.slack.user_writes_to_bot("U1", "hello");
    stage.slack.wait_text("hello").await;
    stage.slack.wait_all_acknowledged().await;
    assert_eq!(stage.said(), ["hello"]);
    assert_eq!(host.query("messages").await.len(), 2, "a question and its answer");
}

#[tokio::test]
async fn a_stranger_gets_one_code_is_let_in_by_it_and_is_served_after_a_restart_too() {
    let stage = stage().await;
    let host = up(&stage).await;
    let code = knocks(&stage, &host).await;
    stage.slack.user_writes_to_bot("U9", "are you there?");
    stage.slack.wait_all_acknowledged().await;

    let paired = host.request(pair(&code.to_lowercase())).await;
    assert_eq!(paired["data"]["sender"], "U9", "{paired}");
    stage.slack.wait_posted(2).await;
    stage.slack.user_writes_to_bot("U9", "what is the time?");
    stage.slack.wait_text("what is the time?").await;
    let said = stage.said();
    assert_eq!(said.len(), 3, "one code, one welcome, one answer: {said:#?}");
    let listed = host.query("pairings").await;
    assert_eq!(
        (&listed[0]["state"], &listed[0]["name"]),
        (&json!("paired"), &json!("eve")),
        "{listed:#?}"
    );
    assert_eq!(host.turns().len(), 1, "what a stranger wrote reaches no agent");
    assert!(!host.dump().contains("rm -rf"), "{}", host.dump());
    host.stop().await;

    // The settings may change meanwhile: who was let in stays so.
    let host = stage
        .up(stage.start().config(config(json!({"pairing": "off"}))))
        .await;
    stage.slack.user_writes_to_bot("U9", "and now?");
    stage.slack.wait_text("and now?").await;
    assert_eq!(host.turns().len(), 1);
}

#[tokio::test]
async fn wrong_codes_are_limited() {
    let stage = stage().await;
    let host = up(&stage).await;
    let code = knocks(&stage, &host).await;
    for _ in 0..10 {
        let wrong = host.request(pair("000000")).await;
        assert_eq!(wrong["error"]["code"], "not_found", "{wrong}");
    }
    let late = host.request(pair(&code)).await;
    assert_eq!(late["error"]["code"], "locked", "{late}");
    assert!(host.query("pairings").await.iter().all(|p| p["state"] == "asked"));
}

#[tokio::test]
async fn a_code_that_is_void_lets_nobody_in() {
    let stage = stage().await;
    let host = up(&stage).await;
    let code = knocks(&stage, &host).await;
    host.stop().await;
    let db = rusqlite::Connection::open(stage.home.database()).expect("the database");
    db.execute("UPDATE kata_pairings SET expires_ms = 1", [])
        .expect("a row");
    drop(db);
    let host = up(&stage).await;
    let late = host.request(pair(&code)).await;
    assert_eq!(late["error"]["code"], "expired", "{late}");
    // Writing again gives another one.
    let mark = stage.slack.posted().len();
    stage.slack.user_writes_to_bot("U9", "once more");
    stage.slack.wait_posted(mark + 1).await;
    let again = host.wait_for("pairing_requested").await;
    assert_ne!(again["code"], code.as_str());
}

#[tokio::test]
async fn the_command_line_lets_in_lists_and_puts_out_through_the_daemon_that_runs() {
    let stage = stage().await;
    let host = up(&stage).await;
    let code = knocks(&stage, &host).await;
    let (exit, said) = run(&stage, &["pair", "ABC234"]);
    assert_eq!(exit, Some(64), "{said}");
    let (exit, said) = run(&stage, &["pair"]);
    assert!(
        exit == Some(0) && said.contains("waits") && !said.contains(&code),
        "{said}"
    );
    let (exit, said) = run(&stage, &["pair", &code]);
    assert!(exit == Some(0) && said.contains("eve (U9)"), "{said}");
    stage.slack.user_writes_to_bot("U9", "served");
    stage.slack.wait_text("served").await;

    let id = host.query("pairings").await[0]["pairingId"].to_string();
    let (exit, said) = run(&stage, &["pair", "--revoke", &id]);
    assert_eq!(exit, Some(0), "{said}");
    let mark = stage.slack.posted().len();
    stage.slack.user_writes_to_bot("U9", "once more");
    let told = stage.slack.wait_posted(mark + 1).await.remove(mark);
    assert!(told.text.contains("code"), "a stranger again: {}", told.text);
    assert_eq!(host.turns().len(), 1);
}

#[tokio::test]
async fn the_command_line_lets_in_while_no_daemon_runs() {
    let stage = stage().await;
    let host = up(&stage).await;
    let code = knocks(&stage, &host).await;
    host.stop().await;
    let (exit, said) = run(&stage, &["pair", &code]);
    assert_eq!(exit, Some(0), "{said}");
    let mark = stage.slack.posted().len();
    let _host = stage
        .up(stage.start().config(with_codes()).policy(Policy::echo()))
        .await;
    stage.slack.wait_posted(mark + 1).await;
    stage.slack.user_writes_to_bot("U9", "served");
    stage.slack.wait_text("served").await;
}

/// A daemon that dies as it lets somebody in, and the one after it.
async fn dies_while_it_pairs(when: &str) {
    let stage = stage().await;
    let point = format!("pair.{when}=return");
    let doomed = stage
        .up(stage.start().config(with_codes()).failpoints(&point))
        .await;
    let code = knocks(&stage, &doomed).await;
    doomed.send(&pair(&code));
    assert_eq!(doomed.wait_exit().await.signal, Some(6), "{}", doomed.dump());
    let survivor = up(&stage).await;
    if when == "before_commit" {
        assert_eq!(survivor.request(pair(&code)).await["ok"], true);
    }
    stage.slack.wait_posted(2).await;
    stage.slack.user_writes_to_bot("U9", "served");
    stage.slack.wait_text("served").await;
    assert_eq!(stage.said().len(), 3, "{:#?}", stage.said());
}

#[tokio::test]
async fn a_daemon_that_dies_as_it_lets_somebody_in_has_or_has_not_and_says_so_once() {
    for when in ["before_commit", "after_commit"] {
        dies_while_it_pairs(when).await;
    }
}
