//! Turns that fail, wait, come late, or never end.

use kata_testkit::{
    SLUG, Stage,
    host::{Answer, Policy},
};
use serde_json::json;

/// Fails what is called poison, and says everything else back.
fn poisoned() -> Policy {
    Policy::script(|t| match t.content.as_str() {
        "poison" => Answer::Fail("the agent choked".into()),
        other => Answer::Say(other.into()),
    })
}

#[tokio::test]
async fn a_poisoned_message_is_tried_parked_said_once_and_brought_back() {
    let stage = Stage::set().await;
    stage.home.write_settings(&json!({"attempts": 2}));
    let host = stage.up(stage.start().policy(poisoned())).await;
    stage.slack.user_posts("C1", "U1", "poison");
    stage.slack.user_posts("C1", "U1", "after");
    let parked = host
        .wait_event("the end of it", |e| {
            e["type"] == "message_failed" && e["nextAttemptAt"].is_null()
        })
        .await;
    assert_eq!(parked["attempt"], 2);
    stage.slack.wait_text("after").await;
    // A notice in the conversation, and a sentence for the host's user.
    let said = stage.slack.wait_posted(2).await;
    assert_eq!(said.len(), 2, "{said:#?}");
    host.wait_event("a sentence", |e| {
        e["type"] == "plugin_error" && e["pluginId"] == SLUG
    })
    .await;

    host.set_policy(Policy::echo());
    let result = host
        .request(json!({"type": "retry_message", "messageId": parked["messageId"]}))
        .await;
    assert_eq!(result["ok"], true, "{result}");
    stage.slack.wait_text("poison").await;
}

#[tokio::test]
async fn a_discarded_message_is_over() {
    let stage = Stage::set().await;
    stage.home.write_settings(&json!({"attempts": 1}));
    let host = stage.up(stage.start().policy(poisoned())).await;
    stage.slack.user_posts("C1", "U1", "poison");
    let parked = host.wait_for("message_failed").await;
    let discard = json!({"type": "discard_message", "messageId": parked["messageId"]});
    assert_eq!(host.request(discard).await["ok"], true);
    let retry = json!({"type": "retry_message", "messageId": parked["messageId"]});
    assert_eq!(host.request(retry).await["ok"], false);
}

#[tokio::test]
async fn a_host_that_never_answers_holds_up_its_lane_for_two_leases_at_most() {
    let stage = Stage::set().await;
    stage.home.write_settings(&json!({"leaseMin": 0.01}));
    let deaf = Policy::script(|t| match t.content.as_str() {
        "hello?" => Answer::Silent,
        other => Answer::Say(other.into()),
    });
    let host = stage
        .up(stage.start().config(Stage::config(&["C1", "C2"])).policy(deaf))
        .await;
    stage.slack.user_posts("C1", "U1", "hello?");
    stage.slack.user_posts("C1", "U1", "same lane");
    stage.slack.user_posts("C2", "U1", "other lane");
    stage.slack.wait_text("other lane").await;
    stage.slack.wait_text("same lane").await;
    let asked = host.turns().iter().filter(|t| t.content == "hello?").count();
    assert_eq!(asked, 2);
}

#[tokio::test]
async fn a_late_answer_is_taken_and_a_second_one_changes_nothing() {
    let stage = Stage::set().await;
    stage.home.write_settings(&json!({"leaseMin": 0.01}));
    let host = stage.up(stage.start().policy(Policy::silent())).await;
    stage.slack.user_posts("C1", "U1", "hello");
    // Offered again: the lease of the first is over.
    let turns = host.wait_turns(2).await;
    assert_eq!(turns[0].message_id, turns[1].message_id);
    host.answer(turns[0].message_id, "late");
    stage.slack.wait_text("late").await;
    host.answer(turns[0].message_id, "again");
    host.fail(turns[0].message_id, "never mind");
    host.answer(999_999, "to nobody");
    host.set_policy(Policy::echo());
    stage.slack.user_posts("C1", "U1", "next");
    stage.slack.wait_text("next").await;
    assert_eq!(stage.said(), ["late", "next"]);
}

#[tokio::test]
async fn a_parked_message_is_answered_all_the_same_when_its_answer_comes() {
    let stage = Stage::set().await;
    stage.home.write_settings(&json!({"leaseMin": 0.01}));
    let host = stage.up(stage.start().policy(Policy::silent())).await;
    stage.slack.user_posts("C1", "U1", "hello");
    let turn = host.wait_turn("hello").await;
    host.wait_event("the parking", |e| {
        e["type"] == "message_failed" && e["nextAttemptAt"].is_null()
    })
    .await;
    host.answer(turn.message_id, "better late");
    stage.slack.wait_text("better late").await;
}

#[tokio::test]
async fn a_busy_session_is_asked_again_and_nothing_is_counted() {
    let stage = Stage::set().await;
    let host = stage
        .up(stage.start().policy(Policy::script(|_| Answer::Busy)))
        .await;
    stage.slack.user_posts("C1", "U1", "hello");
    let first = host.wait_turn("hello").await;
    host.set_policy(Policy::echo());
    stage.slack.wait_text("hello").await;
    let turns = host.turns();
    assert_eq!(turns.len(), 2);
    assert_eq!(turns[1].event["attempt"], first.event["attempt"]);
    assert!(host.events_of("message_failed").is_empty());
}

#[tokio::test]
async fn one_turn_a_lane_is_open_and_no_more_than_three_in_all() {
    let stage = Stage::set().await;
    for n in 4..8 {
        stage.slack.add_channel(
            &format!("C{n}"),
            "more",
            kata_testkit::slack::ChannelKind::Public,
            &["U1"],
        );
    }
    let ids = ["C1", "C2", "C3", "C4", "C5", "C6", "C7"];
    let host = stage
        .up(stage.start().config(Stage::config(&ids)).policy(Policy::silent()))
        .await;
    for id in ids {
        for n in 0..2 {
            stage.slack.user_posts(id, "U1", &format!("{id} {n}"));
        }
    }
    stage.slack.wait_all_acknowledged().await;
    for done in 0..14 {
        let turns = host.wait_turns(done + 1).await;
        // `done` of them are answered: what is more is open.
        assert!(turns.len() <= done + 3, "{} open", turns.len() - done);
        host.answer(turns[done].message_id, &turns[done].content);
        stage.slack.wait_text(&turns[done].content).await;
    }
    for id in ids {
        let said: Vec<String> = stage
            .slack
            .posted()
            .into_iter()
            .filter(|p| p.channel == id)
            .map(|p| p.text)
            .collect();
        assert_eq!(said, [format!("{id} 0"), format!("{id} 1")]);
    }
}

#[tokio::test]
async fn a_conversation_that_waits_holds_up_no_other() {
    let stage = Stage::set().await;
    let stuck = Policy::script(|t| {
        if t.content == "stuck" {
            Answer::Silent
        } else {
            Answer::Say(t.content.clone())
        }
    });
    let host = stage
        .up(stage.start().config(Stage::config(&["C1", "C2"])).policy(stuck))
        .await;
    stage.slack.user_posts("C1", "U1", "stuck");
    host.wait_turn("stuck").await;
    for n in 0..20 {
        stage.slack.user_posts("C2", "U1", &n.to_string());
    }
    stage.slack.wait_text("19").await;
    assert_eq!(stage.said().len(), 20);
}

#[tokio::test]
async fn a_stopped_turn_lets_the_next_message_go_on() {
    let stage = Stage::set().await;
    let host = stage.up(stage.start().policy(Policy::silent())).await;
    stage.slack.user_posts("C1", "U1", "wrong");
    let wrong = host.wait_turn("wrong").await;
    stage.slack.user_posts("C1", "U1", "/stop");
    host.set_policy(Policy::echo());
    stage.slack.user_posts("C1", "U1", "right");
    stage.slack.wait_text("right").await;
    host.answer(wrong.message_id, "too late");
    stage.slack.user_posts("C1", "U1", "last");
    stage.slack.wait_text("last").await;
    assert!(!stage.said().contains(&"too late".to_owned()));
}

#[tokio::test]
async fn several_waiting_messages_may_become_one_turn() {
    let stage = Stage::set().await;
    let host = stage
        .up(stage.start().capabilities(&["coalesce"]).policy(Policy::silent()))
        .await;
    stage.slack.user_posts("C1", "U1", "first");
    let first = host.wait_turn("first").await;
    for text in ["a", "b", "c"] {
        stage.slack.user_posts("C1", "U1", text);
    }
    stage.slack.wait_all_acknowledged().await;
    host.answer(first.message_id, "one");
    let turn = host.wait_turns(2).await.remove(1);
    assert_eq!(
        turn.event["messages"].as_array().map(Vec::len),
        Some(3),
        "{}",
        turn.event
    );
    host.answer(turn.message_id, "two");
    stage.slack.wait_text("two").await;
    assert_eq!(stage.said(), ["one", "two"]);
}
