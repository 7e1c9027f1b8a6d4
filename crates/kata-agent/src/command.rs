//! Any program as an agent: the prompt goes to its stdin, its stdout is the answer.

mod environment;
mod group;
mod input;
mod talk;
#[cfg(test)]
mod tests;

use std::{
    ffi::OsString,
    io,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use kata_session::folder_name;
use tokio::process::Command;
use tokio_util::task::TaskTracker;
use tower::Service;

pub use self::{
    environment::{PASSED, environment},
    input::Input,
};
use self::{group::Leash, talk::Spoken};
use crate::{AgentError, Guard, Reply, Turn};

/// How a program is run as an agent.
#[derive(Clone, Debug)]
pub struct CommandSettings {
    /// The program, looked up on the `PATH` of [`variables`](Self::variables). No shell comes near it.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its whole environment, as [`environment()`] gathers it.
    pub variables: Vec<(String, OsString)>,
    /// What it reads.
    pub input: Input,
    /// A hint for programs that can choose a model: `KATA_MODEL` in its environment.
    pub model: Option<String>,
    /// Under this a directory is made for each session, mode 0700: the program runs there, and may keep things
    /// there between turns.
    pub sessions: PathBuf,
    /// A run that writes nothing for this long, on stdout or stderr, has failed.
    pub no_progress: Option<Duration>,
    /// What ends its process group when the daemon is killed. `None` = it is started directly.
    pub guard: Option<Guard>,
}

/// Starts a program for each turn.
///
/// It starts in a process group of its own. When its run ends, by itself or because the future is dropped, what is left of
/// the group is ended: SIGTERM, and SIGKILL 2 s later. A process that leaves the group on purpose gets away, and
/// so does the whole group if the daemon itself is killed by SIGKILL.
#[derive(Clone, Debug)]
pub struct CommandAgent {
    settings: Arc<CommandSettings>,
    tasks: TaskTracker,
}

// === impl CommandAgent ===

impl CommandAgent {
    /// Runs programs by `settings`; groups that are left over are ended on `tasks`.
    #[must_use]
    pub fn new(settings: CommandSettings, tasks: TaskTracker) -> Self {
        Self {
            settings: Arc::new(settings),
            tasks,
        }
    }
}

impl Service<Turn> for CommandAgent {
    type Response = Reply;
    type Error = AgentError;
    type Future = BoxFuture<'static, Result<Reply, AgentError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), AgentError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, turn: Turn) -> Self::Future {
        let settings = Arc::clone(&self.settings);
        let tasks = self.tasks.clone();
        Box::pin(async move { settings.run(&turn, tasks).await })
    }
}

// === impl CommandSettings ===

impl CommandSettings {
    async fn run(&self, turn: &Turn, tasks: TaskTracker) -> Result<Reply, AgentError> {
        let directory = self
            .directory(turn)
            .await
            .map_err(|e| self.failed("has no directory to run in", &e))?;
        let given = self.input.render(turn, self.model.as_deref());
        let mut command = self.command(turn, directory);
        let (mut leash, stdin) =
            Leash::start(&mut command, tasks).map_err(|e| self.failed("cannot be started", &e))?;
        match leash.talk().hold(stdin, &given, self.no_progress).await {
            Ok(Spoken { answer, status, .. }) if status.success() => Ok(Reply {
                text: String::from_utf8_lossy(&answer).trim_end().to_owned(),
                usage: None,
            }),
            Ok(Spoken {
                status, complaint, ..
            }) => {
                tracing::debug!(msg = turn.message_id, stderr = %complaint.text(), "the end of what the agent wrote to stderr");
                Err(self.ended_badly(status, &complaint.last_line()))
            }
            Err(broken) => Err(AgentError::Failed(format!("{} {broken}", self.program))),
        }
    }

    /// Makes the directory of the turn's session.
    async fn directory(&self, turn: &Turn) -> io::Result<PathBuf> {
        let directory = self.sessions.join(folder_name(&turn.session_key));
        let mut builder = tokio::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        builder.mode(0o700);
        builder.create(&directory).await?;
        Ok(directory)
    }

    fn command(&self, turn: &Turn, directory: PathBuf) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .current_dir(directory)
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .env("KATA_WORKSPACE_ID", &turn.workspace)
            .env("KATA_SESSION_KEY", &turn.session_key)
            .envs(self.model.iter().map(|model| ("KATA_MODEL", model)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    // Arguments stay out of every text: people put keys into them.
    fn failed(&self, what: &str, error: &io::Error) -> AgentError {
        AgentError::Failed(format!("{} {what}: {error}", self.program))
    }

    fn ended_badly(&self, status: ExitStatus, last_line: &str) -> AgentError {
        let colon = if last_line.is_empty() { "" } else { ": " };
        match status.code() {
            Some(code) => AgentError::Failed(format!(
                "{} ended with exit code {code}{colon}{last_line}",
                self.program
            )),
            None => AgentError::Dead(format!(
                "{} was killed ({status}){colon}{last_line}",
                self.program
            )),
        }
    }
}
