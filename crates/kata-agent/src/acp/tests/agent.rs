//! The agent's end of the pipes, played line by line.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, duplex};

use crate::acp::connection::Started;

pub(super) const SESSION: &str = "session-1";

/// An agent in the hands of a test.
pub(super) struct Played {
    lines: Lines<BufReader<DuplexStream>>,
    out: DuplexStream,
    /// Said on stderr, and open for as long as the agent lives.
    pub(super) stderr: DuplexStream,
}

impl Played {
    pub(super) fn start() -> (Self, Started) {
        let (stdin, read) = duplex(64 * 1024);
        let (out, stdout) = duplex(64 * 1024);
        let (complaints, stderr) = duplex(1024);
        let played = Self {
            lines: BufReader::new(read).lines(),
            out,
            stderr: complaints,
        };
        let started = Started {
            stdin: Box::new(stdin),
            stdout: Box::new(stdout),
            stderr: Box::new(stderr),
            leash: None,
        };
        (played, started)
    }

    /// The client's next message, if there is one.
    pub(super) async fn next(&mut self) -> Option<Value> {
        let line = self.lines.next_line().await.unwrap()?;
        Some(serde_json::from_str(&line).unwrap())
    }

    /// The client's next message, which is one of this method. Answers its id and parameters.
    pub(super) async fn expect(&mut self, method: &str) -> (Value, Value) {
        let message = self.next().await.expect("the client hung up");
        assert_eq!(message["method"], method, "{message}");
        (message["id"].clone(), message["params"].clone())
    }

    pub(super) async fn write(&mut self, text: &str) {
        // The client may hang up at any time; that is not what fails a test.
        let _ = self.out.write_all(text.as_bytes()).await;
    }

    pub(super) async fn send(&mut self, message: Value) {
        self.write(&format!("{message}\n")).await;
    }

    pub(super) async fn answer(&mut self, id: Value, result: Value) {
        self.send(json!({"jsonrpc": "2.0", "id": id, "result": result}))
            .await;
    }

    pub(super) async fn fail(&mut self, id: Value, code: i32, message: &str) {
        self.send(json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}))
            .await;
    }

    pub(super) async fn update(&mut self, update: Value) {
        self.send(json!({
            "jsonrpc": "2.0",
            "method": "session/update",
            "params": {"sessionId": SESSION, "update": update},
        }))
        .await;
    }

    pub(super) async fn say(&mut self, text: &str) {
        self.update(
            json!({"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": text}}),
        )
        .await;
    }

    /// Asks for something and answers the result.
    pub(super) async fn ask(&mut self, id: Value, method: &str, mut params: Value) -> Value {
        params["sessionId"] = SESSION.into();
        self.send(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
            .await;
        let answer = self.next().await.expect("the client hung up");
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    /// The greeting and a new session, for an agent that can do nothing special.
    pub(super) async fn begin(&mut self) {
        self.greet(json!({})).await;
        let (id, _) = self.expect("session/new").await;
        self.answer(id, json!({"sessionId": SESSION})).await;
    }

    pub(super) async fn greet(&mut self, capabilities: Value) {
        let (id, params) = self.expect("initialize").await;
        assert_eq!(params["clientCapabilities"]["terminal"], json!(false));
        self.answer(
            id,
            json!({"protocolVersion": 1, "agentCapabilities": capabilities}),
        )
        .await;
    }

    /// One turn that is answered with this.
    pub(super) async fn reply(&mut self, text: &str) -> Value {
        let (id, params) = self.expect("session/prompt").await;
        self.say(text).await;
        self.answer(id, json!({"stopReason": "end_turn"})).await;
        params
    }
}
