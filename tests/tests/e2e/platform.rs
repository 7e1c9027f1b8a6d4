//! Slack's configuration: tokens, membership, polling.

use kata_testkit::{
    SLUG, Stage, WORKSPACE,
    host::{Channel, Config},
    slack::{PageOrder, Via},
};
use serde_json::json;

#[tokio::test]
async fn without_an_app_token_history_is_polled_and_what_was_there_is_not_old_work() {
    let stage = Stage::set().await;
    stage
        .slack
        .posted_ago("C1", "U1", "long ago", std::time::Duration::from_secs(3600));
    let channel = Channel::slack(SLUG).polled(50).conversations(&["C1"]);
    let host = stage
        .start()
        .config(Config::new().channel(WORKSPACE, channel))
        .spawn();
    host.wait_channel(SLUG, "connected").await;
    // The first look at a conversation decides what is old.
    stage.slack.wait_calls("conversations.history", 2).await;
    let root = stage.slack.post_silently("C1", "U1", "hello");
    assert_eq!(stage.slack.wait_text("hello").await.via, Via::PostMessage);
    stage.slack.reply_silently("C1", &root, "U1", "in the thread");
    assert_eq!(stage.slack.wait_text("in the thread").await.thread, Some(root));
    let contents: Vec<String> = host.turns().into_iter().map(|t| t.content).collect();
    assert_eq!(contents, ["hello", "in the thread"]);
    assert_eq!(stage.slack.connections(), 0);
}

#[tokio::test]
async fn pages_are_followed_from_whichever_end_slack_serves_first() {
    for order in [PageOrder::NewestFirst, PageOrder::OldestFirst] {
        let stage = Stage::set().await;
        stage.slack.serve_pages(order);
        stage.slack.cap_pages(7);
        let host = stage.play().await;
        stage.slack.user_posts("C1", "U1", "before");
        stage.slack.wait_text("before").await;
        host.stop().await;
        let texts: Vec<String> = (0..50).map(|n| format!("missed {n}")).collect();
        for text in &texts {
            stage.slack.post_silently("C1", "U1", text);
        }
        let _host = stage.play().await;
        stage.slack.wait_posted(51).await;
        assert_eq!(stage.said()[1..], texts);
    }
}

#[tokio::test]
async fn a_bad_config_harms_no_other() {
    let stage = Stage::set().await;
    let config = Config::new()
        .channel(WORKSPACE, Channel::slack(SLUG).conversations(&["C1"]))
        .channel(
            WORKSPACE,
            Channel::slack("no-token").conversations(&["C2"]).bot_token(None),
        )
        .channel(
            WORKSPACE,
            Channel::slack("pigeon").set("adapter", json!("pigeon")),
        )
        .channel(
            WORKSPACE,
            Channel::slack("typo")
                .conversations(&["C3"])
                .settings(json!({"sender": ["U1"]})),
        )
        .channel(
            WORKSPACE,
            Channel::slack("regex")
                .conversations(&["C3"])
                .triggers(&["(unclosed"]),
        )
        .channel(WORKSPACE, Channel::slack("twin").conversations(&["C1"]));
    let host = stage.up(stage.start().config(config)).await;
    for id in ["no-token", "pigeon", "typo", "regex", "twin"] {
        host.wait_event(id, |e| e["type"] == "plugin_error" && e["pluginId"] == id)
            .await;
    }
    let typo = host.wait_event("typo", |e| e["pluginId"] == "typo").await;
    assert!(
        typo["error"].as_str().is_some_and(|e| e.contains("senders")),
        "{typo}"
    );
    stage.slack.user_posts("C1", "U1", "hello");
    stage.slack.wait_text("hello").await;
}

#[tokio::test]
async fn a_changed_channel_restarts_alone_and_one_not_named_any_more_stops() {
    let stage = Stage::set().await;
    let one = Channel::slack(SLUG).conversations(&["C1"]);
    let two = Channel::slack("second").conversations(&["C2"]);
    let both = Config::new()
        .channel(WORKSPACE, one.clone())
        .channel(WORKSPACE, two.clone());
    let host = stage.up(stage.start().config(both)).await;
    host.wait_channel("second", "connected").await;
    let mark = host.mark();
    host.configure(
        Config::new()
            .channel(WORKSPACE, one.clone())
            .channel(WORKSPACE, two.triggers(&["^now"])),
    );
    let status = |slug: &'static str, wanted: &'static str| {
        move |e: &serde_json::Value| {
            e["type"] == "channel_status" && e["channelId"] == slug && e["status"] == wanted
        }
    };
    host.wait_event_since(mark, "second again", status("second", "connected"))
        .await;
    let since = host.events()[mark..].to_vec();
    assert!(
        since
            .iter()
            .all(|e| e["type"] != "channel_status" || e["channelId"] != SLUG),
        "{since:#?}"
    );
    host.configure(Config::new().channel(WORKSPACE, one));
    host.wait_event_since(mark, "second stopped", status("second", "stopped"))
        .await;
    stage.slack.user_posts("C2", "U1", "now what");
    stage.slack.user_posts("C1", "U1", "hello");
    stage.slack.wait_text("hello").await;
    assert_eq!(host.turns().len(), 1);
}

#[tokio::test]
async fn a_bot_that_was_removed_says_who_must_do_what() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    stage.slack.fail_always(
        "chat.postMessage",
        kata_testkit::slack::Fault::OkFalse("not_in_channel"),
    );
    stage.slack.user_posts("C1", "U1", "hello");
    let failed = host.wait_for("message_failed").await;
    assert!(failed["nextAttemptAt"].is_null(), "{failed}");
    let error = host
        .wait_event("a sentence", |e| {
            e["type"] == "plugin_error" && e["pluginId"] == SLUG
        })
        .await;
    assert!(
        error["error"].as_str().is_some_and(|e| e.contains("invite")),
        "{error}"
    );
}
