//! What Slack alone does when it is slow or unsure; what every platform does is in `conformance`.

use std::time::Duration;

use kata_testkit::{
    SLUG, Stage,
    slack::{Fault, Rate},
};

#[tokio::test]
async fn an_answer_is_sent_once_when_internal_error_follows_its_effect() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    stage
        .slack
        .fail_next("chat.postMessage", Fault::OkFalseAfter("internal_error"));
    stage.slack.user_posts("C1", "U1", "one");
    host.wait_for("message_sent").await;
    stage.slack.user_posts("C1", "U1", "two");
    stage.slack.wait_text("two").await;
    assert_eq!(stage.said(), ["one", "two"]);
}

#[tokio::test]
async fn an_unknown_outcome_is_not_sent_again_while_nothing_can_be_read_back() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    stage.slack.fail_next("chat.postMessage", Fault::CutAfter);
    stage.slack.fail_always("conversations.history", Fault::Http(500));
    let reads = stage.slack.calls("conversations.history").len();
    stage.slack.user_posts("C1", "U1", "one");
    stage.slack.wait_calls("conversations.history", reads + 1).await;
    stage.slack.heal("conversations.history");
    host.wait_for("message_sent").await;
    assert_eq!(stage.slack.calls("chat.postMessage").len(), 1);
}

#[tokio::test]
async fn answers_keep_pace_with_what_slack_takes() {
    let stage = Stage::set().await;
    let _host = stage.play().await;
    stage.slack.limit(
        "chat.postMessage",
        Rate {
            calls: 2,
            window: Duration::from_secs(1),
            retry_after: 1,
        },
    );
    let texts: Vec<String> = (0..8).map(|n| format!("answer {n}")).collect();
    for text in &texts {
        stage.slack.user_posts("C1", "U1", text);
    }
    stage.slack.wait_posted(texts.len()).await;
    assert_eq!(stage.said(), texts);
}

#[tokio::test]
async fn two_thousand_messages_posted_while_we_were_down_are_all_answered_in_order() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    stage.slack.user_posts("C1", "U1", "before");
    stage.slack.wait_text("before").await;
    host.stop().await;
    let texts: Vec<String> = (0..2000).map(|n| format!("missed {n}")).collect();
    for text in &texts {
        stage.slack.post_silently("C1", "U1", text);
    }
    let host = stage.play().await;
    // Step by step: the whole may take longer than a wait's patience.
    for n in (100..=texts.len()).step_by(100) {
        stage.slack.wait_posted(n + 1).await;
    }
    assert_eq!(stage.said()[1..], texts);
    assert_eq!(host.turns().len(), texts.len());
    assert!(
        host.events_of("plugin_error")
            .iter()
            .all(|e| e["pluginId"] != SLUG)
    );
}
