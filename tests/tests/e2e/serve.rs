//! `katad serve`: no host, everything from the folder.

use std::fs;

use kata_testkit::{
    DiscordStage, Katad, SLUG, Served, Stage, WORKSPACE,
    discord::{BOT_TOKEN as DISCORD_TOKEN, GUILD},
    host::{Channel, Config},
    slack::{APP_TOKEN, BOT_TOKEN},
};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::app_store;

/// Says what it was told, behind a word of its own.
fn agent() -> Value {
    json!({"backend": "command", "command": "sh", "args": ["-c", "echo by the agent; cat"]})
}

/// A stage whose folder has one workspace, and an agent for it.
async fn scene() -> Stage {
    let stage = Stage::set().await;
    stage.home.list_workspaces(&[WORKSPACE]);
    stage.home.write_settings(&json!({"agent": agent()}));
    stage
}

fn channel(conversation: &str) -> Channel {
    Channel::slack(SLUG).conversations(&[conversation])
}

fn write(stage: &Stage, channel: &Channel) {
    channel.write(&stage.home.workspace(WORKSPACE));
}

/// A run whose tokens are in the environment.
fn with_tokens(stage: &Stage) -> Katad {
    let katad = stage.home.katad(&stage.slack, &["serve"]);
    katad
        .env("KATA_TOKEN_WS1_SUPPORT", BOT_TOKEN)
        .env("KATA_APP_TOKEN_WS1_SUPPORT", APP_TOKEN)
}

async fn up(stage: &Stage) -> Served {
    let served = with_tokens(stage).serve();
    stage.slack.wait_connected().await;
    served.wait_log(&["the channel is connected", SLUG]).await;
    served
}

async fn answered(stage: &Stage, conversation: &str, text: &str) {
    stage.slack.user_posts(conversation, "U1", text);
    let mut seen = 0;
    loop {
        let posted = stage.slack.wait_posted(seen + 1).await;
        let answer = posted
            .iter()
            .find(|p| p.text.contains("by the agent") && p.text.contains(text));
        match answer {
            Some(answer) => return assert_eq!(answer.channel, conversation),
            None => seen = posted.len(),
        }
    }
}

#[tokio::test]
async fn a_message_is_answered_without_a_host_until_a_signal_comes() {
    let stage = scene().await;
    write(&stage, &channel("C1"));
    let served = up(&stage).await;
    // Its stdin is closed from the start.
    answered(&stage, "C1", "hello").await;
    assert!(served.is_running());
    assert_eq!(served.terminate().await, Some(0));
    assert!(!stage.home.path().join("daemon.pid").exists());
    let logged = served.logged();
    assert!(!logged.contains(BOT_TOKEN) && !logged.contains(APP_TOKEN));

    let served = up(&stage).await;
    served.signal(Signal::INT);
    assert_eq!(served.wait_exit().await, Some(0));
}

#[tokio::test]
async fn an_edit_of_the_folder_takes_effect_without_a_restart() {
    let stage = scene().await;
    let served = with_tokens(&stage).serve();
    served
        .wait_log(&["no channel is configured", "katad channels add"])
        .await;

    write(&stage, &channel("C1"));
    served.wait_log(&["the channel is connected"]).await;
    answered(&stage, "C1", "first").await;

    let mark = served.mark();
    write(&stage, &channel("C2"));
    served.wait_log_since(mark, &["the channel is connected"]).await;
    answered(&stage, "C2", "second").await;

    let mark = served.mark();
    write(&stage, &channel("C2").set("enabled", json!(false)));
    served.wait_log_since(mark, &["the channel is stopped"]).await;
    stage.slack.wait_disconnected().await;
}

#[tokio::test]
async fn what_is_broken_is_said_and_the_rest_runs() {
    let stage = scene().await;
    write(&stage, &channel("C1"));
    let root = stage.home.workspace(WORKSPACE);
    let broken = root.join("channels/broken");
    fs::create_dir_all(&broken).unwrap();
    fs::write(broken.join("config.json"), "{ \"adapter\": \"slack\", ").unwrap();
    Channel::slack("hosted")
        .conversations(&["C3"])
        .settings(json!({"agent": {"backend": "host"}}))
        .write(&root);
    Channel::slack("tokenless").conversations(&["C2"]).write(&root);

    let served = up(&stage).await;
    served.wait_log(&["channels/broken/config.json", "line 1"]).await;
    served
        .wait_log(&["\"hosted\"", "no host is here", "settings.agent"])
        .await;
    served
        .wait_log(&[
            "no Slack bot token",
            "KATA_TOKEN_WS1_TOKENLESS",
            "katad auth slack tokenless",
        ])
        .await;
    answered(&stage, "C1", "hello").await;

    // A list that cannot be read stops nothing that runs.
    let list = stage.home.path().join("config.json");
    fs::write(&list, "{ \"workspaces\": [").unwrap();
    served.wait_log(&["config.json, line 1"]).await;
    answered(&stage, "C1", "still there").await;

    let mark = served.mark();
    fs::remove_dir_all(&broken).unwrap();
    stage.home.list_workspaces(&[WORKSPACE]);
    served.wait_log_since(mark, &["no host is here"]).await;
    assert!(!served.logged()[mark..].contains("channels/broken"));
}

#[tokio::test]
async fn a_channel_without_an_agent_says_so_and_answers_nobody() {
    let stage = scene().await;
    stage.home.write_settings(&json!({}));
    write(&stage, &channel("C1"));
    let served = with_tokens(&stage).serve();
    served
        .wait_log(&["\"support\": it has no agent", "daemon.json"])
        .await;
}

#[tokio::test]
async fn tokens_of_the_app_are_used_where_the_environment_has_none() {
    let stage = scene().await;
    write(&stage, &channel("C1"));
    let root = stage.home.workspace(WORKSPACE);
    let source = root.join("sources/notes");
    fs::create_dir_all(&source).unwrap();
    let config = json!({"type": "api", "channel": {"adapter": "slack", "slackChannel": "C2"}});
    fs::write(source.join("config.json"), config.to_string()).unwrap();
    let served = stage.home.katad(&stage.slack, &["serve"]).serve();
    served
        .wait_log(&["no Slack bot token", "KATA_TOKEN_WS1_SUPPORT"])
        .await;

    app_store::write(
        &stage.home.person(),
        &[
            ("channel_credential::ws1::support", BOT_TOKEN),
            ("channel_credential::ws1::support-app", APP_TOKEN),
            ("source_bearer::ws1::notes", BOT_TOKEN),
        ],
    );
    served.wait_log(&["connected", SLUG]).await;
    served.wait_log(&["connected", "notes"]).await;
    answered(&stage, "C1", "from a channel").await;
    answered(&stage, "C2", "from a source").await;
}

#[tokio::test]
async fn a_source_for_a_server_of_discord_is_that_server_alone() {
    let stage = DiscordStage::set().await;
    stage.home.list_workspaces(&[WORKSPACE]);
    stage.home.write_settings(&json!({
        "agent": agent(), "workspaces": {WORKSPACE: {"owners": {"discord": ["1001"]}}},
    }));
    let sources = stage.home.workspace(WORKSPACE).join("sources");
    let write = |name: &str, block: Value| {
        fs::create_dir_all(sources.join(name)).unwrap();
        let config = json!({"type": "api", "channel": block}).to_string();
        fs::write(sources.join(name).join("config.json"), config).unwrap();
    };
    write("guild", json!({"adapter": "discord", "discordGuildId": GUILD}));
    write(
        "phone",
        json!({"adapter": "whatsapp", "whatsappGroupJid": "1@g.us"}),
    );
    write(
        "silent",
        json!({"adapter": "discord", "discordChannelId": "2001", "autoRespond": false}),
    );
    write(
        "elsewhere",
        json!({"adapter": "discord", "discordGuildId": "77", "discordChannelId": "2003"}),
    );
    let tokens = ["guild", "elsewhere"].map(|source| format!("source_bearer::{WORKSPACE}::{source}"));
    let tokens: Vec<_> = tokens.iter().map(|account| (&**account, DISCORD_TOKEN)).collect();
    app_store::write(&stage.home.person(), &tokens);

    let served = stage.home.katad(&stage.discord, &["serve"]).serve();
    served
        .wait_log(&["\"phone\"", "no adapter \"whatsapp\" (it has: "])
        .await;
    served
        .wait_log(&["elsewhere", "the bot is not in the Discord server 77"])
        .await;
    served.wait_log(&["the channel is connected", "guild"]).await;
    stage.discord.wait_sessions(1).await;
    stage.discord.user_writes_to_bot("1001", "in private");
    stage.discord.user_mentions_bot("2002", "1001", "in public");
    let posted = stage.discord.wait_posted(1).await;
    assert_eq!(posted[0].channel, "2002");
    assert!(posted[0].text.contains("in public"), "{}", posted[0].text);
    assert!(
        !stage
            .discord
            .posted()
            .iter()
            .any(|posted| posted.text.contains("in private"))
    );
}

#[tokio::test]
async fn a_config_that_is_broken_while_its_channel_runs_is_said_and_mended() {
    let stage = scene().await;
    write(&stage, &channel("C1"));
    let served = up(&stage).await;
    let folder = stage.home.workspace(WORKSPACE).join("channels").join(SLUG);

    let mark = served.mark();
    fs::write(folder.join("config.json"), "{ \"adapter\": ").unwrap();
    served
        .wait_log_since(mark, &["support/config.json", "line 1"])
        .await;
    served.wait_log_since(mark, &["the channel is stopped"]).await;
    stage.slack.wait_disconnected().await;

    let mark = served.mark();
    write(&stage, &channel("C1"));
    served.wait_log_since(mark, &["the channel is connected"]).await;
    answered(&stage, "C1", "mended").await;

    let mark = served.mark();
    fs::remove_dir_all(&folder).unwrap();
    served.wait_log_since(mark, &["the channel is stopped"]).await;
    stage.slack.wait_disconnected().await;
    assert!(served.is_running());
}

#[tokio::test]
async fn another_token_takes_effect_without_a_restart() {
    let stage = scene().await;
    write(&stage, &channel("C1"));
    let store = |token: &str| {
        let typed = format!("{token}\n{APP_TOKEN}\n");
        let katad = stage.home.katad(&stage.slack, &["auth", "slack"]);
        katad.stdin(&typed).run()
    };
    assert_eq!(store(BOT_TOKEN).await.code, Some(0));
    let served = stage.home.katad(&stage.slack, &["serve"]).serve();
    served.wait_log(&["the channel is connected"]).await;
    stage.slack.refuse_token(BOT_TOKEN, Some("token_revoked"));
    stage.slack.cut_sockets();
    served.wait_log(&["needs a new token"]).await;

    let mark = served.mark();
    stage.slack.add_token("xoxb-another", false);
    assert_eq!(store("xoxb-another").await.code, Some(0));
    served.wait_log_since(mark, &["the channel is connected"]).await;
    answered(&stage, "C1", "with another token").await;
}

#[tokio::test]
async fn commands_on_stdin_and_its_end_are_ignored() {
    let stage = scene().await;
    write(&stage, &channel("C1"));
    let commands = format!(
        "{}\n{}\n",
        json!({"type": "configure_channels", "workspaces": []}),
        json!({"type": "stop"})
    );
    let served = with_tokens(&stage).stdin(&commands).serve();
    served.wait_log(&["the channel is connected"]).await;
    answered(&stage, "C1", "hello").await;
    assert!(served.is_running());
    assert_eq!(served.printed(), "", "nobody is told in the protocol");
}

#[tokio::test]
async fn with_a_host_the_folders_channels_are_not_run() {
    let stage = scene().await;
    write(&stage, &channel("C1"));
    let of_the_folder = Channel::slack("folder").conversations(&["C2"]);
    write(&stage, &of_the_folder);
    let start = stage.start();
    let host = start
        .env("KATA_TOKEN_WS1_FOLDER", BOT_TOKEN)
        .env("KATA_APP_TOKEN_WS1_FOLDER", APP_TOKEN)
        .env("KATA_TOKEN_WS1_SUPPORT", "xoxb-of-the-environment")
        .env("KATA_KEYRING", "off")
        .config(Config::new())
        .spawn();
    host.wait_status("running").await;
    // Answered after the configuration that came before it.
    assert_eq!(host.query("sessions").await, Vec::<Value>::new());
    assert_eq!(stage.slack.calls("auth.test").len(), 0);

    host.configure(Stage::config(&["C1"]));
    host.wait_channel(SLUG, "connected").await;
    let asked = stage.slack.calls("auth.test");
    assert_eq!(asked.len(), 1, "by the host's channel, with the host's token");
    answered(&stage, "C1", "hello").await;
}

#[tokio::test]
async fn settings_that_cannot_be_used_end_it_with_64() {
    let stage = scene().await;
    stage.home.write_settings(&json!({"maxTurn": 2}));
    let done = with_tokens(&stage).run().await;
    assert_eq!(done.code, Some(64));
    assert!(
        done.stderr.contains("did you mean \"maxTurns\""),
        "{}",
        done.stderr
    );
}
