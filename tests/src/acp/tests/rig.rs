//! A client by hand, which holds the agent to the schema as the agent holds its clients.

use std::collections::HashMap;

use serde_json::{Value, json};
use tokio::{
    io::{
        AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf, duplex, split,
    },
    task::JoinSet,
    time::timeout,
};

use crate::{
    PATIENCE,
    acp::{
        End, Options,
        line::Line,
        schema::{Part, Schema, Served},
        serve,
    },
};

/// Talks to an agent in this process.
pub(super) struct Rig {
    schema: Schema,
    input: Option<WriteHalf<DuplexStream>>,
    output: Lines<BufReader<ReadHalf<DuplexStream>>>,
    agent: JoinSet<End>,
    asked: HashMap<i64, String>,
    requests: i64,
    /// Text of the chunks so far.
    pub(super) answer: String,
    /// Every update so far.
    pub(super) updates: Vec<Value>,
}

impl Rig {
    pub(super) fn start(options: Options) -> Self {
        let (ours, theirs) = duplex(1 << 16);
        let (input, output) = split(theirs);
        let mut agent = JoinSet::new();
        agent.spawn(async move { serve(options, BufReader::new(input), output).await });
        let (output, input) = split(ours);
        Self {
            schema: Schema::new(),
            input: Some(input),
            output: BufReader::new(output).lines(),
            agent,
            asked: HashMap::new(),
            requests: 0,
            answer: String::new(),
            updates: Vec::new(),
        }
    }

    /// A rig with an open session, and its id.
    pub(super) async fn open(options: Options) -> (Self, String) {
        let mut rig = Self::start(options);
        rig.initialize().await;
        let session = rig
            .request("session/new", new_session())
            .await
            .expect("a session");
        let id = session["sessionId"].as_str().expect("an id").to_owned();
        (rig, id)
    }

    pub(super) async fn initialize(&mut self) -> Value {
        let offers = json!({"fs": {"readTextFile": true, "writeTextFile": true}});
        let hello = json!({"protocolVersion": 1, "clientCapabilities": offers});
        self.request("initialize", hello).await.expect("an agent")
    }

    pub(super) async fn write(&mut self, line: &Value) {
        let input = self.input.as_mut().expect("an open input");
        // An agent that has ended reads nothing more.
        let _ = input.write_all(format!("{line}\n").as_bytes()).await;
    }

    pub(super) async fn send(&mut self, method: &str, params: Value) -> i64 {
        self.requests += 1;
        let id = self.requests;
        self.asked.insert(id, method.to_owned());
        self.write(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
            .await;
        id
    }

    pub(super) async fn notify(&mut self, method: &str, params: Value) {
        self.write(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
            .await;
    }

    /// A request, and its answer: `Err` for an error.
    pub(super) async fn request(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        let id = self.send(method, params).await;
        match self.next().await {
            Line::Answer { id: of, outcome } => {
                assert_eq!(of, id);
                outcome
            }
            other => panic!("not the answer to {method}: {other:?}"),
        }
    }

    /// Prompts, and gives the stop reason.
    pub(super) async fn prompt(&mut self, session: &str, text: &str) -> String {
        self.answer.clear();
        let done = self.request("session/prompt", prompt(session, text)).await;
        let done = done.expect("a turn");
        done["stopReason"].as_str().expect("a reason").to_owned()
    }

    /// The next line that is no update.
    pub(super) async fn next(&mut self) -> Line {
        loop {
            let line = self.output.next_line().await.expect("a line").expect("an agent");
            match self.checked(Line::read(&line).expect(&line)) {
                Line::Notification { method, params } if method == "session/update" => self.note(params),
                other => return other,
            }
        }
    }

    fn checked(&mut self, line: Line) -> Line {
        let check = |served, method: &str, part, value: &Value| {
            self.schema
                .check(served, method, part, value)
                .expect("the agent keeps to the schema");
        };
        match &line {
            Line::Request { method, params, .. } => check(Served::ByClient, method, Part::Params, params),
            Line::Notification { method, params } if !method.starts_with('_') => {
                check(Served::ByClient, method, Part::Params, params);
            }
            Line::Answer {
                id,
                outcome: Ok(result),
            } => {
                let asked = id.as_i64().and_then(|id| self.asked.get(&id));
                check(
                    Served::ByAgent,
                    asked.expect("an answer to something"),
                    Part::Result,
                    result,
                );
            }
            _ => {}
        }
        line
    }

    fn note(&mut self, params: Value) {
        let update = params["update"].clone();
        if update["sessionUpdate"] == "agent_message_chunk" {
            self.answer += update["content"]["text"].as_str().unwrap_or_default();
        }
        self.updates.push(update);
    }

    /// Closes the agent's input, and gives how it ended.
    pub(super) async fn close(mut self) -> End {
        let mut input = self.input.take().expect("an open input");
        // Dropping a half closes nothing.
        input.shutdown().await.expect("an open pipe");
        self.ended().await
    }

    /// How it ends by itself.
    pub(super) async fn ended(&mut self) -> End {
        let ended = timeout(PATIENCE, self.agent.join_next()).await;
        ended.expect("it ends").expect("an agent").expect("no panic")
    }
}

pub(super) fn new_session() -> Value {
    json!({"cwd": "/tmp", "mcpServers": []})
}

pub(super) fn prompt(session: &str, text: &str) -> Value {
    json!({"sessionId": session, "prompt": [{"type": "text", "text": text}]})
}
