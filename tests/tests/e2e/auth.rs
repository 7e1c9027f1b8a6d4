//! `katad auth`: tokens taken from a person, checked by the platform, and kept.

use std::{fs, os::unix::fs::PermissionsExt};

use kata_testkit::{
    Katad, SLUG, Stage, WORKSPACE,
    host::Channel,
    slack::{APP_TOKEN, BOT_TOKEN},
};
use serde_json::json;

async fn scene() -> Stage {
    let stage = Stage::set().await;
    stage.home.list_workspaces(&[WORKSPACE]);
    stage.home.write_settings(&json!({"agent": {"backend": "echo"}}));
    let root = stage.home.workspace(WORKSPACE);
    Channel::slack(SLUG).conversations(&["C1"]).write(&root);
    stage
}

fn auth(stage: &Stage, arguments: &[&str]) -> Katad {
    stage.home.katad(&stage.slack, &[&["auth"], arguments].concat())
}

#[tokio::test]
async fn a_token_from_a_pipe_is_checked_and_kept_and_a_running_daemon_takes_it() {
    let stage = scene().await;
    let served = stage.home.katad(&stage.slack, &["serve"]).serve();
    served
        .wait_log(&["no Slack bot token", "katad auth slack support"])
        .await;

    let typed = format!("{BOT_TOKEN}\n{APP_TOKEN}\n");
    let done = auth(&stage, &["slack"]).stdin(&typed).run().await;
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.stdout.contains("The token is good"), "{}", done.stdout);
    let said = format!("{}{}", done.stdout, done.stderr);
    assert!(!said.contains(BOT_TOKEN) && !said.contains(APP_TOKEN), "{said}");
    let file = stage.home.path().join("state/tokens.json");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    served.wait_log(&["the channel is connected"]).await;
    stage.slack.wait_connected().await;
    stage.slack.user_posts("C1", "U1", "hello");
    stage.slack.wait_text("hello").await;
    assert_eq!(served.terminate().await, Some(0));
    assert!(!served.logged().contains(BOT_TOKEN));

    let done = auth(&stage, &["slack", SLUG, "--forget"]).run().await;
    assert!(done.stdout.contains("are forgotten"), "{done:?}");
    assert!(!fs::read_to_string(&file).unwrap().contains(BOT_TOKEN));
}

#[tokio::test]
async fn a_token_that_the_platform_refuses_is_not_kept() {
    let stage = scene().await;
    let done = auth(&stage, &["slack", SLUG]).stdin("xoxb-wrong\n").run().await;
    assert_eq!(done.code, Some(64), "{done:?}");
    assert!(done.stderr.contains("Nothing was stored"), "{}", done.stderr);
    assert!(!done.stderr.contains("xoxb-wrong"));
    assert!(!stage.home.path().join("state/tokens.json").exists());

    let done = auth(&stage, &["slack", SLUG]).run().await;
    assert_eq!(done.code, Some(64), "{done:?}");
    assert!(done.stderr.contains("no token was given"), "{}", done.stderr);
}

#[tokio::test]
async fn a_token_that_cannot_be_checked_is_kept_and_that_is_said() {
    let stage = scene().await;
    stage.slack.down().await;
    let done = auth(&stage, &["slack"]).stdin(BOT_TOKEN).run().await;
    assert_eq!(done.code, Some(75), "{done:?}");
    assert!(done.stderr.contains("could not be checked"), "{}", done.stderr);
    assert!(stage.home.path().join("state/tokens.json").exists());
}

#[tokio::test]
async fn what_is_typed_at_a_terminal_is_not_shown() {
    let stage = scene().await;
    // A slip of the finger, taken back.
    let typed = format!("{BOT_TOKEN}x\u{7f}");
    let (done, shown) = auth(&stage, &["slack"]).run_typed(&[&typed, APP_TOKEN]).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(shown, "");
    assert!(!done.stderr.contains(BOT_TOKEN), "{}", done.stderr);

    let (done, _) = auth(&stage, &["slack"]).run_typed(&["\u{3}"]).await;
    assert_eq!(done.code, Some(64), "{done:?}");
    assert!(done.stderr.contains("interrupted"), "{}", done.stderr);
}

#[tokio::test]
async fn the_channel_that_is_meant_must_be_clear() {
    let stage = scene().await;
    let done = auth(&stage, &["slack", "nobody"]).stdin(BOT_TOKEN).run().await;
    assert!(
        done.stderr.contains("katad channels add slack nobody"),
        "{}",
        done.stderr
    );
    let root = stage.home.workspace(WORKSPACE);
    Channel::slack("other").conversations(&["C2"]).write(&root);
    let done = auth(&stage, &["slack"]).stdin(BOT_TOKEN).run().await;
    assert_eq!(done.code, Some(64));
    assert!(
        done.stderr.contains("other") && done.stderr.contains(SLUG),
        "{}",
        done.stderr
    );
}
