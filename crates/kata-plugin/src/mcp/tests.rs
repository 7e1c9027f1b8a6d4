//! The protocol as it stands on the wire: written and read by hand.

use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf, duplex, split},
    task::JoinHandle,
};

use super::*;

/// Lists one tool of each kind. Echoes, except for what it refuses.
struct Face;

fn listing(name: &str, effects: Vec<ToolEffect>, side_effect: SideEffect) -> ToolListing {
    let schema = json!({"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]});
    ToolListing {
        name: name.into(),
        description: format!("What {name} does."),
        input: schema.as_object().unwrap().clone(),
        effects,
        side_effect,
    }
}

#[async_trait]
impl ToolFace for Face {
    async fn list(&self) -> Result<Vec<ToolListing>, String> {
        Ok(vec![
            listing("slack_read", vec![ToolEffect::Reads], SideEffect::None),
            listing("slack_react", vec![ToolEffect::Writes], SideEffect::Idempotent),
            listing("slack_delete", vec![ToolEffect::Deletes], SideEffect::EveryTime),
        ])
    }

    async fn call(&self, tool: &str, input: Value) -> Result<ToolOutput, String> {
        match tool {
            "slack_read" => Ok(ToolOutput::json(input)),
            "slack_say" => Ok(ToolOutput::json(json!("plain text"))),
            _ => Err(format!("there is no tool {tool:?} here")),
        }
    }
}

/// An agent that speaks by hand.
struct Agent {
    to: WriteHalf<DuplexStream>,
    from: BufReader<ReadHalf<DuplexStream>>,
    server: JoinHandle<Result<(), ServeError>>,
}

impl Agent {
    fn start() -> Self {
        let (ours, theirs) = duplex(64 * 1024);
        #[expect(clippy::disallowed_methods, reason = "a test's runtime ends with the test")]
        let server = tokio::spawn(serve(split(theirs), Arc::new(Face)));
        let (from, to) = split(ours);
        Self {
            to,
            from: BufReader::new(from),
            server,
        }
    }

    async fn initialized() -> Self {
        let mut agent = Self::start();
        let answer = agent.ask(INITIALIZE).await;
        assert_eq!(answer["result"]["serverInfo"]["name"], "katad");
        agent
            .say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
            .await;
        agent
    }

    async fn say(&mut self, line: &str) {
        self.to.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    async fn ask(&mut self, line: &str) -> Value {
        self.say(line).await;
        let mut answer = String::new();
        self.from.read_line(&mut answer).await.unwrap();
        serde_json::from_str(&answer).unwrap()
    }

    async fn leave(mut self) -> Result<(), ServeError> {
        self.to.shutdown().await.unwrap();
        self.server.await.unwrap()
    }
}

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"by hand","version":"1"}}}"#;

fn call(id: u32, params: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}).to_string()
}

#[tokio::test]
async fn an_agent_is_told_that_there_are_tools() {
    let mut agent = Agent::start();
    let answer = agent.ask(INITIALIZE).await;
    assert_eq!(answer["id"], 0);
    assert_eq!(answer["result"]["protocolVersion"], "2025-06-18");
    assert_eq!(answer["result"]["capabilities"], json!({"tools": {}}));
    agent.leave().await.unwrap();
}

#[tokio::test]
async fn tools_are_listed_with_schema_and_hints() {
    let mut agent = Agent::initialized().await;
    let answer = agent
        .ask(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#)
        .await;
    let tools = answer["result"]["tools"].as_array().unwrap();
    assert_eq!(tools[0]["name"], "slack_read");
    assert_eq!(tools[0]["description"], "What slack_read does.");
    assert_eq!(tools[0]["inputSchema"]["required"], json!(["text"]));
    let hints = |read_only, destructive, idempotent| json!({"readOnlyHint": read_only, "destructiveHint": destructive, "idempotentHint": idempotent});
    assert_eq!(tools[0]["annotations"], hints(true, false, true));
    assert_eq!(tools[1]["annotations"], hints(false, false, true));
    assert_eq!(tools[2]["annotations"], hints(false, true, false));
    agent.leave().await.unwrap();
}

#[tokio::test]
async fn a_call_is_answered_with_what_the_tool_said() {
    let mut agent = Agent::initialized().await;
    let input = json!({"text": "grüße"});
    let answer = agent
        .ask(&call(2, &json!({"name": "slack_read", "arguments": input})))
        .await;
    let result = &answer["result"];
    assert_eq!((&answer["id"], &result["isError"]), (&json!(2), &json!(false)));
    assert_eq!(result["content"][0]["type"], "text");
    let said: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(said, input);
    let answer = agent.ask(&call(3, &json!({"name": "slack_say"}))).await;
    assert_eq!(answer["result"]["content"][0]["text"], "plain text");
    agent.leave().await.unwrap();
}

#[tokio::test]
async fn a_call_without_arguments_is_a_call_with_none() {
    let mut agent = Agent::initialized().await;
    let answer = agent.ask(&call(2, &json!({"name": "slack_read"}))).await;
    assert_eq!(answer["result"]["content"][0]["text"], "{}");
    agent.leave().await.unwrap();
}

#[tokio::test]
async fn a_call_that_fails_is_a_result_that_the_model_can_read() {
    let mut agent = Agent::initialized().await;
    let answer = agent
        .ask(&call(2, &json!({"name": "bank_transfer", "arguments": {}})))
        .await;
    assert_eq!(answer["result"]["isError"], true);
    assert_eq!(
        answer["result"]["content"][0]["text"],
        "there is no tool \"bank_transfer\" here"
    );
    agent.leave().await.unwrap();
}

#[tokio::test]
async fn params_that_are_none_cost_an_error_and_not_the_conversation() {
    let mut agent = Agent::initialized().await;
    for params in [
        json!({}),
        json!({"name": 7}),
        json!([]),
        json!({"name": "slack_read", "arguments": "x"}),
    ] {
        let answer = agent.ask(&call(2, &params)).await;
        assert!(answer["error"]["code"].is_i64(), "{params}: {answer}");
    }
    let answer = agent.ask(&call(3, &json!({"name": "slack_say"}))).await;
    assert_eq!(answer["id"], 3);
    agent.leave().await.unwrap();
}

#[tokio::test]
async fn nothing_is_listed_before_the_conversation_has_begun() {
    let mut agent = Agent::start();
    let answer = agent
        .ask(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#)
        .await;
    assert!(answer["error"]["code"].is_i64(), "{answer}");
    assert_eq!(agent.ask(INITIALIZE).await["id"], 0);
    agent.leave().await.unwrap();
}

#[tokio::test]
async fn an_agent_that_does_not_begin_as_it_should_is_left() {
    let mut agent = Agent::start();
    agent.say(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#).await;
    assert_eq!(agent.leave().await, Err(ServeError::NoInitialize));
}

#[tokio::test]
async fn an_agent_that_leaves_at_once_broke_nothing() {
    Agent::start().leave().await.unwrap();
}
