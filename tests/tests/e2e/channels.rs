//! `katad channels`: written, listed, and tried out against the platform.

use std::{fs, os::unix::fs::PermissionsExt};

use kata_testkit::{
    DiscordStage, Done, Stage,
    discord::{BOT_TOKEN as DISCORD_TOKEN, GUILD},
    gmail::{CREDENTIAL, FakeGmail},
    host::{Channel, Home},
    slack::{APP_TOKEN, BOT_TOKEN},
};
use serde_json::{Value, json};

use crate::app_store;

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
    let line = |slug: &str, on: bool, from: Option<&str>| {
        json!({
            "slug": slug, "workspaceId": "main", "adapter": "slack", "enabled": on, "tokenFrom": from, "problem": null,
        })
    };
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
async fn a_token_comes_from_the_first_place_that_has_one() {
    let stage = empty().await;
    run(
        &stage,
        &["channels", "add", "slack", "team", "--conversation", "C1"],
    )
    .await;
    let from = async |variable: &str| {
        let katad = stage.home.katad(&stage.slack, &["channels", "list", "--json"]);
        let done = katad.env("KATA_TOKEN_MAIN_TEAM", variable).run().await;
        let listed: Value = serde_json::from_str(&done.stdout).unwrap();
        listed[0]["tokenFrom"].as_str().map(str::to_owned)
    };
    assert_eq!(from("").await, None);
    // In the person's home, although KATA_CONFIG_DIR is elsewhere.
    app_store::write(
        &stage.home.person(),
        &[("channel_credential::main::team", BOT_TOKEN)],
    );
    assert_eq!(from("").await.as_deref(), Some("the app's store"));
    let katad = stage.home.katad(&stage.slack, &["auth", "slack"]);
    assert_eq!(katad.stdin(BOT_TOKEN).run().await.code, Some(0));
    assert_eq!(from("").await.as_deref(), Some("katad's store"));
    assert_eq!(from(BOT_TOKEN).await.as_deref(), Some("the environment"));

    // A keyring that does not open: the next place is asked.
    let index = json!({"version": 1, "tokens": {"main": {"team": "keyring"}}});
    fs::write(stage.home.path().join("state/tokens.json"), index.to_string()).unwrap();
    assert_eq!(from("").await.as_deref(), Some("the app's store"));
}

#[tokio::test]
async fn what_is_wrong_with_a_channel_is_listed_without_asking_a_platform() {
    let stage = empty().await;
    stage.home.list_workspaces(&["main"]);
    let root = stage.home.workspace("main");
    stage.slack.down().await;
    for channel in [
        Channel::slack("a-good").conversations(&["C1"]),
        Channel::slack("b-same").conversations(&["C1"]),
        Channel::slack("c-tokenless").conversations(&["C2"]),
        Channel::slack("d-off").set("enabled", json!(false)),
        Channel::slack("e-hosted").settings(json!({"agent": {"backend": "host"}})),
        Channel::slack("f-typo").settings(json!({"sendrs": []})),
        Channel::slack("g-pattern").triggers(&["("]),
        Channel::slack("h-phone").set("adapter", json!("whatsapp")),
    ] {
        channel.write(&root);
    }
    let run = |arguments: &[&str]| {
        let katad = stage.home.katad(&stage.slack, arguments);
        let tokens = ["A_GOOD", "B_SAME", "D_OFF", "E_HOSTED", "F_TYPO", "G_PATTERN"];
        let katad = tokens.iter().fold(katad, |katad, slug| {
            katad.env(&format!("KATA_TOKEN_MAIN_{slug}"), BOT_TOKEN)
        });
        katad.run()
    };
    let done = run(&["channels", "list", "--json"]).await;
    let listed: Value = serde_json::from_str(&done.stdout).unwrap();
    let problems = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["problem"].as_str());
    for (problem, says) in problems.zip([
        None,
        Some("is already served by the channel a-good"),
        Some("katad auth slack c-tokenless"),
        None,
        Some("no host is here"),
        Some("did you mean \"senders\""),
        Some("the pattern `(`"),
        Some("no adapter \"whatsapp\" (it has: "),
    ]) {
        match says {
            Some(says) => assert!(
                problem.is_some_and(|problem| problem.contains(says)),
                "{problem:?}"
            ),
            None => assert_eq!(problem, None),
        }
    }
    let done = run(&["channels", "list"]).await;
    assert_eq!(done.stdout.matches("cannot run").count(), 6, "{}", done.stdout);
    assert!(done.stdout.contains("c-tokenless (main): "), "{}", done.stdout);
    assert!(!done.stdout.contains(BOT_TOKEN));
}

#[tokio::test]
async fn the_app_level_token_is_tried_out_and_no_socket_opened() {
    let stage = empty().await;
    stage.home.list_workspaces(&["main"]);
    let channel = Channel::slack("team").conversations(&["C1"]);
    channel.write(&stage.home.workspace("main"));
    let check = |app_token: &str| {
        let katad = stage.home.katad(&stage.slack, &["channels", "check"]);
        let katad = katad.env("KATA_TOKEN_MAIN_TEAM", BOT_TOKEN);
        katad.env("KATA_APP_TOKEN_MAIN_TEAM", app_token).run()
    };
    let done = check(APP_TOKEN).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    let done = check("xapp-wrong").await;
    assert_eq!(
        (done.code, done.stderr.lines().count()),
        (Some(64), 1),
        "{done:?}"
    );
    assert!(done.stderr.contains("app-level token"), "{}", done.stderr);
    assert!(!done.stderr.contains("xapp-wrong"));
    // Beside it all else that is wrong is said.
    stage.slack.kick_bot("C1");
    assert_eq!(check("xapp-wrong").await.stderr.lines().count(), 2);
    assert_eq!(stage.slack.connections(), 0);
}

#[tokio::test]
async fn a_channel_of_discord_is_tried_out() {
    let stage = DiscordStage::set().await;
    stage.home.write_settings(&json!({"agent": {"backend": "echo"}}));
    stage.home.list_workspaces(&["main"]);
    let root = stage.home.workspace("main");
    let channel = || Channel::discord("team").conversations(&["2001", "2002"]);
    let check = || {
        let katad = stage.home.katad(&stage.discord, &["channels", "check"]);
        katad.env("KATA_TOKEN_MAIN_TEAM", DISCORD_TOKEN).run()
    };
    channel().settings(json!({"guild": GUILD})).write(&root);
    let done = check().await;
    assert_eq!(done.code, Some(0), "{done:?}");

    channel().settings(json!({"guild": "77"})).write(&root);
    assert!(check().await.stderr.contains("invite it there"));

    channel().write(&root);
    stage.discord.set_visible("2002", false);
    let done = check().await;
    assert_eq!(
        (done.code, done.stderr.lines().count()),
        (Some(64), 1),
        "{done:?}"
    );
    assert!(done.stderr.contains("team (main): 2002: "), "{}", done.stderr);

    stage.discord.leave_session_starts(0);
    stage.discord.set_visible("2002", true);
    assert_eq!(check().await.code, Some(75), "that passes by itself");

    stage.discord.allow_message_content(false);
    assert!(check().await.stderr.contains("Message Content Intent"));
    stage.discord.revoke_token(DISCORD_TOKEN);
    let done = check().await;
    assert_eq!(
        (done.code, done.stderr.lines().count()),
        (Some(64), 1),
        "{done:?}"
    );
    assert!(!done.stderr.contains(DISCORD_TOKEN));
    assert_eq!(stage.discord.sessions(), 0);
}

#[tokio::test]
async fn a_channel_of_gmail_is_tried_out() {
    let gmail = FakeGmail::start().await;
    gmail.add_label("Kata");
    let home = Home::new();
    home.write_settings(&json!({"agent": {"backend": "echo"}}));
    home.list_workspaces(&["main"]);
    let root = home.workspace("main");
    let check = || {
        let katad = home.katad(&gmail, &["channels", "check"]);
        let katad = katad.env("KATA_GOOGLE_TOKEN_URL", gmail.token_url());
        katad.env("KATA_TOKEN_MAIN_MAIL", CREDENTIAL).run()
    };
    let channel = || Channel::gmail("mail", 1000);
    channel().write(&root);
    assert!(check().await.stderr.contains("settings.mail.query"));
    channel().conversations(&["Kat"]).write(&root);
    assert!(check().await.stderr.contains("the mailbox has no label \"Kat\""));
    for good in [
        channel().conversations(&["Kata"]),
        channel().settings(json!({"mail": {"query": "to:kata@example.com"}})),
    ] {
        good.write(&root);
        let done = check().await;
        assert_eq!(done.code, Some(0), "{done:?}");
    }
    gmail.revoke();
    let done = check().await;
    assert_eq!(
        (done.code, done.stderr.lines().count()),
        (Some(64), 1),
        "{done:?}"
    );
    assert!(
        done.stderr.contains("katad auth gmail") && !done.stderr.contains("1//"),
        "{}",
        done.stderr
    );
    assert_eq!(gmail.violations(), Vec::<String>::new());
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
