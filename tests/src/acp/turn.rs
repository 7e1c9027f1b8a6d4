//! One prompt: its steps, in order, and what is said on the way.

use std::{env, path::PathBuf, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc::UnboundedSender,
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use super::{
    End, brood,
    client::{self, Client},
    flood, permission, prompt,
    script::{self, Step},
    session::{Session, Speaker},
};

/// What all turns of a process know.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) client: Arc<Client>,
    /// What the client offers, as `initialize` says it.
    pub(crate) offers: Value,
    /// Prompts so far.
    pub(crate) turns: u64,
    /// Told by a step that ends the process.
    pub(crate) ends: UnboundedSender<End>,
    /// Hears neither a cancellation nor the end of its input.
    pub(crate) deaf: CancellationToken,
}

/// One open turn.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) process: Process,
    pub(crate) session: Arc<Session>,
    /// The id of the `session/prompt` that is to be answered.
    pub(crate) request: Value,
    pub(crate) cancelled: CancellationToken,
    /// What the prompt tells of what was said before.
    pub(crate) earlier: String,
    /// The answer so far.
    pub(crate) said: String,
}

/// Why a turn is over.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Over {
    /// For this reason, in the protocol's words.
    Stopped(String),
    /// It failed, with an error for the client.
    Failed(String),
    /// The process ends, and the prompt is never answered.
    Silent,
}

impl Turn {
    /// Does what the prompt says and answers it.
    pub(crate) async fn run(mut self, blocks: Value) {
        let text = prompt::text(&blocks);
        let message = prompt::last_message(&text).to_owned();
        let (earlier, asked) = prompt::parts(&text);
        earlier.clone_into(&mut self.earlier);
        let over = match script::steps(asked) {
            Ok(steps) if steps.is_empty() => {
                self.say(&format!("you said: {message}")).await;
                Ok(())
            }
            Ok(steps) => self.steps(steps).await,
            Err(why) => Err(Over::Failed(why)),
        };
        self.session.note(Speaker::User, &message);
        self.session.note(Speaker::Agent, &self.said);
        let over = match self.session.keep() {
            Ok(()) => over,
            Err(e) => Err(Over::Failed(format!("the session cannot be kept: {e}"))),
        };
        self.answer(over).await;
    }

    async fn steps(&mut self, steps: Vec<Step>) -> Result<(), Over> {
        for step in steps {
            self.step(step).await?;
            if self.cancelled.is_cancelled() {
                return Err(Over::Stopped("cancelled".to_owned()));
            }
        }
        Ok(())
    }

    async fn answer(self, over: Result<(), Over>) {
        let outcome = match over {
            Ok(()) => Ok(json!({"stopReason": "end_turn"})),
            Err(Over::Stopped(reason)) => Ok(json!({ "stopReason": reason })),
            Err(Over::Failed(why)) => Err(client::error(-32602, why)),
            Err(Over::Silent) => return,
        };
        self.session.close_turn();
        self.process.client.respond(&self.request, outcome).await;
    }

    async fn step(&mut self, step: Step) -> Result<(), Over> {
        let client = Arc::clone(&self.process.client);
        match step {
            Step::Say(text) => self.say(&text).await,
            Step::Think(text) => self.chunk("agent_thought_chunk", &text).await,
            Step::Ask(question) => permission::ask(self, &question).await,
            Step::Call { tool, input } => {
                let session = Arc::clone(&self.session);
                self.unless_cancelled(session.call(&tool, &input)).await;
            }
            Step::Tools => {
                let session = Arc::clone(&self.session);
                let names = async { Ok(session.tools().await?.join(" ")) };
                self.unless_cancelled(names).await;
            }
            Step::Read(path) => self.file("readTextFile", "fs/read_text_file", path, None).await,
            Step::Write(path, text) => {
                self.file("writeTextFile", "fs/write_text_file", path, Some(text))
                    .await;
            }
            Step::Silent(time) => self.wait(time).await,
            Step::Hang => self.cancelled.cancelled().await,
            Step::Deaf => self.turn_deaf().await?,
            Step::Crash(code) => return Err(self.end(End::Crash(code))),
            Step::Garbage => {
                client
                    .raw(b"this is no JSON\n{\"jsonrpc\":\"2.0\",\n\n[]\n")
                    .await
            }
            Step::Flood(megabytes) => flood::chunks(self, megabytes).await,
            Step::FloodLine(megabytes) => flood::line(self, megabytes).await,
            Step::Mutter(text) => {
                // Nobody may be listening.
                let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{text}\n").as_bytes());
            }
            Step::UnknownNotification => {
                let params = json!({"sessionId": self.session.id, "status": "authenticated"});
                client.notify("_auth/status_update", params).await;
            }
            Step::Children(n, file) => self.brood(brood::children(n, &file))?,
            Step::ForkBomb(n, file) => self.brood(brood::fork_bomb(n, &file))?,
            Step::Stop(reason) => return Err(Over::Stopped(reason)),
            asked => {
                let answer = self.fact(&asked);
                self.say(&answer).await;
            }
        }
        Ok(())
    }

    /// What is known without asking anybody.
    fn fact(&self, asked: &Step) -> String {
        match asked {
            Step::Env(name) => env::var(name).unwrap_or_else(|_| "unset".to_owned()),
            Step::Cwd => env::current_dir().map_or_else(|e| e.to_string(), |p| p.display().to_string()),
            Step::Pid => std::process::id().to_string(),
            Step::Session => self.session.id.clone(),
            Step::Model => self.session.model().unwrap_or_else(|| "none".to_owned()),
            Step::Knows(text) => if self.earlier.contains(text) { "yes" } else { "no" }.to_owned(),
            Step::Turns => self.process.turns.to_string(),
            Step::History => {
                let said = self.session.said();
                let lines = said
                    .iter()
                    .map(|s| format!("{:?}: {}", s.by, s.text.replace('\n', " / ")));
                lines.collect::<Vec<_>>().join(" | ")
            }
            other => format!("{other:?}"),
        }
    }

    /// Says a text as models do: in pieces, some of them empty. Each thing that is said begins a line.
    pub(crate) async fn say(&mut self, text: &str) {
        if !self.said.is_empty() {
            self.utter("\n").await;
        }
        self.utter("").await;
        for word in text.split_inclusive(' ') {
            self.utter(word).await;
        }
        self.utter("").await;
    }

    /// One chunk of the answer.
    pub(crate) async fn utter(&mut self, text: &str) {
        self.said.push_str(text);
        self.chunk("agent_message_chunk", text).await;
    }

    async fn chunk(&self, kind: &str, text: &str) {
        let update = json!({"sessionUpdate": kind, "content": {"type": "text", "text": text}});
        self.update(update).await;
    }

    /// A `session/update` of this session.
    pub(crate) async fn update(&self, update: Value) {
        self.process.client.update(&self.session.id, update).await;
    }

    /// Says what became of something that takes a while, unless the turn is cancelled first.
    async fn unless_cancelled(&mut self, work: impl Future<Output = Result<String, String>>) {
        let cancelled = self.cancelled.clone();
        if let Some(outcome) = cancelled.run_until_cancelled(work).await {
            self.say(&outcome.unwrap_or_else(|why| format!("error: {why}")))
                .await;
        }
    }

    async fn wait(&self, time: Duration) {
        self.cancelled.run_until_cancelled(sleep(time)).await;
    }

    /// Reads or writes a file through the client, if the client offers that.
    async fn file(&mut self, offer: &str, method: &'static str, path: PathBuf, content: Option<String>) {
        if self.process.offers["fs"][offer] != true {
            return self.say("not offered").await;
        }
        let path = self.session.cwd.join(path);
        let mut params = json!({"sessionId": self.session.id, "path": path});
        if let Some(content) = &content {
            params["content"] = content.as_str().into();
        }
        let answer = match self.process.client.request(method, params).await {
            Ok(result) => result["content"].as_str().unwrap_or("written").to_owned(),
            Err(error) => format!("error: {}", error["message"].as_str().unwrap_or_default()),
        };
        self.say(&answer).await;
    }

    fn brood(&self, outcome: std::io::Result<()>) -> Result<(), Over> {
        outcome.map_err(|e| Over::Failed(format!("no children: {e}")))
    }

    async fn turn_deaf(&self) -> Result<(), Over> {
        self.process.deaf.cancel();
        // While there is a handler the signal ends nothing.
        let _handler = signal(SignalKind::terminate()).map_err(|e| Over::Failed(e.to_string()))?;
        std::future::pending().await
    }

    /// Ends the process.
    pub(crate) fn break_off(&self, why: String) {
        // The process that hears it is the one that we run in.
        let _ = self.process.ends.send(End::Broken(why));
    }

    fn end(&self, end: End) -> Over {
        let _ = self.process.ends.send(end);
        Over::Silent
    }
}
