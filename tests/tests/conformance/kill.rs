//! `kill -9` at every durable step: no message lost, none answered twice, order kept.
//!
//! A failpoint aborts the daemon just before or just after the commit of an operation; a second daemon goes on. This
//! needs a binary with the feature `failpoints`.

use std::sync::atomic::{AtomicBool, Ordering};

use kata_store::KILL_POINTS;
use kata_testkit::host::{Answer, Config, FakeHost, Policy, Start};
use serde_json::json;

use crate::fake::{Fake, Scene, received, turn_of};

/// What is said in each of two conversations.
const TEXTS: [&str; 4] = ["one", "two", "three", "four"];

/// Its step comes five minutes after the start; it is killed in kata-store's own tests.
const LATE: &str = "sweep";

fn start<F: Fake>(scene: &Scene<F>, policy: Policy) -> Start {
    scene.start().policy(policy)
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

/// Runs a daemon that dies at a step, another that does not, and looks at what the platform got.
pub(crate) async fn dies_at<F: Fake>(operation: &str, when: &str) {
    let scene = Scene::<F>::set().await;
    let [here, ..] = F::PLACES;
    // Conversations that were read once: what comes from now on is work.
    let host = scene.up(start(&scene, Policy::echo())).await;
    for place in &F::PLACES[..2] {
        let before = format!("before in {place}");
        scene.fake.says(place, &before);
        scene.fake.wait_text(&before).await;
    }
    host.stop().await;

    if operation == "prepare" {
        leave_an_unprepared_answer(&scene).await;
    }
    let point = format!("{operation}.{when}=return");
    let doomed = start(&scene, agent(operation)).failpoints(&point).spawn();
    match operation {
        "prepare" => {}
        "cancel" => {
            scene.fake.says(here, "wrong");
            let wrong = turn_of::<F>(&doomed, "wrong").await;
            doomed.send(&json!({"type": "cancel_turn", "messageId": wrong.message_id}));
            speak(&scene);
        }
        "give_back" => {
            speak(&scene);
            doomed.wait_turns(1).await;
            doomed.send(&json!({"type": "stop"}));
        }
        _ => _ = speak(&scene),
    }
    let exit = doomed.wait_exit().await;
    assert_eq!(
        exit.signal,
        Some(6),
        "{point} aborts a binary with failpoints\n{}",
        doomed.dump()
    );

    let survivor = scene.up(start(&scene, Policy::echo())).await;
    check(&scene, &survivor).await;
}

/// Gives the messages.
fn speak<F: Fake>(scene: &Scene<F>) -> Vec<String> {
    let everywhere = TEXTS
        .into_iter()
        .flat_map(|text| F::PLACES[..2].iter().map(move |place| (*place, text)));
    everywhere
        .map(|(place, text)| scene.fake.says(place, text))
        .collect()
}

/// An answer is rendered with its turn's end where its channel is there. Here it comes to a daemon that has no
/// channel, so that preparing it is left to the next one.
async fn leave_an_unprepared_answer<F: Fake>(scene: &Scene<F>) {
    let asks = scene.up(start(scene, Policy::silent())).await;
    let messages = speak(scene);
    let turn = asks.wait_turns(1).await.remove(0);
    for message in &messages {
        received(&asks, message).await;
    }
    asks.kill9().await;
    let hears = start(scene, Policy::silent()).config(Config::new()).spawn();
    hears.wait_running().await;
    hears.answer(turn.message_id, &turn.content);
    hears.stop().await;
}

/// Every text once and in order, and the daemon well enough for one more.
async fn check<F: Fake>(scene: &Scene<F>, host: &FakeHost) {
    for place in &F::PLACES[..2] {
        let last = format!("last in {place}");
        scene.fake.says(place, &last);
        scene.fake.wait_text(&last).await;
        let wanted: Vec<&str> = TEXTS.into_iter().chain([last.as_str()]).collect();
        let mut said = scene.said_in(place);
        said.retain(|text| wanted.contains(&text.as_str()));
        assert_eq!(said, wanted, "{}\n{}", scene.fake.dump(), host.dump());
    }
}

/// One test for each step, of one platform.
macro_rules! dies_at_each {
    ($fake:ty; $($operation:ident)*) => {
        mod kill_before_commit { $(
            #[tokio::test]
            async fn $operation() { crate::kill::dies_at::<$fake>(stringify!($operation), "before_commit").await; }
        )* }
        mod kill_after_commit { $(
            #[tokio::test]
            async fn $operation() { crate::kill::dies_at::<$fake>(stringify!($operation), "after_commit").await; }
        )* }

        #[test]
        fn every_kill_point_has_its_test() {
            crate::kill::are_all(&[$(stringify!($operation),)*]);
        }
    };
}
pub(crate) use dies_at_each;

pub(crate) fn are_all(operations: &[&str]) {
    assert_eq!(KILL_POINTS, [operations, &[LATE]].concat());
}
