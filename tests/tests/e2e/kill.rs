//! `kill -9` at every durable step: no message lost, none answered twice, order kept.
//!
//! A failpoint aborts the daemon just before or just after the commit of an operation; a second daemon goes on. This
//! needs a binary with the feature `failpoints`.

use std::sync::atomic::{AtomicBool, Ordering};

use kata_store::KILL_POINTS;
use kata_testkit::{
    Stage,
    host::{Answer, Config, FakeHost, Policy, Start},
};
use serde_json::json;

/// What is said in each of two conversations.
const TEXTS: [&str; 4] = ["one", "two", "three", "four"];

/// Its step comes five minutes after the start; it is killed in kata-store's own tests.
const LATE: &str = "sweep";

fn start(stage: &Stage, policy: Policy) -> Start {
    stage
        .home
        .start(&stage.slack)
        .config(Stage::config(&["C1", "C2"]))
        .policy(policy)
}

/// An agent that brings the daemon to `operation`.
fn agent(operation: &str) -> Policy {
    let trouble = match operation {
        "fail" => Answer::Fail("once".into()),
        "busy" => Answer::Busy,
        "give_back" | "cancel" => Answer::Silent,
        _ => return Policy::echo(),
    };
    let met = AtomicBool::new(false);
    Policy::script(move |turn| {
        if met.swap(true, Ordering::Relaxed) {
            Answer::Say(turn.content.clone())
        } else {
            trouble.clone()
        }
    })
}

/// Runs a daemon that dies at a step, another that does not, and looks at what Slack got.
async fn dies_at(operation: &str, when: &str) {
    let stage = Stage::set().await;
    // Conversations that were read once: what comes from now on is work.
    let host = stage.up(start(&stage, Policy::echo())).await;
    stage.slack.wait_calls("conversations.history", 2).await;
    host.stop().await;

    if operation == "prepare" {
        leave_an_unprepared_answer(&stage).await;
    }
    let point = format!("{operation}.{when}=return");
    let doomed = start(&stage, agent(operation)).failpoints(&point).spawn();
    match operation {
        "prepare" => {}
        "cancel" => {
            stage.slack.user_posts("C1", "U1", "wrong");
            let wrong = doomed.wait_turn("wrong").await;
            doomed.send(&json!({"type": "cancel_turn", "messageId": wrong.message_id}));
            speak(&stage);
        }
        "give_back" => {
            speak(&stage);
            doomed.wait_turns(1).await;
            doomed.send(&json!({"type": "stop"}));
        }
        _ => speak(&stage),
    }
    let exit = doomed.wait_exit().await;
    assert_eq!(
        exit.signal,
        Some(6),
        "{point} aborts a binary with failpoints\n{}",
        doomed.dump()
    );

    let survivor = stage.up(start(&stage, Policy::echo())).await;
    check(&stage, &survivor).await;
}

fn speak(stage: &Stage) {
    for text in TEXTS {
        for conversation in ["C1", "C2"] {
            stage.slack.user_posts(conversation, "U1", text);
        }
    }
}

/// An answer is rendered with its turn's end where its channel is there. Here it comes to a daemon that has no
/// channel, so that preparing it is left to the next one.
async fn leave_an_unprepared_answer(stage: &Stage) {
    let asks = stage.up(start(stage, Policy::silent())).await;
    speak(stage);
    let turn = asks.wait_turns(1).await.remove(0);
    stage.slack.wait_all_acknowledged().await;
    asks.kill9().await;
    let hears = start(stage, Policy::silent()).config(Config::new()).spawn();
    hears.wait_running().await;
    hears.answer(turn.message_id, &turn.content);
    hears.stop().await;
}

/// Every text once and in order, and the daemon well enough for one more.
async fn check(stage: &Stage, host: &FakeHost) {
    for conversation in ["C1", "C2"] {
        let last = format!("last in {conversation}");
        stage.slack.user_posts(conversation, "U1", &last);
        stage.slack.wait_text(&last).await;
        let wanted: Vec<&str> = TEXTS.into_iter().chain([last.as_str()]).collect();
        let posted = stage.slack.posted();
        let said: Vec<&str> = posted
            .iter()
            .filter(|p| p.channel == conversation && wanted.contains(&p.text.as_str()))
            .map(|p| p.text.as_str())
            .collect();
        assert_eq!(said, wanted, "{}\n{}", stage.slack.dump(), host.dump());
    }
}

macro_rules! dies_at {
    ($($operation:ident)*) => {
        mod before_commit { $(
            #[tokio::test]
            async fn $operation() { super::dies_at(stringify!($operation), "before_commit").await; }
        )* }
        mod after_commit { $(
            #[tokio::test]
            async fn $operation() { super::dies_at(stringify!($operation), "after_commit").await; }
        )* }

        #[test]
        fn every_kill_point_has_its_test() {
            assert_eq!(KILL_POINTS, [$(stringify!($operation),)* LATE]);
        }
    };
}

dies_at! { admit claim finish fail busy give_back cancel claim_out prepare settle adopt }
