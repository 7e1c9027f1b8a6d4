//! `kill -9` at random times.

use std::{collections::BTreeMap, env, time::Duration};

use kata_testkit::{
    Stage,
    host::{Answer, FakeHost, Policy, Start},
    slack::{Fault, Redelivery},
};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use tokio::time::timeout;

const CONVERSATIONS: [&str; 3] = ["C1", "C2", "C3"];

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

/// One life of the daemon: what is said in it, how Slack behaves, and when it ends.
#[derive(Debug)]
struct Life {
    messages: Vec<&'static str>,
    faults: Vec<Fault>,
    ends_after: Duration,
}

impl Life {
    fn dice(rng: &mut StdRng) -> Self {
        let faults = [
            Fault::CutBefore,
            Fault::CutAfter,
            Fault::HttpAfter(500),
            Fault::RateLimited { retry_after: 1 },
        ];
        Self {
            messages: (0..rng.random_range(0..12))
                .filter_map(|_| CONVERSATIONS.choose(rng).copied())
                .collect(),
            faults: (0..rng.random_range(0..3))
                .filter_map(|_| faults.choose(rng).cloned())
                .collect(),
            ends_after: Duration::from_millis(rng.random_range(0..400)),
        }
    }
}

fn start(stage: &Stage) -> Start {
    let policy = Policy::script(|t| Answer::Say(t.content.clone()));
    stage
        .home
        .start(&stage.slack)
        .config(Stage::config(&CONVERSATIONS))
        .policy(policy)
}

#[tokio::test]
async fn no_message_is_lost_or_answered_twice_and_order_is_kept() {
    let seed = number("KATA_TORTURE_SEED").unwrap_or_else(|| rand::rng().random());
    let mut rng = StdRng::seed_from_u64(seed);
    for round in 0..number("KATA_TORTURE_ROUNDS").unwrap_or(3) {
        let lives: Vec<Life> = (0..6).map(|_| Life::dice(&mut rng)).collect();
        let story = format!("seed {seed} round {round}: {lives:#?}");
        live(&lives, &story).await;
    }
}

async fn live(lives: &[Life], story: &str) {
    let stage = Stage::set().await;
    stage.slack.set_redelivery(Redelivery {
        after: Duration::from_millis(300),
        attempts: 3,
    });
    let host = stage.up(start(&stage)).await;
    stage
        .slack
        .wait_calls("conversations.history", CONVERSATIONS.len())
        .await;
    host.stop().await;
    let mut said: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for life in lives {
        let host = start(&stage).spawn();
        life.faults
            .iter()
            .for_each(|f| stage.slack.fail_next("chat.postMessage", f.clone()));
        for conversation in &life.messages {
            let texts = said.entry(conversation).or_default();
            texts.push(format!("{conversation} message {}", texts.len()));
            stage
                .slack
                .user_posts(conversation, "U1", &texts[texts.len() - 1]);
        }
        // The time of death is what this test is about; nothing is waited for.
        let _ = timeout(life.ends_after, host.wait_exit()).await;
        host.kill9().await;
    }
    let host = stage.up(start(&stage)).await;
    check(&stage, &host, &said, story).await;
}

async fn check(stage: &Stage, host: &FakeHost, said: &BTreeMap<&str, Vec<String>>, story: &str) {
    for text in said.values().flatten() {
        stage.slack.wait_text(text).await;
    }
    for (conversation, texts) in said {
        let last = format!("{conversation} last");
        stage.slack.user_posts(conversation, "U1", &last);
        stage.slack.wait_text(&last).await;
        let posted = stage
            .slack
            .posted()
            .into_iter()
            .filter(|p| p.channel == *conversation);
        let answers: Vec<String> = posted.map(|p| p.text).collect();
        let wanted: Vec<String> = texts.iter().cloned().chain([last]).collect();
        assert_eq!(
            answers,
            wanted,
            "{story}\n{}\n{}",
            stage.slack.dump(),
            host.dump()
        );
    }
}
