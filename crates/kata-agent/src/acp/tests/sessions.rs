//! How a session comes to stand.

use serde_json::{Value, json};
use tokio::join;

use super::{
    agent::{Played, SESSION},
    bench::Bench,
};
use crate::{AcpSettings, AgentError};

/// Starts a session and says "hello" to it, with `play` for its start. Answers what became of it.
async fn start(
    bench: &mut Bench,
    settings: AcpSettings,
    play: impl AsyncFnOnce(&mut Played),
) -> Result<String, AgentError> {
    let reply = bench.run(settings, "hello");
    let play = async {
        let mut agent = bench.agent().await;
        play(&mut agent).await;
        // A session that does not stand is hung up on.
        while let Some(message) = agent.next().await {
            if message["method"] == "session/prompt" {
                agent.say("hi").await;
                agent
                    .answer(message["id"].clone(), json!({"stopReason": "end_turn"}))
                    .await;
                break;
            }
        }
        agent
    };
    let (reply, _) = join!(reply, play);
    reply.map(|reply| reply.text)
}

fn known(bench: &Bench) -> Option<String> {
    bench.memory.0.lock().unwrap().get("daemon-work-1").cloned()
}

fn knowing(session: &str) -> Bench {
    let bench = Bench::new(1);
    bench
        .memory
        .0
        .lock()
        .unwrap()
        .insert("daemon-work-1".into(), session.into());
    bench
}

#[tokio::test]
async fn a_new_session_runs_in_its_directory_and_is_remembered() {
    let mut bench = Bench::new(1);
    let settings = bench.settings();
    let directory = bench.home.path().join("sessions/daemon-work-1");
    start(&mut bench, settings, async |agent| {
        agent.greet(json!({})).await;
        let (id, params) = agent.expect("session/new").await;
        assert_eq!(params, json!({"cwd": directory, "mcpServers": []}));
        agent.answer(id, json!({"sessionId": SESSION})).await;
    })
    .await
    .unwrap();
    assert_eq!(known(&bench).as_deref(), Some(SESSION));
    bench.end().await;
}

/// An agent with these capabilities is brought back to its session by this method.
async fn returns_by(capabilities: Value, method: &str) {
    let mut bench = knowing(SESSION);
    let settings = bench.settings();
    let text = start(&mut bench, settings, async |agent| {
        agent.greet(capabilities).await;
        let (id, params) = agent.expect(method).await;
        assert_eq!(params["sessionId"], SESSION);
        // What a loaded session tells of its past is not this turn's answer.
        agent.say("long ago").await;
        agent.answer(id, json!({})).await;
    })
    .await;
    assert_eq!(text.unwrap(), "hi");
    bench.end().await;
}

#[tokio::test]
async fn an_agent_returns_to_its_session_as_it_can() {
    returns_by(json!({"loadSession": true}), "session/load").await;
    returns_by(
        json!({"loadSession": true, "sessionCapabilities": {"resume": {}}}),
        "session/resume",
    )
    .await;
}

#[tokio::test]
async fn an_agent_that_cannot_return_begins_anew() {
    let mut bench = knowing("old");
    let settings = bench.settings();
    start(&mut bench, settings, async |agent| agent.begin().await)
        .await
        .unwrap();
    assert_eq!(known(&bench).as_deref(), Some(SESSION));
    bench.end().await;
}

#[tokio::test]
async fn a_session_that_the_agent_forgot_begins_anew() {
    let mut bench = knowing("old");
    let settings = bench.settings();
    start(&mut bench, settings, async |agent| {
        agent.greet(json!({"loadSession": true})).await;
        let (id, _) = agent.expect("session/load").await;
        agent.fail(id, -32002, "Resource not found").await;
        let (id, _) = agent.expect("session/new").await;
        agent.answer(id, json!({"sessionId": SESSION})).await;
    })
    .await
    .unwrap();
    assert_eq!(known(&bench).as_deref(), Some(SESSION));
    bench.end().await;
}

#[tokio::test]
async fn an_agent_that_wants_a_login_keeps_its_session() {
    let mut bench = knowing(SESSION);
    let settings = bench.settings();
    let failed = start(&mut bench, settings, async |agent| {
        let (id, _) = agent.expect("initialize").await;
        agent
            .answer(
                id,
                json!({"protocolVersion": 1, "agentCapabilities": {"loadSession": true},
                "authMethods": [{"id": "x", "name": "Log in with X"}]}),
            )
            .await;
        let (id, _) = agent.expect("session/load").await;
        agent.fail(id, -32000, "Authentication required").await;
    })
    .await
    .unwrap_err();
    assert!(failed.to_string().contains("not logged in") && failed.to_string().contains("Log in with X"));
    assert_eq!(known(&bench).as_deref(), Some(SESSION));
    bench.end().await;
}

#[tokio::test]
async fn an_agent_of_another_protocol_is_not_spoken_to() {
    let mut bench = Bench::new(1);
    let settings = bench.settings();
    let failed = start(&mut bench, settings, async |agent| {
        let (id, _) = agent.expect("initialize").await;
        agent.answer(id, json!({"protocolVersion": 9})).await;
    })
    .await;
    assert!(matches!(failed, Err(AgentError::Failed(_))), "{failed:?}");
    bench.end().await;
}

#[tokio::test]
async fn the_model_is_a_hint() {
    for (offered, takes) in [("small", true), ("small", false), ("large", true)] {
        let mut bench = Bench::new(1);
        let settings = AcpSettings {
            model: Some("small".into()),
            ..bench.settings()
        };
        let text = start(&mut bench, settings, async |agent| {
            agent.greet(json!({})).await;
            let (id, _) = agent.expect("session/new").await;
            let models =
                json!({"availableModels": [{"modelId": offered, "name": "M"}], "currentModelId": "auto"});
            agent
                .answer(id, json!({"sessionId": SESSION, "models": models}))
                .await;
            if offered == "small" {
                let (id, params) = agent.expect("session/set_model").await;
                assert_eq!(params, json!({"sessionId": SESSION, "modelId": "small"}));
                match takes {
                    true => agent.answer(id, json!({})).await,
                    false => agent.fail(id, -32603, "no").await,
                }
            }
        })
        .await;
        assert_eq!(text.unwrap(), "hi", "{offered} {takes}");
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_stays_silent_at_its_start_has_failed() {
    let mut bench = Bench::new(1);
    let settings = bench.settings();
    let failed = start(&mut bench, settings, async |agent| {
        agent.expect("initialize").await;
    })
    .await;
    assert_eq!(
        failed,
        Err(AgentError::Failed("agent was not ready within 60 s".into()))
    );
    bench.end().await;
}
