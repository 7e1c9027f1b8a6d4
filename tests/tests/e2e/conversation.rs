//! A message in, its answer out.

use std::{fs, os::unix::fs::PermissionsExt};

use kata_testkit::{
    SLUG, Stage, WORKSPACE,
    host::{Answer, Channel, Config, Policy},
    slack::{BOT_USER, TEAM, Upload, Via},
};
use serde_json::json;

#[tokio::test]
async fn a_message_becomes_a_turn_and_its_answer_a_post() {
    let stage = Stage::set().await;
    let host = stage
        .up(stage
            .start()
            .policy(Policy::script(|t| Answer::Say(format!("you said {}", t.content)))))
        .await;
    let ts = stage.slack.user_posts("C1", "U1", "hello");
    let posted = stage.slack.wait_text("you said hello").await;
    assert_eq!(
        (posted.via, posted.channel.as_str(), posted.thread),
        (Via::PostMessage, "C1", None)
    );
    assert!(posted.key.is_some());
    let turn = &host.turns()[0];
    assert_eq!(
        (turn.channel_id.as_str(), turn.workspace_id.as_str()),
        (SLUG, WORKSPACE)
    );
    assert_eq!(
        (&turn.metadata["slackChannel"], &turn.metadata["team"]),
        (&json!("C1"), &json!(TEAM))
    );
    // SHA-256 of "support:ws1:support": the one named conversation keeps the slug, as in 0.7.
    assert_eq!(turn.session_key, "daemon-support-46e6fb0791c6");
    stage.slack.wait_acknowledged(&ts).await;
    let received = host.wait_for("message_received").await;
    assert_eq!(
        (&received["channelId"], &received["messageId"]),
        (&json!(SLUG), &json!(ts))
    );
    let sent = host.wait_for("message_sent").await;
    assert!(
        sent["messageId"]
            .as_str()
            .is_some_and(|id| id.parse::<i64>().is_ok()),
        "{sent}"
    );
}

#[tokio::test]
async fn names_stand_for_ids_in_what_the_agent_reads() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    stage
        .slack
        .user_posts("C1", "U1", "is <@U2> in <#C2|random> &amp; awake?");
    let turn = host.wait_turns(1).await.remove(0);
    assert_eq!(turn.content, "is @bob in #random & awake?");
}

#[tokio::test]
async fn a_slash_command_is_answered_where_it_was_typed() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    let command = stage.slack.slash_command("C1", "U1", "/kata", "what is up");
    let posted = stage.slack.wait_posted(1).await.remove(0);
    assert_eq!(posted.via, Via::ResponseUrl);
    let metadata = &host.turns()[0].metadata;
    assert_eq!(metadata["command"], "/kata");
    assert_eq!(metadata["triggerId"], command.trigger_id.as_str());
    assert_eq!(metadata["responseUrl"], command.response_url.as_str());
}

#[tokio::test]
async fn a_reset_gets_no_turn_and_begins_a_new_session_once() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    for text in ["before", "  Start   OVER ", "after"] {
        stage.slack.user_posts("C1", "U1", text);
    }
    stage.slack.wait_text("after").await;
    let keys: Vec<String> = host.turns().into_iter().map(|t| t.session_key).collect();
    // SHA-256 of "support:ws1:support" and of the same with ":r1".
    assert_eq!(
        keys,
        ["daemon-support-46e6fb0791c6", "daemon-support-602ade0502b2"]
    );
    host.stop().await;
    let host = stage.play().await;
    stage.slack.user_posts("C1", "U1", "later");
    assert_eq!(host.wait_turn("later").await.session_key, keys[1]);
}

#[tokio::test]
async fn a_mention_comes_twice_and_is_answered_once() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    stage.slack.user_mentions_bot("C1", "U1", "hello");
    stage.slack.wait_posted(1).await;
    stage.slack.user_posts("C1", "U1", "last");
    stage.slack.wait_text("last").await;
    assert_eq!(host.turns().len(), 2);
    stage.slack.wait_all_acknowledged().await;
}

#[tokio::test]
async fn only_those_who_may_speak_are_heard_in_direct_messages() {
    let stage = Stage::set().await;
    let channel = Channel::slack(SLUG).settings(json!({"senders": ["U1"]}));
    let host = stage
        .up(stage.start().config(Config::new().channel(WORKSPACE, channel)))
        .await;
    stage.slack.user_writes_to_bot("U2", "let me in");
    stage.slack.user_posts("C1", "U1", "not for you");
    stage.slack.user_mentions_bot("C1", "U2", "stranger");
    stage.slack.user_mentions_bot("C1", "U1", "friend");
    stage.slack.user_writes_to_bot("U1", "hello");
    stage.slack.wait_text("hello").await;
    let posted = stage.slack.wait_posted(2).await;
    assert_eq!(posted.len(), 2, "{posted:#?}");
    stage.slack.wait_all_acknowledged().await;
    assert_eq!(host.turns().len(), 2);
}

#[tokio::test]
async fn a_trigger_chooses_and_a_mention_reaches_the_agent_readable() {
    let stage = Stage::set().await;
    let channel = Channel::slack(SLUG)
        .conversations(&["C1"])
        .triggers(&[&format!("<@{BOT_USER}>"), "^!kata\\b"]);
    let host = stage
        .up(stage.start().config(Config::new().channel(WORKSPACE, channel)))
        .await;
    for text in [
        "nothing",
        "!KATA do it",
        "!katana",
        &format!("<@{BOT_USER}> please"),
    ] {
        stage.slack.user_posts("C1", "U1", text);
    }
    let contents: Vec<String> = host.wait_turns(2).await.into_iter().map(|t| t.content).collect();
    assert_eq!(contents, ["!KATA do it", "@kata please"]);
    stage.slack.wait_all_acknowledged().await;
    assert_eq!(host.turns().len(), 2);
}

#[tokio::test]
async fn an_empty_answer_says_nothing() {
    let stage = Stage::set().await;
    let quiet = Policy::script(|t| {
        Answer::Say(if t.content == "hush" {
            String::new()
        } else {
            t.content.clone()
        })
    });
    let _host = stage.up(stage.start().policy(quiet)).await;
    stage.slack.user_posts("C1", "U1", "hush");
    stage.slack.user_posts("C1", "U1", "speak");
    stage.slack.wait_text("speak").await;
    assert_eq!(stage.said(), ["speak"]);
}

#[tokio::test]
async fn a_session_goes_on_after_a_restart() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    stage.slack.user_posts("C1", "U1", "one");
    stage.slack.wait_text("one").await;
    host.stop().await;
    let second = stage.play().await;
    stage.slack.user_posts("C1", "U1", "two");
    stage.slack.wait_text("two").await;
    assert_eq!(second.turns().len(), 1);
    assert_eq!(second.turns()[0].session_key, host.turns()[0].session_key);
    assert_eq!(stage.said(), ["one", "two"]);
}

#[tokio::test]
async fn two_workspaces_may_use_one_slug() {
    let stage = Stage::set().await;
    let config = Config::new()
        .channel("ws1", Channel::slack(SLUG).conversations(&["C1"]))
        .channel("ws2", Channel::slack(SLUG).conversations(&["C2"]));
    let host = stage.up(stage.start().config(config)).await;
    for workspace in ["ws1", "ws2"] {
        host.wait_event(workspace, |e| {
            e["status"] == "connected" && e["workspaceId"] == workspace
        })
        .await;
    }
    // Both have seen their conversation: what comes from now on is no old work.
    stage.slack.wait_calls("conversations.history", 2).await;
    stage.slack.user_posts("C1", "U1", "one");
    stage.slack.user_posts("C2", "U1", "two");
    assert_eq!(stage.slack.wait_text("one").await.channel, "C1");
    assert_eq!(stage.slack.wait_text("two").await.channel, "C2");
    assert_eq!(host.wait_turn("one").await.workspace_id, "ws1");
    assert_eq!(host.wait_turn("two").await.workspace_id, "ws2");
    stage.slack.wait_all_acknowledged().await;
}

#[tokio::test]
async fn a_shared_file_is_fetched_for_its_turn() {
    let stage = Stage::set().await;
    let host = stage.up(stage.start().policy(Policy::silent())).await;
    let upload = Upload {
        name: "../notes 1.txt",
        mimetype: "text/plain",
        content: b"the content",
    };
    stage.slack.user_shares("C1", "U1", "read this", &upload);
    let turn = host.wait_turns(1).await.remove(0);
    let all = turn.metadata.to_string();
    let path = turn.metadata["attachments"][0]["path"]
        .as_str()
        .unwrap_or_else(|| panic!("no path in {all}"));
    assert!(
        std::path::Path::new(path).starts_with(stage.home.path().join("attachments")),
        "{path}"
    );
    assert_eq!(fs::read(path).unwrap(), b"the content");
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!all.contains("xoxb"), "{all}");
}

#[tokio::test]
async fn a_sign_of_life_is_shown_while_a_turn_runs_and_taken_off_after() {
    let stage = Stage::set().await;
    let host = stage.up(stage.start().policy(Policy::silent())).await;
    let ts = stage.slack.user_posts("C1", "U1", "hello");
    let turn = host.wait_turn("hello").await;
    stage.slack.wait_calls("reactions.add", 1).await;
    stage
        .slack
        .wait_reactions(
            "C1",
            &ts,
            &[stage.slack.calls("reactions.add")[0].args["name"]
                .as_str()
                .unwrap()],
        )
        .await;
    // The daemon that put it on dies; the next one takes it off.
    host.kill9().await;
    let host = stage.up(stage.start().policy(Policy::silent())).await;
    host.answer(turn.message_id, "done");
    stage.slack.wait_text("done").await;
    stage.slack.wait_reactions("C1", &ts, &[]).await;
}
