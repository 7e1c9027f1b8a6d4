//! What a prompt can make it do.

use serde_json::{Value, json};
use tempfile::TempDir;

use super::rig::{Rig, prompt};
use crate::acp::{End, Options, line::Line};

#[tokio::test]
async fn by_hand_it_says_what_it_was_told_in_chunks_some_of_them_empty() {
    let (mut rig, session) = Rig::open(Options::default()).await;
    assert_eq!(rig.prompt(&session, "hello there").await, "end_turn");
    assert_eq!(rig.answer, "you said: hello there");
    let texts: Vec<&Value> = rig.updates.iter().map(|u| &u["content"]["text"]).collect();
    assert!(texts.len() > 3 && texts.contains(&&json!("")), "{texts:?}");
    assert_eq!(rig.close().await, End::Closed);
}

#[tokio::test]
async fn steps_are_done_in_order_and_each_says_a_line() {
    let (mut rig, session) = Rig::open(Options::default()).await;
    let steps = "do: say one\ndo: think hm\ndo: turns\ndo: env KATA_SURELY_NOT_SET\ndo: session";
    rig.prompt(&session, steps).await;
    assert_eq!(rig.answer, format!("one\n1\nunset\n{session}"));
    assert_eq!(
        rig.prompt(&session, "do: say no\ndo: stop refusal").await,
        "refusal"
    );
    let wrong = rig.request("session/prompt", prompt(&session, "do: dance")).await;
    assert!(wrong.unwrap_err()["message"].as_str().unwrap().contains("dance"));
}

/// Prompts with a question, answers by `outcome`, and gives the request and what was made of the answer.
async fn ask(options: Options, step: &str, outcome: Value) -> (Value, Value, String) {
    let (mut rig, session) = Rig::open(options).await;
    rig.send("session/prompt", prompt(&session, step)).await;
    let Line::Request { id, params, .. } = rig.next().await else {
        panic!("no question")
    };
    rig.write(&json!({"jsonrpc": "2.0", "id": id, "result": {"outcome": outcome}}))
        .await;
    rig.next().await;
    (id, params, rig.answer)
}

fn option(params: &Value, kind: &str) -> Value {
    let options = params["options"].as_array().expect("options");
    options.iter().find(|o| o["kind"] == kind).expect("a kind")["optionId"].clone()
}

#[tokio::test]
async fn it_says_which_option_was_chosen() {
    let step = r#"do: ask Bash {"command": "ls"}"#;
    for (id, word) in [
        ("opt-a", "allowed always"),
        ("opt-b", "allowed"),
        ("opt-c", "rejected"),
        ("opt-d", "rejected always"),
    ] {
        let outcome = json!({"outcome": "selected", "optionId": id});
        assert_eq!(ask(Options::default(), step, outcome).await.2, word);
    }
    let (_, params, word) = ask(Options::default(), step, json!({"outcome": "cancelled"})).await;
    assert_eq!(word, "cancelled");
    assert_eq!(option(&params, "allow_once"), "opt-b");
    assert_eq!(params["toolCall"]["rawInput"], json!({"command": "ls"}));
    assert!(params["toolCall"]["_meta"].is_null(), "the updates name the tool");
}

#[tokio::test]
async fn it_can_ask_before_it_has_said_anything_of_the_call_and_with_other_ids() {
    let options = Options {
        uuid_ids: true,
        ..Options::default()
    };
    let no = json!({"outcome": "cancelled"});
    let (id, params, _) = ask(options, r#"do: ask-as edit a file {"path": "x"}"#, no.clone()).await;
    assert!(id.is_string());
    assert_eq!(params["toolCall"]["title"], "a file");
    let (_, params, _) = ask(Options::default(), "do: ask-early Bash {}", no).await;
    assert_eq!(params["toolCall"]["_meta"]["claudeCode"]["toolName"], "Bash");
}

#[tokio::test]
async fn a_cancelled_turn_ends_as_cancelled_and_the_next_one_goes_on() {
    let (mut rig, session) = Rig::open(Options::default()).await;
    rig.send("session/prompt", prompt(&session, "do: hang")).await;
    rig.notify("session/cancel", json!({"sessionId": session})).await;
    let Line::Answer { outcome, .. } = rig.next().await else {
        panic!("no answer")
    };
    assert_eq!(outcome.unwrap()["stopReason"], "cancelled");
    assert_eq!(rig.prompt(&session, "next").await, "end_turn");
}

#[tokio::test]
async fn files_are_read_and_written_through_the_client() {
    let (mut rig, session) = Rig::open(Options::default()).await;
    rig.send(
        "session/prompt",
        prompt(&session, "do: read a.txt\ndo: write /b.txt two words"),
    )
    .await;
    let Line::Request { id, params, .. } = rig.next().await else {
        panic!("no request")
    };
    assert_eq!(params["path"], "/tmp/a.txt");
    rig.write(&json!({"jsonrpc": "2.0", "id": id, "result": {"content": "text"}}))
        .await;
    let Line::Request { id, params, .. } = rig.next().await else {
        panic!("no request")
    };
    assert_eq!(params["content"], "two words");
    let error = json!({"code": -32603, "message": "not here"});
    rig.write(&json!({"jsonrpc": "2.0", "id": id, "error": error}))
        .await;
    rig.next().await;
    assert_eq!(rig.answer, "text\nerror: not here");
}

#[tokio::test]
async fn a_session_that_was_kept_is_replayed_by_the_next_process() {
    let state = TempDir::new().expect("a directory");
    let options = Options {
        load: true,
        resume: true,
        state: Some(state.path().to_owned()),
        ..Options::default()
    };
    let (mut rig, session) = Rig::open(options.clone()).await;
    rig.prompt(&session, "remember me").await;
    assert_eq!(rig.close().await, End::Closed);

    for (method, replayed) in [("session/load", 2), ("session/resume", 0)] {
        let mut next = Rig::start(options.clone());
        let hello = next.initialize().await;
        assert_eq!(hello["agentCapabilities"]["loadSession"], true);
        let again = json!({"sessionId": session, "cwd": "/tmp", "mcpServers": []});
        next.request(method, again).await.expect("the session");
        assert_eq!(next.updates.len(), replayed, "{method}");
        next.prompt(&session, "do: history").await;
        assert!(
            next.answer.starts_with("User: remember me | Agent: you said"),
            "{}",
            next.answer
        );
    }
    let mut other = Rig::start(options);
    other.initialize().await;
    let unknown = json!({"sessionId": "acp-0-0", "cwd": "/tmp", "mcpServers": []});
    assert!(other.request("session/load", unknown).await.is_err());
}

#[tokio::test]
async fn a_model_can_be_chosen_where_several_are_offered() {
    let options = Options {
        models: vec!["small".into(), "large".into()],
        ..Options::default()
    };
    let (mut rig, session) = Rig::open(options).await;
    let choose = |value: &str| json!({"sessionId": session, "configId": "model", "value": value});
    assert!(
        rig.request("session/set_config_option", choose("huge"))
            .await
            .is_err()
    );
    rig.request("session/set_config_option", choose("large"))
        .await
        .expect("a model");
    rig.prompt(&session, "do: model").await;
    assert_eq!(rig.answer, "large");
}

#[tokio::test]
async fn a_crash_leaves_the_prompt_unanswered() {
    let (mut rig, session) = Rig::open(Options::default()).await;
    rig.send("session/prompt", prompt(&session, "do: crash 7")).await;
    assert_eq!(rig.ended().await, End::Crash(7));
}

#[tokio::test]
async fn nobody_logged_in_means_no_session() {
    let mut rig = Rig::start(Options {
        needs_login: true,
        ..Options::default()
    });
    rig.initialize().await;
    let refused = rig.request("session/new", super::rig::new_session()).await;
    assert_eq!(refused.unwrap_err()["code"], -32000);
}
