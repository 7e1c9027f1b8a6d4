//! Any program as an agent: the prompt goes to its stdin, its stdout is the answer.

mod environment;
mod input;
mod talk;
#[cfg(test)]
mod tests;

use std::{
    ffi::OsString,
    io,
    path::PathBuf,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio_util::task::TaskTracker;
use tower::Service;

use self::talk::{Spoken, talk};
pub use self::{
    environment::{PASSED, environment},
    input::Input,
};
use crate::{
    AgentError, Guard, Reply, Turn, directory,
    process::{End, Leash, Program},
};

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
/// the group is ended: SIGTERM, and SIGKILL 2 s later. A process that leaves the group on purpose gets away, and, without a
/// [`Guard`], so does the whole group if the daemon itself is killed by SIGKILL.
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
        let directory = directory::of_session(&self.sessions, &turn.session_key)
            .await
            .map_err(|e| self.failed("has no directory to run in", &e))?;
        let given = self.input.render(turn, self.model.as_deref());
        let program = Program {
            name: &self.program,
            args: &self.args,
            variables: &self.variables_for(turn),
            directory: &directory,
            guard: self.guard.as_ref(),
        };
        let (mut leash, stdin) =
            Leash::start(program, tasks).map_err(|e| self.failed("cannot be started", &e))?;
        match talk(leash.listen(), stdin, &given, self.no_progress, &turn.watch).await {
            // Who closes its stdout has said its answer. Without one that is no success: there is no exit code to say so.
            Ok(Spoken { answer, end, .. }) if end.map_or(!answer.is_empty(), End::is_success) => Ok(Reply {
                text: String::from_utf8_lossy(&answer).trim_end().to_owned(),
                usage: None,
                sent: false,
            }),
            Ok(Spoken { end, complaint, .. }) => {
                tracing::debug!(msg = turn.message_id, stderr = %complaint.text(), "the end of what the agent wrote to stderr");
                Err(self.ended_badly(end, &complaint.last_line()))
            }
            Err(broken) => Err(AgentError::Failed(format!("{} {broken}", self.program))),
        }
    }

    fn variables_for(&self, turn: &Turn) -> Vec<(String, OsString)> {
        let ours = [
            ("KATA_WORKSPACE_ID", Some(&turn.workspace)),
            ("KATA_SESSION_KEY", Some(&turn.session_key)),
            ("KATA_MODEL", self.model.as_ref()),
        ];
        let ours = ours
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
        self.variables.iter().cloned().chain(ours).collect()
    }

    // Arguments stay out of every text: people put keys into them.
    fn failed(&self, what: &str, error: &io::Error) -> AgentError {
        AgentError::Failed(format!("{} {what}: {error}", self.program))
    }

    fn ended_badly(&self, end: Option<End>, last_line: &str) -> AgentError {
        let how = end.map_or_else(
            || "closed its stdout without an answer, and lives on".to_owned(),
            |end| end.to_string(),
        );
        let colon = if last_line.is_empty() { "" } else { ": " };
        let text = format!("{} {how}{colon}{last_line}", self.program);
        match end {
            Some(End::Code(_)) => AgentError::Failed(text),
            Some(End::Signal(_)) | None => AgentError::Dead(text),
        }
    }
}
