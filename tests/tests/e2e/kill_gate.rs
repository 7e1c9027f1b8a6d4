//! `kill -9` at every durable step of the gate: a question is put once, an answer counts once, and what was asked for is
//! done once. As in `conformance/kill.rs`.

use kata_store::GATE_KILL_POINTS;
use kata_testkit::host::{AcpAgent, FakeHost};
use serde_json::json;

use crate::agent::Scene;

/// What the agent is told: it asks, and says how that ended.
const STEPS: [&str; 2] = [r#"ask Bash {"command": "ls"}"#, "say so it ended"];

/// Steps that are not on the way of a question to its answer: the first has a test below, the others have theirs in
/// kata-store.
const ASIDE: [&str; 4] = ["expire", "withdraw", "grants", "revoke"];

/// A daemon that is killed at a step of a question, and the one after it.
async fn dies_at(operation: &str, when: &str) {
    let scene = Scene::asking(&["Bash"]).await;
    // A conversation that was read once: what comes from now on is work.
    let calm = scene.play().await;
    scene.stage.slack.wait_calls("conversations.history", 1).await;
    calm.stop().await;

    let doomed = scene
        .start(&AcpAgent::new())
        .failpoints(&point(operation, when))
        .spawn();
    scene.tell("U2", &STEPS);
    if operation == "resolve" {
        let approval = doomed.wait_approval(0).await;
        scene.card().await;
        // The host's way: an answer in the conversation is a step of admitting its message.
        let id = &approval["approvalId"];
        doomed.send(&json!({"type": "resolve_approval", "approvalId": id, "decision": "allow_once"}));
    }
    died(&doomed).await;

    let survivor = scene.play().await;
    if (operation, when) != ("resolve", "after_commit") {
        let card = scene.card().await;
        scene.stage.slack.press("U1", &card.ts, "Allow once");
    }
    scene.heard("so it ended").await;
    let said = scene.stage.slack.posted();
    let count = |part: &str| said.iter().filter(|p| p.text.contains(part)).count();
    assert_eq!(count("so it ended"), 1, "{said:#?}\n{}", survivor.dump());
    assert_eq!(count("Approval needed"), 1, "{said:#?}\n{}", survivor.dump());
    assert_eq!(count("allowed\nso it ended"), 1, "{said:#?}\n{}", survivor.dump());
}

fn point(operation: &str, when: &str) -> String {
    format!("{operation}.{when}=return")
}

async fn died(host: &FakeHost) {
    let exit = host.wait_exit().await;
    assert_eq!(
        exit.signal,
        Some(6),
        "a binary with failpoints aborts\n{}",
        host.dump()
    );
}

/// A daemon that dies while it closes a question that nobody answered; the next one closes it.
async fn dies_while_a_question_expires(when: &str) {
    let scene = Scene::with(json!({"approvals": {"expireMin": 0.02}})).await;
    scene.permit(json!({"askTools": ["Bash"]}));
    let doomed = scene
        .start(&AcpAgent::new())
        .failpoints(&point("expire", when))
        .spawn();
    scene.tell("U2", &STEPS);
    let approval = doomed.wait_approval(0).await;
    died(&doomed).await;

    let survivor = scene.play().await;
    // The agent is told that this is no denial, and says what it was told.
    scene.heard("so it ended").await;
    let query = json!({"type": "query", "what": "approvals", "approvalId": approval["approvalId"]});
    let found = survivor.request(query).await;
    assert_eq!(
        found["data"]["items"][0]["state"],
        "expired",
        "{found}\n{}",
        survivor.dump()
    );
}

#[tokio::test]
async fn a_question_that_expires_as_the_daemon_dies_has_expired() {
    for when in ["before_commit", "after_commit"] {
        dies_while_a_question_expires(when).await;
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
        fn every_kill_point_of_the_gate_has_its_test() {
            let tested: Vec<&str> = [$(stringify!($operation)),*].into_iter().chain(ASIDE).collect();
            assert_eq!(GATE_KILL_POINTS.to_vec(), tested);
        }
    };
}

dies_at! { judge ask resolve }
