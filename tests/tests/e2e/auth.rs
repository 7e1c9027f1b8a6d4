//! `katad auth`: tokens taken from a person, checked by the platform, and kept.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, net::UnixListener},
};

use kata_testkit::{
    DiscordStage, Katad, SLUG, Stage, WORKSPACE,
    discord::BOT_TOKEN as DISCORD_TOKEN,
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
async fn an_app_level_token_that_slack_refuses_keeps_both_from_being_stored() {
    let stage = scene().await;
    let typed = format!("{BOT_TOKEN}\nxapp-wrong\n");
    let done = auth(&stage, &["slack"]).stdin(&typed).run().await;
    assert_eq!(
        (done.code, done.stderr.lines().count()),
        (Some(64), 1),
        "{done:?}"
    );
    assert!(
        done.stderr.contains("app-level token") && done.stderr.contains("Nothing was stored"),
        "{}",
        done.stderr
    );
    assert!(!done.stderr.contains("xapp-wrong") && !done.stderr.contains(BOT_TOKEN));
    assert!(!stage.home.path().join("state/tokens.json").exists());
    // Whoever asks takes no events away from a daemon that runs.
    auth(&stage, &["slack"])
        .stdin(&format!("{BOT_TOKEN}\n{APP_TOKEN}\n"))
        .run()
        .await;
    assert_eq!(stage.slack.connections(), 0);
}

#[tokio::test]
async fn a_bot_token_of_discord_is_checked_and_kept_and_a_wrong_one_is_not() {
    let stage = DiscordStage::set().await;
    stage.home.list_workspaces(&[WORKSPACE]);
    stage.home.write_settings(&json!({"agent": {"backend": "echo"}}));
    let channel = Channel::discord(SLUG).conversations(&["2001"]);
    channel.write(&stage.home.workspace(WORKSPACE));
    let auth = || stage.home.katad(&stage.discord, &["auth", "discord"]);
    let file = stage.home.path().join("state/tokens.json");

    let done = auth().stdin("a-wrong-token\n").run().await;
    assert_eq!(
        (done.code, done.stderr.lines().count()),
        (Some(64), 1),
        "{done:?}"
    );
    assert!(
        done.stderr.contains("Reset Token") && !done.stderr.contains("a-wrong-token"),
        "{}",
        done.stderr
    );
    stage.discord.allow_message_content(false);
    let done = auth().stdin(DISCORD_TOKEN).run().await;
    assert!(done.stderr.contains("Message Content Intent"), "{done:?}");
    assert!(!file.exists());

    stage.discord.allow_message_content(true);
    let (done, shown) = auth().run_typed(&[DISCORD_TOKEN]).await;
    assert_eq!((done.code, &*shown), (Some(0), ""), "{done:?}");
    assert!(done.stdout.contains("The token is good"), "{}", done.stdout);
    let said = format!("{}{}", done.stdout, done.stderr);
    assert!(!said.contains(DISCORD_TOKEN), "{said}");

    let served = stage.home.katad(&stage.discord, &["serve"]).serve();
    served.wait_log(&["the channel is connected"]).await;
    stage.discord.wait_sessions(1).await;
    stage.discord.user_posts("2001", "1001", "hello");
    stage.discord.wait_text("hello").await;
    assert_eq!(served.terminate().await, Some(0));
    assert!(!served.logged().contains(DISCORD_TOKEN));
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

#[cfg(target_os = "linux")]
/// A bus of the desktop on which nobody ever says a word, as that of a keyring that waits for its owner.
fn silent_bus(stage: &Stage) -> (UnixListener, String) {
    let socket = stage.home.path().join("bus");
    let address = format!("unix:path={}", socket.display());
    (UnixListener::bind(socket).expect("a socket"), address)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_keyring_that_is_not_there_or_says_nothing_leaves_the_token_to_the_file() {
    let stage = scene().await;
    let (_bus, silent) = silent_bus(&stage);
    for (bus, says) in [
        ("unix:path=/nowhere", "the system's keyring: this system has none"),
        (
            &*silent,
            "the system's keyring: it did not answer within 10 seconds",
        ),
    ] {
        let katad = auth(&stage, &["slack"]).env("KATA_KEYRING", "on");
        let katad = katad.env("DBUS_SESSION_BUS_ADDRESS", bus);
        let done = katad.stdin(&format!("{BOT_TOKEN}\n{APP_TOKEN}\n")).run().await;
        assert_eq!(done.code, Some(0), "{done:?}");
        assert!(done.stdout.contains(says), "{}", done.stdout);
        assert!(!done.stdout.contains(BOT_TOKEN));
    }
    let served = stage.home.katad(&stage.slack, &["serve"]).serve();
    served.wait_log(&["the channel is connected"]).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_keyring_that_says_nothing_does_not_hang_the_daemon() {
    let stage = scene().await;
    let (_bus, silent) = silent_bus(&stage);
    let root = stage.home.workspace(WORKSPACE);
    Channel::slack("second").conversations(&["C2"]).write(&root);
    let index =
        json!({"version": 1, "tokens": {WORKSPACE: {SLUG: "keyring", format!("{SLUG}-app"): "keyring"}}});
    fs::create_dir_all(stage.home.path().join("state")).unwrap();
    fs::write(stage.home.path().join("state/tokens.json"), index.to_string()).unwrap();
    let served = stage
        .home
        .katad(&stage.slack, &["serve"])
        .env("KATA_KEYRING", "on")
        .env("DBUS_SESSION_BUS_ADDRESS", silent)
        .env("KATA_TOKEN_WS1_SECOND", BOT_TOKEN)
        .serve();
    served
        .wait_log(&["the system's keyring", "did not answer within 10 seconds", SLUG])
        .await;
    served.wait_log(&["the channel is connected", "second"]).await;
    assert_eq!(served.terminate().await, Some(0));
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
