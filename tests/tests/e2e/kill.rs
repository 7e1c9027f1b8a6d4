//! `kill -9` at every durable step: no message lost, none answered twice, order kept.

use std::time::Duration;

use kata_store::KILL_POINTS;
use kata_testkit::{
    Stage,
    host::{Answer, FakeHost, Policy, Start},
};
use serde_json::json;
use tokio::time::timeout;

/// What is said in each of two conversations.
const TEXTS: [&str; 4] = ["one", "two", "three", "four"];

/// An agent that is hit by everything that a step is made for: it fails once, and is busy once.
fn troubled(stage: &Stage) -> Start {
    let failed = std::sync::atomic::AtomicBool::new(false);
    let policy = Policy::script(move |t| {
        let first_time = t.content == "two" && !failed.swap(true, std::sync::atomic::Ordering::Relaxed);
        if first_time {
            Answer::Fail("once".into())
        } else {
            Answer::Say(t.content.clone())
        }
    });
    stage
        .home
        .start(&stage.slack)
        .config(Stage::config(&["C1", "C2"]))
        .policy(policy)
}

/// Runs a daemon that dies at `point`, another that does not, and looks at what Slack got.
async fn dies_at(point: &str) {
    let stage = Stage::set().await;
    // Conversations that were read once: what comes from now on is work.
    let host = stage.up(troubled(&stage)).await;
    stage.slack.wait_calls("conversations.history", 2).await;
    host.stop().await;

    let doomed = troubled(&stage).failpoints(&format!("{point}=return")).spawn();
    speak(&stage);
    let died = timeout(Duration::from_secs(8), doomed.wait_exit()).await;
    if let Ok(exit) = died {
        assert_eq!(exit.signal, Some(6), "{point} aborts\n{}", doomed.dump());
    } else {
        // Not every point lies on this way; then the daemon lives on and is killed where it stands.
        doomed.kill9().await;
    }
    let survivor = stage.up(troubled(&stage)).await;
    settle(&stage, &survivor).await;
}

fn speak(stage: &Stage) {
    for text in TEXTS {
        for conversation in ["C1", "C2"] {
            stage.slack.user_posts(conversation, "U1", text);
        }
    }
}

/// Waits for all answers, and for one more that shows that the daemon is well.
async fn settle(stage: &Stage, host: &FakeHost) {
    for text in TEXTS {
        stage.slack.wait_text(text).await;
    }
    for conversation in ["C1", "C2"] {
        stage
            .slack
            .user_posts(conversation, "U1", &format!("last in {conversation}"));
        stage.slack.wait_text(&format!("last in {conversation}")).await;
        let answers = stage
            .slack
            .posted()
            .into_iter()
            .filter(|p| p.channel == conversation);
        let said: Vec<String> = answers.map(|p| p.text).collect();
        let wanted: Vec<String> = TEXTS
            .iter()
            .map(|t| (*t).to_owned())
            .chain([format!("last in {conversation}")])
            .collect();
        assert_eq!(said, wanted, "{}\n{}", stage.slack.dump(), host.dump());
    }
    let queue = host.request(json!({"type": "query", "what": "queue"})).await;
    assert_eq!(queue["ok"], true);
}

macro_rules! dies_at {
    ($($point:ident)*) => {
        mod before_commit { $(
            #[tokio::test]
            async fn $point() { super::dies_at(concat!(stringify!($point), ".before_commit")).await; }
        )* }
        mod after_commit { $(
            #[tokio::test]
            async fn $point() { super::dies_at(concat!(stringify!($point), ".after_commit")).await; }
        )* }

        #[test]
        fn every_kill_point_has_its_test() {
            assert_eq!(KILL_POINTS, [$(stringify!($point)),*]);
        }
    };
}

dies_at! { admit claim finish fail busy give_back cancel claim_out prepare settle adopt sweep }
