//! The agent's end of the connection: which message it takes, and when.

use std::{collections::HashMap, sync::Arc};

use serde_json::{Map, Value, json};
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    End, Options,
    client::{self, Client},
    line::{Line, Outcome},
    schema::{Part, Served},
    session::{Memory, Session, Speaker},
    turn::{Process, Turn},
};

const VERSION: i64 = 1;
const INVALID_PARAMS: i32 = -32602;
const METHOD_NOT_FOUND: i32 = -32601;
const AUTH_REQUIRED: i32 = -32000;
const NOT_FOUND: i32 = -32002;
/// The option by which a client chooses a model.
const MODEL: &str = "model";

/// How a message broke the protocol.
type Broken = String;

/// One agent process.
#[derive(Debug)]
pub(crate) struct Agent {
    options: Options,
    process: Process,
    initialized: bool,
    sessions: HashMap<String, Arc<Session>>,
    opened: u32,
    turns: TaskTracker,
    ends: UnboundedReceiver<End>,
}

// === impl Agent ===

impl Agent {
    pub(crate) fn new(options: Options, client: Client) -> Self {
        let (ends, ended) = unbounded_channel();
        Self {
            options,
            process: Process {
                client: Arc::new(client),
                offers: Value::Null,
                turns: 0,
                ends,
                deaf: CancellationToken::new(),
            },
            initialized: false,
            sessions: HashMap::new(),
            opened: 0,
            turns: TaskTracker::new(),
            ends: ended,
        }
    }

    /// Serves until the client goes, breaks the protocol, or a step ends the process.
    pub(crate) async fn serve(mut self, input: impl AsyncBufRead + Unpin) -> End {
        let mut lines = input.lines();
        loop {
            tokio::select! {
                // A crash is not outrun by what the client says meanwhile.
                biased;
                Some(end) = self.ends.recv() => return end,
                line = lines.next_line() => match line {
                    Ok(Some(line)) => if let Err(broken) = self.line(&line).await {
                        return End::Broken(broken);
                    },
                    Ok(None) | Err(_) if self.process.deaf.is_cancelled() => std::future::pending().await,
                    Ok(None) => return End::Closed,
                    Err(e) => return End::Broken(format!("a line cannot be read: {e}")),
                }
            }
        }
    }

    async fn line(&mut self, line: &str) -> Result<(), Broken> {
        match Line::read(line)? {
            Line::Answer { id, outcome } => self.process.client.answered(&id, outcome),
            Line::Notification { method, params } => self.notified(&method, &params),
            Line::Request { id, method, params } => self.request(id, &method, params).await,
        }
    }

    fn notified(&self, method: &str, params: &Value) -> Result<(), Broken> {
        self.check(method, params)?;
        if method == "session/cancel" && !self.process.deaf.is_cancelled() {
            self.session(params).map(|session| session.cancel())?;
        }
        Ok(())
    }

    async fn request(&mut self, id: Value, method: &str, params: Value) -> Result<(), Broken> {
        self.check(method, &params)?;
        match (self.initialized, method) {
            (false, "initialize") | (true, _) => {}
            (false, _) => return Err(format!("{method} came before initialize")),
        }
        let outcome = match method {
            "initialize" => self.initialize(&params),
            "session/new" => self.new_session(&params),
            "session/load" => self.load(&params).await,
            "session/resume" => self.resume(&params),
            "session/set_config_option" => self.configure(&params),
            "session/prompt" => return self.prompt(id, &params),
            "authenticate" => Ok(Ok(json!({}))),
            other => Ok(Err(client::error(METHOD_NOT_FOUND, format!("no method {other}")))),
        };
        self.process.client.respond(&id, outcome?).await;
        Ok(())
    }

    /// A method of the protocol has the protocol's shape. Others may come: the protocol can be extended.
    fn check(&self, method: &str, params: &Value) -> Result<(), Broken> {
        let schema = self.process.client.schema();
        if schema.knows(Served::ByAgent, method) {
            return schema.check(Served::ByAgent, method, Part::Params, params);
        }
        Ok(())
    }

    fn initialize(&mut self, params: &Value) -> Result<Outcome, Broken> {
        if std::mem::replace(&mut self.initialized, true) {
            return Err("initialize came twice".to_owned());
        }
        self.process.offers = params["clientCapabilities"].clone();
        let mut session = Map::new();
        if self.options.resume {
            session.insert("resume".to_owned(), json!({}));
        }
        Ok(Ok(json!({
            "protocolVersion": VERSION,
            "agentCapabilities": {"loadSession": self.options.load, "sessionCapabilities": session},
            "agentInfo": {"name": "fake-acp", "title": "Fake agent", "version": "0"},
            "authMethods": [],
        })))
    }

    fn new_session(&mut self, params: &Value) -> Result<Outcome, Broken> {
        is_absolute(params)?;
        if self.options.needs_login {
            return Ok(Err(client::error(AUTH_REQUIRED, "Authentication required")));
        }
        self.opened += 1;
        // Also unlike the ids of the processes before, whose sessions may still be there.
        let id = format!("acp-{}-{}", std::process::id(), self.opened);
        let session = self.open(&id, params, Memory::default());
        let kept = session.keep();
        let mut result = self.state_of(&session);
        result["sessionId"] = id.into();
        Ok(kept
            .map(|()| result)
            .map_err(|e| client::error(INVALID_PARAMS, format!("the session cannot be kept: {e}"))))
    }

    /// Replays what was said, and then answers.
    async fn load(&mut self, params: &Value) -> Result<Outcome, Broken> {
        let session = match self.again("session/load", self.options.load, params)? {
            Ok(session) => session,
            Err(error) => return Ok(Err(error)),
        };
        for said in session.said() {
            let kind = match said.by {
                Speaker::User => "user_message_chunk",
                Speaker::Agent => "agent_message_chunk",
            };
            let content = json!({"type": "text", "text": said.text});
            let update = json!({"sessionUpdate": kind, "content": content});
            self.process.client.update(&session.id, update).await;
        }
        Ok(Ok(self.state_of(&session)))
    }

    fn resume(&mut self, params: &Value) -> Result<Outcome, Broken> {
        let session = self.again("session/resume", self.options.resume, params)?;
        Ok(session.map(|session| self.state_of(&session)))
    }

    /// Opens a session that an earlier process kept.
    fn again(
        &mut self,
        method: &str,
        can: bool,
        params: &Value,
    ) -> Result<Result<Arc<Session>, Value>, Broken> {
        if !can {
            return Err(format!(
                "{method} was called, and this agent did not say that it can"
            ));
        }
        is_absolute(params)?;
        let id = params["sessionId"].as_str().unwrap_or_default().to_owned();
        Ok(match Session::recall(self.options.state.as_deref(), &id) {
            Some(memory) => Ok(self.open(&id, params, memory)),
            None => Err(client::error(NOT_FOUND, format!("no session {id}"))),
        })
    }

    fn open(&mut self, id: &str, params: &Value, memory: Memory) -> Arc<Session> {
        let session = Arc::new(Session::new(
            id.to_owned(),
            params,
            memory,
            self.options.state.as_deref(),
        ));
        if let Some(model) = self.options.models.first() {
            session.choose(model);
        }
        self.sessions.insert(id.to_owned(), Arc::clone(&session));
        session
    }

    /// What is said of a session when it is opened.
    fn state_of(&self, session: &Session) -> Value {
        let models = &self.options.models;
        if models.is_empty() {
            return json!({});
        }
        let choices: Vec<Value> = models.iter().map(|m| json!({"value": m, "name": m})).collect();
        json!({"configOptions": [{
            "id": MODEL, "name": "Model", "category": "model", "type": "select",
            "currentValue": session.model(), "options": choices,
        }]})
    }

    fn configure(&self, params: &Value) -> Result<Outcome, Broken> {
        let session = self.session(params)?;
        let model = self.options.models.iter().find(|m| params["value"] == m.as_str());
        Ok(match model.filter(|_| params["configId"] == MODEL) {
            Some(model) => {
                session.choose(model);
                Ok(self.state_of(session))
            }
            None => Err(client::error(INVALID_PARAMS, "no such option or value")),
        })
    }

    fn prompt(&mut self, request: Value, params: &Value) -> Result<(), Broken> {
        let session = Arc::clone(self.session(params)?);
        let cancelled = session
            .open_turn()
            .ok_or_else(|| format!("a second prompt came while one is open in {}", session.id))?;
        self.process.turns += 1;
        let turn = Turn {
            process: self.process.clone(),
            session,
            request,
            cancelled,
            earlier: String::new(),
            said: String::new(),
        };
        self.turns.spawn(turn.run(params["prompt"].clone()));
        Ok(())
    }

    fn session(&self, params: &Value) -> Result<&Arc<Session>, Broken> {
        let id = params["sessionId"].as_str().unwrap_or_default();
        self.sessions
            .get(id)
            .ok_or_else(|| format!("{id} is no session of this process"))
    }
}

/// "Must be an absolute path", says the protocol.
fn is_absolute(params: &Value) -> Result<(), Broken> {
    let cwd = params["cwd"].as_str().unwrap_or_default();
    if std::path::Path::new(cwd).is_absolute() {
        Ok(())
    } else {
        Err(format!("the working directory {cwd:?} is not absolute"))
    }
}
