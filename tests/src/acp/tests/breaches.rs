//! A client that breaks the protocol ends the agent.

use serde_json::{Value, json};

use super::rig::{Rig, new_session, prompt};
use crate::acp::{End, Options};

/// Sends a line to an agent with an open session `S`; gives what the agent holds against it.
async fn breach(line: Value) -> String {
    let (mut rig, session) = Rig::open(Options::default()).await;
    let line = line.to_string().replace("\"S\"", &format!("{session:?}"));
    rig.write(&serde_json::from_str(&line).expect("a line")).await;
    match rig.ended().await {
        End::Broken(why) => why,
        other => panic!("{line}: {other:?}"),
    }
}

fn request(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 90, "method": method, "params": params})
}

#[tokio::test]
async fn a_message_that_does_not_fit_the_schema_is_named() {
    for (method, params) in [
        ("session/new", json!({"cwd": "/tmp"})),
        (
            "session/new",
            json!({"cwd": "/tmp", "mcpServers": [{"name": "x", "command": "y"}]}),
        ),
        ("session/prompt", json!({"sessionId": "S"})),
        (
            "session/prompt",
            json!({"sessionId": "S", "prompt": [{"type": "text"}]}),
        ),
        ("session/set_config_option", json!({"sessionId": "S"})),
    ] {
        let why = breach(request(method, params)).await;
        assert!(why.starts_with(method), "{why}");
    }
}

#[tokio::test]
async fn what_was_not_offered_is_not_asked_for() {
    for method in ["session/load", "session/resume"] {
        let params = json!({"sessionId": "x", "cwd": "/tmp", "mcpServers": []});
        let why = breach(request(method, params)).await;
        assert!(why.contains("did not say that it can"), "{why}");
    }
}

#[tokio::test]
async fn sessions_and_paths_are_real() {
    let nowhere = breach(request("session/prompt", prompt("none", "hello"))).await;
    assert!(nowhere.contains("no session"), "{nowhere}");
    let relative = breach(request("session/new", json!({"cwd": "here", "mcpServers": []}))).await;
    assert!(relative.contains("not absolute"), "{relative}");
    let nothing = breach(json!({"jsonrpc": "2.0", "id": 0, "result": {}})).await;
    assert!(nothing.contains("answers nothing"), "{nothing}");
}

#[tokio::test]
async fn initialize_comes_first_and_once() {
    let mut early = Rig::start(Options::default());
    early.send("session/new", new_session()).await;
    assert!(matches!(early.ended().await, End::Broken(_)));
    let twice = breach(request("initialize", json!({"protocolVersion": 1}))).await;
    assert!(twice.contains("twice"), "{twice}");
}

#[tokio::test]
async fn a_turn_is_over_before_the_next_one_begins() {
    let (mut rig, session) = Rig::open(Options::default()).await;
    rig.send("session/prompt", prompt(&session, "do: hang")).await;
    rig.send("session/prompt", prompt(&session, "hello")).await;
    let End::Broken(why) = rig.ended().await else {
        panic!("it takes two prompts at once")
    };
    assert!(why.contains("second prompt"), "{why}");
}

#[tokio::test]
async fn an_option_that_was_not_offered_is_no_choice() {
    let (mut rig, session) = Rig::open(Options::default()).await;
    rig.send("session/prompt", prompt(&session, "do: ask Bash {}"))
        .await;
    rig.next().await;
    let outcome = json!({"outcome": "selected", "optionId": "allow_once"});
    rig.write(&json!({"jsonrpc": "2.0", "id": 0, "result": {"outcome": outcome}}))
        .await;
    assert!(matches!(rig.ended().await, End::Broken(_)));
}
