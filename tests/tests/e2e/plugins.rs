//! What `katad plugins` says while a daemon runs, and a build whose plugins do not go together.

use std::process::Command;

use kata_testkit::{SLUG, Stage, host::katad};
use serde_json::Value;

fn listed(stage: &Stage) -> Value {
    let output = Command::new(katad())
        .args(["plugins", "--json"])
        .env("KATA_CONFIG_DIR", stage.home.path())
        .output()
        .expect("katad can be started");
    assert!(output.status.success(), "{output:?}");
    let all: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
    let mut slack = all
        .into_iter()
        .filter(|plugin| plugin["pluginId"] == "kata-slack");
    slack.next().expect("this build has Slack")
}

#[tokio::test]
async fn the_plugins_of_a_running_daemon_are_listed_with_their_health() {
    let stage = Stage::set().await;
    assert!(listed(&stage).get("isHealthy").is_none(), "no daemon runs");
    let host = stage.play().await;
    let slack = listed(&stage);
    assert_eq!(slack["isHealthy"], true, "{slack}");
    assert_eq!(slack["channels"][0], "slack");

    stage
        .slack
        .refuse_token(kata_testkit::slack::BOT_TOKEN, Some("token_revoked"));
    stage.slack.user_posts("C1", "U1", "hello");
    host.wait_channel(SLUG, "auth_expired").await;
    assert_eq!(listed(&stage)["isHealthy"], false);
}

#[tokio::test]
async fn two_plugins_of_one_name_are_refused_at_start_with_both_owners_named() {
    let stage = Stage::set().await;
    let host = stage.start().failpoints("plugins.twice=return").spawn();
    let failed = host.wait_status("error").await;
    let why = failed["error"].as_str().unwrap_or_default();
    assert!(why.contains(" is registered by both "), "{why}");
    assert_eq!(host.wait_exit().await.code, Some(70));
}
