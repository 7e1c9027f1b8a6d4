//! Agents that speak ACP, behind a guard.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use kata_agent::{AcpAgents, AcpSettings, AgentError, Reply, SessionMemory, Turn};
use tempfile::TempDir;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::{guard, witness::Witness};

/// Remembers nothing.
#[derive(Debug)]
struct Forgetful;

#[async_trait]
impl SessionMemory for Forgetful {
    async fn recall(&self, _: &Turn) -> Option<String> {
        None
    }

    async fn remember(&self, _: &Turn, _: &str) {}

    async fn forget(&self, _: &Turn) {}
}

struct Daemon {
    home: TempDir,
    agents: AcpAgents,
    tasks: TaskTracker,
}

impl Daemon {
    fn new() -> Self {
        let tasks = TaskTracker::new();
        Self {
            home: TempDir::new().unwrap(),
            agents: AcpAgents::new(9, tasks.clone()),
            tasks,
        }
    }

    fn settings(&self) -> AcpSettings {
        AcpSettings {
            program: std::env::current_exe().unwrap().to_str().unwrap().into(),
            args: vec!["as-agent".into()],
            variables: vec![("PATH".into(), std::env::var_os("PATH").unwrap())],
            guard: Some(guard::guard()),
            model: None,
            sessions: self.home.path().join("sessions"),
            roots: Vec::new(),
            no_progress: None,
            idle: Duration::from_secs(1800),
            start_limit: Duration::from_secs(60),
            tools: None,
            memory: Arc::new(Forgetful),
        }
    }

    fn run(&self, settings: AcpSettings, prompt: &str) -> impl Future<Output = Result<Reply, AgentError>> {
        self.agents.agent(settings).oneshot(guard::turn(prompt))
    }

    async fn prompt(&self, prompt: &str) -> Result<String, AgentError> {
        let reply = self.run(self.settings(), prompt).await;
        reply.map(|reply| reply.text)
    }

    /// Drops a turn that runs this script, once the witness has seen it.
    async fn drop_once_it_lives(&self, script: &str) -> Witness {
        let mut witness = Witness::new(self.home.path());
        let prompt = format!("sh {}", witness.seeing(script));
        tokio::select! {
            ended = self.prompt(&prompt) => panic!("it was to be dropped: {ended:?}"),
            lives = &mut witness.lives => lives.unwrap(),
        }
        witness
    }

    async fn end(self) {
        self.agents.shut_down().await;
        self.tasks.close();
        self.tasks.wait().await;
    }
}

fn program() -> String {
    std::env::current_exe().unwrap().to_str().unwrap().to_owned()
}

#[tokio::main(flavor = "current_thread")]
pub(super) async fn one_process() {
    let daemon = Daemon::new();
    let first = daemon.prompt("who").await.unwrap();
    assert_eq!(daemon.prompt("who").await.unwrap(), first);
    daemon.end().await;
}

#[tokio::main(flavor = "current_thread")]
pub(super) async fn scrubbed() {
    let daemon = Daemon::new();
    let said = daemon.prompt("who").await.unwrap();
    let (_, names) = said.split_once(' ').unwrap();
    assert_eq!(names, "KATA_SESSION_KEY KATA_WORKSPACE_ID PATH");
    daemon.end().await;
}

#[tokio::main(flavor = "current_thread")]
pub(super) async fn dies() {
    let daemon = Daemon::new();
    let failed = daemon
        .prompt("sh echo 'no memory left' >&2; kill -6 $PPID; sleep 1000")
        .await;
    let expected = format!("{} was killed by signal 6: no memory left", program());
    assert_eq!(failed, Err(AgentError::Dead(expected)));
    // The lane goes on.
    daemon.prompt("who").await.unwrap();
    daemon.end().await;
}

#[tokio::main(flavor = "current_thread")]
pub(super) async fn killed() {
    let daemon = Daemon::new();
    let settings = AcpSettings {
        guard: None,
        ..daemon.settings()
    };
    let failed = daemon.run(settings, "sh kill -9 $PPID").await;
    let expected = format!("{} was killed by signal 9", program());
    assert_eq!(failed, Err(AgentError::Dead(expected)));
    daemon.end().await;
}

#[tokio::main(flavor = "current_thread")]
pub(super) async fn closes_stdout() {
    let daemon = Daemon::new();
    let failed = daemon.prompt("close").await;
    let expected = format!("{} closed its stdout in mid-turn, and lives on", program());
    assert_eq!(failed, Err(AgentError::Dead(expected)));
    daemon.prompt("who").await.unwrap();
    daemon.end().await;
}

#[tokio::main(flavor = "current_thread")]
pub(super) async fn not_there() {
    let daemon = Daemon::new();
    for guard in [None, Some(guard::guard())] {
        let settings = AcpSettings {
            program: "no-such-agent".into(),
            guard,
            ..daemon.settings()
        };
        let text = daemon.run(settings, "who").await.unwrap_err().to_string();
        assert!(text.contains("no-such-agent cannot be started: "), "{text}");
    }
    daemon.end().await;
}

#[tokio::main(flavor = "current_thread")]
pub(super) async fn floods() {
    let daemon = Daemon::new();
    let failed = daemon.prompt("flood").await;
    let expected = format!("{} wrote a line of more than 16 MiB", program());
    assert_eq!(failed, Err(AgentError::Failed(expected)));
    daemon.prompt("who").await.unwrap();
    daemon.end().await;
}

#[tokio::main(flavor = "current_thread")]
pub(super) async fn hangs() {
    let daemon = Daemon::new();
    let since = Instant::now();
    let witness = daemon
        .drop_once_it_lives("trap '' TERM; sleep 1000 & echo lives >&9; wait; wait")
        .await;
    witness.gone.await.unwrap();
    // 2 s for the cancellation, 2 s from SIGTERM to SIGKILL.
    assert!(since.elapsed() >= Duration::from_secs(4), "{:?}", since.elapsed());
    daemon.prompt("who").await.unwrap();
    daemon.end().await;
}

#[tokio::main(flavor = "current_thread")]
pub(super) async fn children() {
    let daemon = Daemon::new();
    let witness = Witness::new(daemon.home.path());
    // Left behind, and its children with it.
    let script = witness.seeing("for n in 1 2 3 4 5; do sh -c 'sleep 1000 & wait' & done; echo lives >&9");
    daemon.prompt(&format!("sh {script}")).await.unwrap();
    daemon.end().await;
    witness.gone.await.unwrap();
}

#[tokio::main(flavor = "current_thread")]
pub(super) async fn shut_down() {
    let daemon = Daemon::new();
    let witness = Witness::new(daemon.home.path());
    let script = witness.seeing("trap '' TERM; echo lives >&9; while :; do sleep 1; done");
    let prompt = format!("sh {script}");
    let stop = async {
        witness.lives.await.unwrap();
        let since = Instant::now();
        daemon.agents.shut_down().await;
        let took = since.elapsed();
        assert!(took < Duration::from_millis(2500), "{took:?}");
    };
    let (reply, ()) = tokio::join!(daemon.prompt(&prompt), stop);
    assert!(matches!(reply, Err(AgentError::Unavailable(_))), "{reply:?}");
    daemon.tasks.close();
    daemon.tasks.wait().await;
    witness.gone.await.unwrap();
}
