//! `katad channels`: written, listed, and tried out against the platform.

use std::{fs, os::unix::fs::PermissionsExt};

use kata_testkit::{Done, Stage, slack::BOT_TOKEN};
use serde_json::{Value, json};

/// A machine on which nothing was ever configured, and an agent for it.
async fn empty() -> Stage {
    let stage = Stage::set().await;
    stage.home.write_settings(&json!({"agent": {"backend": "echo"}}));
    stage
}

async fn run(stage: &Stage, arguments: &[&str]) -> Done {
    stage.home.katad(&stage.slack, arguments).run().await
}

async fn check(stage: &Stage) -> Done {
    let katad = stage.home.katad(&stage.slack, &["channels", "check"]);
    katad.env("KATA_TOKEN_MAIN_TEAM", BOT_TOKEN).run().await
}

#[tokio::test]
async fn a_channel_is_written_once_for_its_owner_alone() {
    let stage = empty().await;
    let add = [
        "channels",
        "add",
        "slack",
        "team",
        "--conversation",
        "C1",
        "--sender",
        "U1",
    ];
    let done = run(&stage, &add).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.stdout.contains("katad auth slack team"), "{}", done.stdout);
    let file = stage.home.workspace("main").join("channels/team/config.json");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let written: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(
        written,
        json!({
            "slug": "team", "enabled": true, "adapter": "slack",
            "credentials": {"channelSlug": "team", "appTokenSlug": "team-app"},
            "filter": {"channelIds": ["C1"]}, "settings": {"senders": ["U1"]},
        })
    );
    fs::write(&file, "// mine").unwrap();
    let again = run(&stage, &add).await;
    assert_eq!(again.code, Some(64));
    assert!(again.stderr.contains("is there already"), "{}", again.stderr);
    assert_eq!(fs::read_to_string(&file).unwrap(), "// mine");
}

#[tokio::test]
async fn what_cannot_work_is_not_written() {
    let stage = empty().await;
    for (arguments, says) in [
        (&["irc", "team"][..], "no adapter \"irc\""),
        (&["slack", "../team"], "a slug is letters"),
        (&["slack", "team", "--trigger", "("], "the pattern `(`"),
    ] {
        let done = run(&stage, &[&["channels", "add"], arguments].concat()).await;
        assert_eq!(done.code, Some(64), "{done:?}");
        assert!(done.stderr.contains(says), "{}", done.stderr);
    }
    assert!(!stage.home.workspace("main").join("channels").exists());

    stage.home.list_workspaces(&["one", "two"]);
    let done = run(&stage, &["channels", "add", "slack", "team"]).await;
    assert!(
        done.stderr.contains("--workspace one, --workspace two"),
        "{}",
        done.stderr
    );
    let done = run(
        &stage,
        &["channels", "add", "slack", "team", "--workspace", "three"],
    )
    .await;
    assert!(done.stderr.contains("no workspace \"three\""), "{}", done.stderr);
}

#[tokio::test]
async fn channels_are_listed_with_where_their_tokens_come_from() {
    let stage = empty().await;
    run(&stage, &["channels", "add", "slack", "team"]).await;
    run(&stage, &["channels", "add", "slack", "other", "--disabled"]).await;
    let list = ["channels", "list", "--json"];
    let katad = stage
        .home
        .katad(&stage.slack, &list)
        .env("KATA_TOKEN_MAIN_TEAM", BOT_TOKEN);
    let done = katad.run().await;
    let listed: Value = serde_json::from_str(&done.stdout).unwrap();
    let line = |slug: &str, on: bool, from: Option<&str>| json!({"slug": slug, "workspaceId": "main", "adapter": "slack", "enabled": on, "tokenFrom": from});
    assert_eq!(
        listed,
        json!([
            line("other", false, None),
            line("team", true, Some("the environment"))
        ])
    );
    assert!(!done.stdout.contains(BOT_TOKEN));
}

#[tokio::test]
async fn each_problem_of_a_channel_is_one_sentence() {
    let stage = empty().await;
    run(
        &stage,
        &[
            "channels",
            "add",
            "slack",
            "team",
            "--conversation",
            "C1",
            "--conversation",
            "C2",
        ],
    )
    .await;
    let done = run(&stage, &["channels", "check", "team"]).await;
    assert_eq!(done.code, Some(64));
    assert!(done.stderr.contains("KATA_TOKEN_MAIN_TEAM"), "{}", done.stderr);

    let done = check(&stage).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.stdout.contains("team (main): good"), "{}", done.stdout);

    stage.slack.kick_bot("C2");
    let done = check(&stage).await;
    assert_eq!(done.code, Some(64), "{done:?}");
    assert_eq!(done.stderr.lines().count(), 1, "{}", done.stderr);
    assert!(done.stderr.contains("team (main): C2: "), "{}", done.stderr);

    stage.slack.revoke_scope("chat:write");
    let done = check(&stage).await;
    assert!(done.stderr.contains("chat:write"), "{}", done.stderr);

    stage.slack.refuse_token(BOT_TOKEN, Some("token_revoked"));
    let done = check(&stage).await;
    assert_eq!(
        (done.code, done.stderr.lines().count()),
        (Some(64), 1),
        "{done:?}"
    );
    assert!(!done.stderr.contains(BOT_TOKEN));

    stage.slack.down().await;
    assert_eq!(check(&stage).await.code, Some(75));
}
