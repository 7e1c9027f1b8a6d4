//! A session that begins anew hears what was said before, once.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::join;
use tower::ServiceExt as _;

use super::{agent::SESSION, bench::Bench};
use crate::{AgentError, Reply, Seed, Turn};

/// Counts how often it is asked.
#[derive(Debug, Default)]
struct Past(AtomicU32);

#[async_trait]
impl Seed for Past {
    async fn prompt(&self, turn: &Turn) -> Option<String> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Some(format!("earlier; {}", turn.prompt))
    }
}

/// Runs a turn of a session whose past is `past`.
fn run(
    bench: &Bench,
    prompt: &str,
    past: &Arc<Past>,
) -> impl Future<Output = Result<Reply, AgentError>> + 'static {
    let turn = Turn {
        seed: Some(Arc::clone(past) as Arc<dyn Seed>),
        ..bench.turn("daemon-work-1", prompt)
    };
    bench.agents.agent(bench.settings()).oneshot(turn)
}

fn text(params: &Value) -> &str {
    params["prompt"][0]["text"].as_str().unwrap()
}

#[tokio::test]
async fn a_new_session_hears_what_was_said_before_in_its_first_prompt_alone() {
    let mut bench = Bench::new(1);
    let past = Arc::new(Past::default());
    let one = run(&bench, "one", &past);
    let play = async {
        let mut agent = bench.agent().await;
        agent.greet(json!({})).await;
        let (id, _) = agent.expect("session/new").await;
        agent.answer(id, json!({"sessionId": SESSION})).await;
        let heard = agent.reply("hi").await;
        (agent, heard)
    };
    let (reply, (mut agent, heard)) = join!(one, play);
    reply.unwrap();
    assert_eq!(text(&heard), "earlier; one");

    let two = run(&bench, "two", &past);
    let (reply, heard) = join!(two, agent.reply("hi"));
    reply.unwrap();
    assert_eq!(text(&heard), "two");
    assert_eq!(past.0.load(Ordering::SeqCst), 1);
    bench.end().await;
}

#[tokio::test]
async fn a_session_that_the_agent_went_on_with_knows_by_itself() {
    let mut bench = Bench::new(1);
    let key = "daemon-work-1".to_owned();
    bench.memory.0.lock().unwrap().insert(key, SESSION.into());
    let past = Arc::new(Past::default());
    let one = run(&bench, "one", &past);
    let play = async {
        let mut agent = bench.agent().await;
        agent.greet(json!({"loadSession": true})).await;
        let (id, _) = agent.expect("session/load").await;
        agent.answer(id, json!({})).await;
        agent.reply("hi").await
    };
    let (reply, heard) = join!(one, play);
    reply.unwrap();
    assert_eq!(text(&heard), "one");
    assert_eq!(past.0.load(Ordering::SeqCst), 0, "nobody read what nobody needs");
    bench.end().await;
}
