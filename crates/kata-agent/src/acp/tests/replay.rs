//! Whole conversations with real agents: what they wrote is written again, and our side must come to the same answers.

use std::collections::HashMap;

use serde_json::{Value, json};
use tokio::join;

use super::{agent::Played, bench::Bench};

/// A recorded message of the client's, and what the agent wrote before the next one.
struct Step {
    client: Value,
    agent: Vec<Value>,
}

/// What a recording comes to.
struct Heard {
    answers: Vec<String>,
    tools: Vec<(String, Value)>,
}

fn steps(recording: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in recording.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let message = line["msg"].clone();
        match line["dir"].as_str().unwrap() {
            "c2a" => steps.push(Step {
                client: message,
                agent: Vec::new(),
            }),
            _ => steps.last_mut().unwrap().agent.push(message),
        }
    }
    // Our client leaves the login to the agent.
    steps.retain(|step| step.client["method"] != "authenticate");
    steps
}

/// Plays the agent's side. The client's ids and its directory are its own: those of the recording are put in their place.
async fn play(agent: &mut Played, steps: &[Step], directory: &mut Option<(String, String)>) {
    let mut ids: HashMap<String, Value> = HashMap::new();
    for step in steps {
        let message = agent.next().await.expect("the client hung up");
        assert_eq!(message["method"], step.client["method"], "{message}");
        if message["method"] == "session/new" {
            let there = |message: &Value| message["params"]["cwd"].to_string();
            *directory = Some((there(&step.client), there(&message)));
        }
        if step.client.get("method").is_some() {
            ids.insert(step.client["id"].to_string(), message["id"].clone());
        } else {
            // The same answer to the same question, chosen among the agent's own options.
            assert_eq!(message, step.client);
        }
        for message in &step.agent {
            let mut message = message.clone();
            if message.get("method").is_none() {
                message["id"] = ids[&message["id"].to_string()].clone();
            }
            if let Some((recorded, here)) = directory {
                message = serde_json::from_str(&message.to_string().replace(&*recorded, here)).unwrap();
            }
            agent.send(message).await;
        }
    }
}

async fn replay(recording: &str) -> Heard {
    let steps = steps(recording);
    let mut bench = Bench::new(1);
    let mut answers = Vec::new();
    let starts = steps
        .iter()
        .enumerate()
        .filter(|(_, step)| step.client["method"] == "session/prompt");
    let mut starts: Vec<usize> = starts.map(|(n, _)| n).collect();
    // The start of the session belongs to the first turn.
    starts[0] = 0;
    let ends = starts.iter().skip(1).copied().chain([steps.len()]);
    let (mut agent, mut directory) = (None, None);
    for (start, end) in starts.iter().copied().zip(ends) {
        let reply = bench.prompt("as recorded");
        let play = async {
            let mut agent = match agent.take() {
                Some(agent) => agent,
                None => bench.agent().await,
            };
            play(&mut agent, &steps[start..end], &mut directory).await;
            agent
        };
        let (reply, played) = join!(reply, play);
        answers.push(reply.unwrap().text);
        agent = Some(played);
    }
    let tools = bench
        .judge
        .calls()
        .into_iter()
        .map(|call| (call.tool, call.input))
        .collect();
    bench.end().await;
    Heard { answers, tools }
}

const COMMAND: &str = "echo tool-ran > fake_out.txt && cat fake_out.txt";

#[tokio::test]
async fn claude() {
    let heard = replay(include_str!("transcripts/run-claude.jsonl")).await;
    assert!(heard.answers[0].starts_with("Echo: library).\n- init: Initialize a new CLAUDE.md file"));
    assert!(heard.answers[0].ends_with("pending changes on the current branch"));
    assert!(
        heard.answers[1].starts_with("I will use a tool now. \n\nTool said: tool-ran"),
        "{}",
        heard.answers[1]
    );
    assert_eq!(heard.tools, [("Bash".to_owned(), json!({"command": COMMAND}))]);
}

#[tokio::test]
async fn codex() {
    let heard = replay(include_str!("transcripts/run-codex-zed.jsonl")).await;
    assert!(heard.answers[0].starts_with("Echo: "), "{}", heard.answers[0]);
    assert!(
        heard.answers[1].ends_with("Output:\ntool-ran"),
        "{}",
        heard.answers[1]
    );
    assert_eq!(heard.tools, [("Bash".to_owned(), json!({"command": COMMAND}))]);
}

#[tokio::test]
async fn gemini() {
    let heard = replay(include_str!("transcripts/run-gemini.jsonl")).await;
    assert!(
        heard.answers[0].ends_with("</session_context>\nhello there"),
        "{}",
        heard.answers[0]
    );
    assert!(
        heard.answers[1].starts_with("I will use a tool now. Tool said: {\"output\""),
        "{}",
        heard.answers[1]
    );
    // It tells a command in a title alone: that is shown, and not taken for a command.
    assert_eq!(
        heard.tools,
        [("acp:execute".to_owned(), json!({"title": COMMAND, "input": null}))]
    );
}

#[tokio::test]
async fn the_example_of_the_sdk() {
    let heard = replay(include_str!("transcripts/run-sdk-example.jsonl")).await;
    assert!(
        heard.answers[0].starts_with("I'll help you with that."),
        "{}",
        heard.answers[0]
    );
    assert!(
        heard.answers[0].ends_with("The changes have been applied."),
        "{}",
        heard.answers[0]
    );
    let [(tool, input)] = &*heard.tools else {
        panic!("{:?}", heard.tools);
    };
    assert_eq!(tool, "Write");
    assert!(
        input["file_path"]
            .as_str()
            .unwrap()
            .ends_with("/project/config.json"),
        "{input}"
    );
    assert_eq!(input["content"], r#"{"database": {"host": "new-host"}}"#);
}
