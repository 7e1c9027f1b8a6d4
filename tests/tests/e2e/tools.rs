//! Tools of plugins, as an agent reaches them over MCP and a host over the wire.

use std::os::unix::fs::PermissionsExt;

use kata_testkit::{WORKSPACE, host::Policy};
use serde_json::json;

use crate::agent::Scene;

#[tokio::test]
async fn an_agent_finds_the_tools_of_its_workspace() {
    let scene = Scene::set().await;
    let host = scene.play().await;
    let said = scene.told(&["tools"]).await;
    let mut names: Vec<&str> = said.split(' ').collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "slack_post_blocks",
            "slack_react",
            "slack_read_thread",
            "slack_search_messages",
            "task_cancel",
            "task_list",
            "task_schedule",
        ]
    );
    // Of the build there are more; a workspace has those of its plugins.
    let of_workspace = json!({"type": "query", "what": "tools", "workspaceId": WORKSPACE});
    let answered = host.request(of_workspace).await;
    let items = answered["data"]["items"].as_array().expect("a page of tools");
    let mut listed: Vec<&str> = items.iter().filter_map(|tool| tool["name"].as_str()).collect();
    listed.sort_unstable();
    assert_eq!(listed, names);
}

#[tokio::test]
async fn a_tool_that_only_reads_runs_unasked_and_shows_what_was_said() {
    let scene = Scene::set().await;
    let host = scene.play().await;
    let root = scene.stage.slack.user_posts("C1", "U2", "hello");
    scene.stage.slack.wait_text("you said: hello").await;
    scene
        .stage
        .slack
        .reply_silently("C1", &root, "U2", "the build is red");
    let said = scene
        .told(&[&format!(r#"call slack_read_thread {{"thread_ts": "{root}"}}"#)])
        .await;
    assert!(said.contains("the build is red"), "{said}");
    host.wait_verdict(0, "slack_read_thread", "allow").await;
    assert!(host.events_of("approval_requested").is_empty());
}

#[tokio::test]
async fn a_call_that_does_not_fit_the_schema_is_refused_before_anybody_is_asked() {
    let scene = Scene::set().await;
    let host = scene.play().await;
    let said = scene
        .told(&[
            r#"call slack_react {"timestamp": "yesterday", "name": "tada"}"#,
            r#"call slack_react {"name": "tada"}"#,
            "call no_such_tool {}",
        ])
        .await;
    let lines: Vec<&str> = said.lines().collect();
    assert!(
        lines.len() == 3 && lines.iter().all(|line| line.starts_with("error:")),
        "{said}"
    );
    assert!(lines[0].contains("timestamp"), "{said}");
    assert!(host.events_of("approval_requested").is_empty(), "{said}");
}

#[tokio::test]
async fn a_tool_reaches_no_conversation_that_the_channel_does_not_serve() {
    let scene = Scene::set().await;
    let _host = scene.play().await;
    let elsewhere = scene.stage.slack.post_silently("C3", "U2", "a secret");
    let said = scene
        .told(&[&format!(
            r#"call slack_read_thread {{"channel": "C3", "thread_ts": "{elsewhere}"}}"#
        )])
        .await;
    assert!(said.starts_with("error:") && !said.contains("a secret"), "{said}");
}

#[tokio::test]
async fn a_blocked_tool_is_denied_with_the_rule_that_blocks_it() {
    let scene = Scene::set().await;
    scene.permit(json!({"blockedTools": ["slack_read_thread"]}));
    let host = scene.play().await;
    let said = scene
        .told(&[r#"call slack_read_thread {"thread_ts": "1700000000.000100"}"#])
        .await;
    assert!(said.starts_with("error:"), "{said}");
    let verdict = host.wait_verdict(0, "slack_read_thread", "deny").await;
    assert!(
        verdict["rule"]
            .as_str()
            .is_some_and(|rule| rule.contains("block")),
        "{verdict}"
    );
}

#[tokio::test]
async fn a_host_calls_a_tool_for_a_turn_that_is_open_through_the_same_gate() {
    let scene = Scene::set().await;
    let start = scene.stage.start().policy(Policy::silent());
    let host = scene.stage.up(start.capabilities(&["approvals"])).await;
    let message = scene.stage.slack.user_posts("C1", "U1", "hello");
    let turn = host.wait_turn("hello").await;
    let read = json!({"thread_ts": message});
    let result = host
        .call_tool(&turn.session_key, "slack_read_thread", read.clone())
        .await;
    assert!(
        result["ok"] == true && result.to_string().contains("hello"),
        "{result}"
    );

    host.answer(turn.message_id, "bye");
    scene.stage.slack.wait_text("bye").await;
    let result = host.call_tool(&turn.session_key, "slack_read_thread", read).await;
    assert_eq!(
        result["error"]["code"], "not_found",
        "no turn, no tools: {result}"
    );
}

#[tokio::test]
async fn nobody_else_on_the_machine_reaches_the_tools_socket() {
    let scene = Scene::set().await;
    let _host = scene.play().await;
    scene.told(&["tools"]).await;
    let sockets: Vec<_> = walk(scene.stage.home.path());
    assert!(!sockets.is_empty(), "there is a socket");
    for socket in sockets {
        let mode = socket.metadata().expect("a socket").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", socket.display());
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .flat_map(|entry| {
            let path = entry.path();
            if path.is_dir() { walk(&path) } else { vec![path] }
        })
        .filter(|path| path.extension().is_some_and(|e| e == "sock"))
        .collect()
}
