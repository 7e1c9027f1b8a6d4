//! Agents on a bench: whatever is started is handed to the test.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use kata_perm::Role;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::{agent::Played, authority::Judge};
use crate::{AcpAgents, AcpSettings, AgentError, Reply, SessionMemory, Turn};

pub(super) struct Bench {
    pub(super) agents: AcpAgents,
    pub(super) started: mpsc::UnboundedReceiver<Played>,
    pub(super) tasks: TaskTracker,
    pub(super) memory: Arc<Memory>,
    pub(super) judge: Arc<Judge>,
    pub(super) home: TempDir,
}

/// Remembers in memory.
#[derive(Debug, Default)]
pub(super) struct Memory(pub(super) Mutex<HashMap<String, String>>);

impl Bench {
    pub(super) fn new(max_warm: usize) -> Self {
        Self::judged(max_warm, Judge::yes())
    }

    pub(super) fn judged(max_warm: usize, judge: Judge) -> Self {
        let (starts, started) = mpsc::unbounded_channel();
        let tasks = TaskTracker::new();
        let launch = Arc::new(
            move |_: &AcpSettings, _: &Turn, _: &std::path::Path, _: &TaskTracker| {
                let (played, agent) = Played::start();
                starts.send(played).unwrap();
                Ok(agent)
            },
        );
        Self {
            agents: AcpAgents::starting(max_warm, tasks.clone(), launch),
            started,
            tasks,
            memory: Arc::default(),
            judge: Arc::new(judge),
            home: TempDir::new().unwrap(),
        }
    }

    pub(super) fn settings(&self) -> AcpSettings {
        AcpSettings {
            program: "agent".into(),
            args: Vec::new(),
            variables: Vec::new(),
            guard: None,
            model: None,
            sessions: self.home.path().join("sessions"),
            roots: Vec::new(),
            no_progress: None,
            idle: Duration::from_secs(1800),
            start_limit: Duration::from_secs(60),
            tools: None,
            memory: Arc::clone(&self.memory) as _,
        }
    }

    pub(super) fn turn(&self, session: &str, prompt: &str) -> Turn {
        Turn {
            prompt: prompt.into(),
            authority: Arc::clone(&self.judge) as _,
            watch: self.judge.watch.clone(),
            ..Turn::new(1, "ws_1", "work", session, Role::Member)
        }
    }

    pub(super) fn run(
        &self,
        settings: AcpSettings,
        prompt: &str,
    ) -> impl Future<Output = Result<Reply, AgentError>> + 'static {
        self.agents
            .agent(settings)
            .oneshot(self.turn("daemon-work-1", prompt))
    }

    /// A turn of the one session, by the settings that all tests start from.
    pub(super) fn prompt(&self, prompt: &str) -> impl Future<Output = Result<Reply, AgentError>> + 'static {
        self.run(self.settings(), prompt)
    }

    /// The agent that was started.
    pub(super) async fn agent(&mut self) -> Played {
        self.started.recv().await.unwrap()
    }

    /// No agent is left running.
    pub(super) async fn end(self) {
        self.agents.shut_down().await;
        self.tasks.close();
        self.tasks.wait().await;
    }
}

#[async_trait]
impl SessionMemory for Memory {
    async fn recall(&self, turn: &Turn) -> Option<String> {
        self.0.lock().unwrap().get(&turn.session_key).cloned()
    }

    async fn remember(&self, turn: &Turn, acp_session: &str) {
        let mut known = self.0.lock().unwrap();
        known.insert(turn.session_key.clone(), acp_session.to_owned());
    }

    async fn forget(&self, turn: &Turn) {
        self.0.lock().unwrap().remove(&turn.session_key);
    }
}
