//! A night in which 300 messages came, over a daemon that was not running or did not run on, in all three modes.

use std::time::Duration;

use kata_testkit::{
    SLUG, Stage, WORKSPACE,
    host::{Answer, Channel, Config, FakeHost, Policy},
};
use serde_json::{Value, json};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const NIGHT: u32 = 300;

fn config(mode: &str) -> Config {
    let channel = Channel::slack(SLUG)
        .conversations(&["C1"])
        .settings(json!({"catchUp": {"mode": mode}}));
    Config::new().channel(WORKSPACE, channel)
}

/// A daemon that has answered all there was.
async fn evening(stage: &Stage, mode: &str) -> FakeHost {
    let host = stage.up(stage.start().config(config(mode))).await;
    stage.slack.user_posts("C1", "U1", "evening");
    stage.slack.wait_text("evening").await;
    host
}

/// Time passes: the daemon has read nothing for nine hours.
fn hours_pass(stage: &Stage) {
    let last = stage.slack.posted_ago("C1", "U1", "before", 9 * HOUR);
    let database = rusqlite::Connection::open(stage.home.database()).expect("the database");
    let moved = database
        .execute(
            "UPDATE kata_cursors SET cursor = ?1 WHERE conversation = 'C1' AND thread = ''",
            [last],
        )
        .expect("a cursor");
    assert_eq!(moved, 1);
}

/// 300 messages, the oldest eight hours ago, the newest three.
fn night(stage: &Stage) -> Vec<String> {
    hours_pass(stage);
    messages(stage)
}

fn messages(stage: &Stage) -> Vec<String> {
    let texts: Vec<String> = (0..NIGHT).map(|n| format!("night {n}")).collect();
    for (text, n) in texts.iter().zip(0..) {
        stage.slack.posted_ago("C1", "U1", text, 8 * HOUR - n * MINUTE);
    }
    texts
}

/// What a turn holds, as the host reads it that takes one text a turn.
fn lines_of<'a>(content: &'a str, texts: &'a [String]) -> Vec<&'a str> {
    content
        .lines()
        .filter(|line| texts.iter().any(|text| text == line))
        .collect()
}

fn skipped(event: &Value) -> bool {
    event["type"] == "plugin_error"
        && event["error"]
            .as_str()
            .is_some_and(|e| e.contains("recorded as skipped"))
}

#[tokio::test]
async fn by_default_each_message_of_the_night_gets_its_turn_in_order() {
    let stage = Stage::set().await;
    let first = evening(&stage, "run").await;
    first.stop().await;
    let texts = night(&stage);
    // An agent that says nothing: 300 answers would wait for Slack's pace.
    let quiet = Policy::script(|_| Answer::Say(String::new()));
    let host = stage.up(stage.start().config(config("run")).policy(quiet)).await;
    let turns = host.wait_turns(texts.len()).await;
    let contents: Vec<String> = turns.into_iter().map(|turn| turn.content).collect();
    assert_eq!(contents, texts);
}

#[tokio::test]
async fn a_digest_of_the_night_is_one_turn_for_a_host_that_takes_one_message_a_turn() {
    let stage = Stage::set().await;
    let first = evening(&stage, "digest").await;
    first.stop().await;
    let texts = night(&stage);
    let greeting = Policy::script(|_| Answer::Say("good morning".into()));
    let host = stage
        .up(stage.start().config(config("digest")).policy(greeting))
        .await;
    stage.slack.wait_text("good morning").await;
    stage.slack.user_posts("C1", "U1", "and now?");
    let turns = host.wait_turns(2).await;
    assert_eq!(turns.len(), 2, "{}", host.dump());
    assert!(
        turns[0]
            .content
            .starts_with("While you were away 300 messages came in, said between ")
    );
    assert_eq!(lines_of(&turns[0].content, &texts), texts);
    assert!(turns[0].event.get("messages").is_none());
    assert_eq!(turns[1].content, "and now?");
}

#[tokio::test]
async fn a_host_that_takes_several_gets_them_one_by_one_and_is_told_outside_the_fence() {
    let stage = Stage::set().await;
    let first = evening(&stage, "digest").await;
    first.stop().await;
    let texts = night(&stage);
    let start = stage
        .start()
        .config(config("digest"))
        .capabilities(&["coalesce", "prompt"]);
    let host = stage.up(start).await;
    let turn = host.wait_turns(1).await.remove(0);
    let messages = turn.event["messages"].as_array().unwrap();
    let contents: Vec<&str> = messages.iter().map(|m| m["content"].as_str().unwrap()).collect();
    assert_eq!(contents, texts);
    let prompt = turn.event["prompt"].as_str().unwrap();
    let ours = prompt.split("BEGIN").next().unwrap();
    assert!(
        ours.contains("While you were away 300 messages came in"),
        "{ours}"
    );
}

#[tokio::test]
async fn where_it_is_skipped_the_night_is_recorded_and_said_in_one_line() {
    let stage = Stage::set().await;
    let first = evening(&stage, "skip").await;
    first.stop().await;
    night(&stage);
    let host = stage.up(stage.start().config(config("skip"))).await;
    let told = host.wait_event("what was skipped", skipped).await;
    assert!(told["error"].as_str().unwrap().contains("300 messages"), "{told}");
    stage.slack.user_posts("C1", "U1", "good morning");
    stage.slack.wait_text("good morning").await;
    assert_eq!(stage.said(), ["evening", "good morning"]);
    assert_eq!(host.events().iter().filter(|event| skipped(event)).count(), 1);
}

#[tokio::test]
async fn a_reset_in_the_pile_counts_though_what_was_said_is_skipped() {
    let stage = Stage::set().await;
    let first = evening(&stage, "skip").await;
    let evening = first.wait_turn("evening").await;
    first.stop().await;
    hours_pass(&stage);
    stage.slack.posted_ago("C1", "U1", "lost in the night", 8 * HOUR);
    stage.slack.posted_ago("C1", "U1", "/reset", 7 * HOUR);
    let host = stage.up(stage.start().config(config("skip"))).await;
    host.wait_for("session_ended").await;
    stage.slack.user_posts("C1", "U1", "morning");
    let morning = host.wait_turn("morning").await;
    assert_ne!(morning.session_key, evening.session_key);
}

#[tokio::test]
async fn a_daemon_that_slept_makes_a_digest_when_it_wakes() {
    let stage = Stage::set().await;
    let host = evening(&stage, "digest").await;
    // Before it is frozen: it could be frozen with the database locked.
    hours_pass(&stage);
    host.freeze();
    stage.slack.cut_sockets();
    let texts = messages(&stage);
    host.thaw();
    let turn = host.wait_turns(2).await.remove(1);
    assert_eq!(lines_of(&turn.content, &texts), texts);
}

#[tokio::test]
async fn a_digest_that_is_killed_is_offered_again_as_one() {
    let stage = Stage::set().await;
    let first = evening(&stage, "digest").await;
    first.stop().await;
    let texts = night(&stage);
    let start = || stage.start().config(config("digest"));
    let second = stage.up(start().policy(Policy::silent())).await;
    second.wait_turns(1).await;
    second.kill9().await;
    let third = stage.up(start()).await;
    let turn = third.wait_turns(1).await.remove(0);
    assert_eq!(lines_of(&turn.content, &texts), texts);
    stage.slack.wait_posted(2).await;
}
