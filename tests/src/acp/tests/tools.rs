//! The fake's own client of tool servers, against servers that are a few lines of shell.

use serde_json::{Value, json};

use super::rig::Rig;
use crate::acp::Options;

const HELLO: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"sh","version":"0"}}}"#;

/// What the agent says after it did `steps` with a server that answers one line after the other.
async fn said(answers: &[&str], steps: &str) -> String {
    let mut rig = Rig::start(Options::default());
    rig.initialize().await;
    // It reads a line for each that it writes; the notification that follows the greeting is one more.
    let script = answers
        .iter()
        .enumerate()
        .map(|(n, line)| {
            format!(
                "read -r asked; printf '%s\\n' '{line}'{}",
                if n == 0 { "; read -r ready" } else { "" }
            )
        })
        .collect::<Vec<_>>()
        .join("\n");
    let server = json!({"name": "kata", "command": "sh", "args": ["-c", script], "env": []});
    let session = rig
        .request("session/new", json!({"cwd": "/tmp", "mcpServers": [server]}))
        .await;
    let session = session.expect("a session")["sessionId"].clone();
    rig.prompt(session.as_str().unwrap_or_default(), steps).await;
    rig.answer
}

fn answer(id: u32, result: Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string()
}

#[tokio::test]
async fn it_lists_and_calls_the_tools_of_the_server_that_the_client_names() {
    let tool = json!({"name": "echo", "inputSchema": {"type": "object"}});
    let list = answer(2, json!({"tools": [tool], "nextCursor": "more"}));
    let more = answer(
        3,
        json!({"tools": [{"name": "add", "inputSchema": {"type": "object"}}]}),
    );
    let called = answer(4, json!({"content": [{"type": "text", "text": "hello"}]}));
    let failed = answer(
        5,
        json!({"content": [{"type": "text", "text": "not today"}], "isError": true}),
    );
    let steps = "do: tools\ndo: call echo {\"text\": \"hello\"}\ndo: call add";
    let said = said(&[HELLO, &list, &more, &called, &failed], steps).await;
    assert_eq!(said, "echo add\nhello\nerror: not today");
}

#[tokio::test]
async fn a_server_that_breaks_its_protocol_is_named() {
    for answers in [
        vec!["hello"],
        vec![r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18"}}"#],
        vec![
            HELLO,
            r#"{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"echo"}]}}"#,
        ],
    ] {
        let said = said(&answers, "do: tools").await;
        assert!(said.contains("broke its protocol"), "{said}");
    }
    let said = said(&[], "do: tools").await;
    assert!(said.starts_with("error: the tool server"), "{said}");
}

#[tokio::test]
async fn without_a_server_there_are_no_tools() {
    let (mut rig, session) = Rig::open(Options::default()).await;
    rig.prompt(&session, "do: call echo {}").await;
    assert_eq!(rig.answer, "error: the client named no tool server");
}
