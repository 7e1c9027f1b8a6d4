//! Slack is down, slow, silent, or says things twice.

use std::time::Duration;

use kata_testkit::{
    SLUG, Stage,
    host::Policy,
    slack::{Fault, Rate, Redelivery},
};

/// Asks once, with `fault` at the first attempt to answer; the answer must be there exactly once.
async fn answered_once_despite(fault: Fault) {
    let stage = Stage::set().await;
    let host = stage.play().await;
    stage.slack.fail_next("chat.postMessage", fault);
    stage.slack.user_posts("C1", "U1", "one");
    host.wait_for("message_sent").await;
    stage.slack.user_posts("C1", "U1", "two");
    stage.slack.wait_text("two").await;
    assert_eq!(stage.said(), ["one", "two"]);
}

macro_rules! answered_once {
    ($($name:ident: $fault:expr;)*) => {$(
        #[tokio::test]
        async fn $name() {
            answered_once_despite($fault).await;
        }
    )*};
}

answered_once! {
    an_answer_is_sent_once_when_the_connection_is_cut_before_it_took_effect: Fault::CutBefore;
    an_answer_is_sent_once_when_the_connection_is_cut_after_it_took_effect: Fault::CutAfter;
    an_answer_is_sent_once_when_a_503_follows_its_effect: Fault::HttpAfter(503);
    an_answer_is_sent_once_when_a_503_comes_instead: Fault::Http(503);
    an_answer_is_sent_once_when_internal_error_follows_its_effect: Fault::OkFalseAfter("internal_error");
    an_answer_is_sent_once_when_the_reply_is_a_page_of_a_hotel: Fault::Html;
    an_answer_is_sent_once_when_no_reply_ever_comes: Fault::HangAfter;
    an_answer_is_sent_once_when_the_reply_is_slow: Fault::SlowBy(Duration::from_millis(300));
}

#[tokio::test]
async fn retry_after_is_waited_for_and_nothing_overtakes() {
    let stage = Stage::set().await;
    let _host = stage.play().await;
    stage
        .slack
        .fail_next("chat.postMessage", Fault::RateLimited { retry_after: 2 });
    for text in ["one", "two", "three"] {
        stage.slack.user_posts("C1", "U1", text);
    }
    stage.slack.wait_text("three").await;
    assert_eq!(stage.said(), ["one", "two", "three"]);
    let calls = stage.slack.calls("chat.postMessage");
    let pause = calls[1].at.duration_since(calls[0].at);
    assert!(pause.as_secs_f64() >= 1.9, "{pause}");
    assert_eq!(calls.len(), 4);
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
async fn slack_is_down_for_a_while_and_nothing_is_lost_or_said_twice() {
    let stage = Stage::set().await;
    let host = stage.up(stage.start().policy(Policy::silent())).await;
    stage.slack.user_posts("C1", "U1", "before");
    let turn = host.wait_turn("before").await;
    stage.slack.down().await;
    let mark = host.mark();
    host.answer(turn.message_id, "before");
    host.wait_event_since(mark, "a status that says so", |e| {
        e["type"] == "channel_status" && e["status"] != "connected"
    })
    .await;
    stage.slack.give_up_events();
    for text in ["missed 1", "missed 2"] {
        stage.slack.post_silently("C1", "U1", text);
    }
    host.set_policy(Policy::echo());
    stage.slack.up().await;
    stage.slack.wait_text("missed 2").await;
    assert_eq!(stage.said(), ["before", "missed 1", "missed 2"]);
}

#[tokio::test]
async fn an_event_that_comes_again_and_again_is_one_turn() {
    let stage = Stage::set().await;
    stage.slack.set_redelivery(Redelivery {
        after: Duration::ZERO,
        attempts: 5,
    });
    let host = stage.play().await;
    let texts: Vec<String> = (0..20).map(|n| format!("message {n}")).collect();
    for text in &texts {
        stage.slack.user_posts("C1", "U1", text);
    }
    stage.slack.wait_posted(texts.len()).await;
    stage.slack.wait_all_acknowledged().await;
    assert_eq!(stage.said(), texts);
    assert_eq!(host.turns().len(), texts.len());
}

#[tokio::test]
async fn a_refresh_and_a_cut_lose_nothing() {
    let stage = Stage::set().await;
    let _host = stage.play().await;
    let mut texts = Vec::new();
    for round in 0..4 {
        for n in 0..5 {
            texts.push(format!("round {round} message {n}"));
            stage.slack.user_posts("C1", "U1", &texts[texts.len() - 1]);
        }
        let sockets = stage.slack.connections();
        if round % 2 == 0 {
            stage.slack.ask_to_disconnect("refresh_requested")
        } else {
            stage.slack.cut_sockets()
        }
        stage.slack.wait_connections(sockets + 1).await;
    }
    stage.slack.wait_posted(texts.len()).await;
    assert_eq!(stage.said(), texts);
}

#[tokio::test]
async fn what_slack_gave_up_on_is_found_in_history_after_the_next_connect() {
    let stage = Stage::set().await;
    let _host = stage.play().await;
    stage.slack.user_posts("C1", "U1", "hello");
    stage.slack.wait_text("hello").await;
    stage.slack.post_silently("C1", "U1", "never told");
    let sockets = stage.slack.connections();
    stage.slack.cut_sockets();
    stage.slack.wait_connections(sockets + 1).await;
    stage.slack.wait_text("never told").await;
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

#[tokio::test]
async fn a_daemon_that_was_frozen_for_a_moment_goes_on() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    host.freeze();
    let ts = stage.slack.user_posts("C1", "U1", "while frozen");
    assert!(!stage.slack.is_acknowledged(&ts));
    host.thaw();
    stage.slack.wait_text("while frozen").await;
    stage.slack.wait_acknowledged(&ts).await;
}
