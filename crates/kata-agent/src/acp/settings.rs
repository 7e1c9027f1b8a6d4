//! How an agent that speaks ACP is run, and what it is given.

use std::{ffi::OsString, fmt, path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::{Guard, Turn};

/// How a program that speaks the [Agent Client Protocol](https://agentclientprotocol.com/) is run.
#[derive(Clone)]
pub struct AcpSettings {
    /// The program, looked up on the `PATH` of [`variables`](Self::variables). No shell comes near it.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its whole environment, as [`environment()`](crate::environment()) gathers it.
    pub variables: Vec<(String, OsString)>,
    /// What ends its process group when the daemon is killed. `None` = it is started directly.
    pub guard: Option<Guard>,
    /// A hint: the model to choose, where the agent lets its client choose one.
    pub model: Option<String>,
    /// Under this a directory is made for each session, mode 0700: the agent runs there.
    pub sessions: PathBuf,
    /// Besides its session's directory the agent may read and write files through us below these, as far as the gate
    /// allows: the workspace's folder.
    pub roots: Vec<PathBuf>,
    /// A turn in which nothing comes from the agent for this long has failed.
    pub no_progress: Option<Duration>,
    /// An agent that had no turn for this long is stopped.
    pub idle: Duration,
    /// From the start of the process until its session stands.
    pub start_limit: Duration,
    /// The MCP server that brings the daemon's tools to the agent.
    pub tools: Option<ToolsFor>,
    /// Which ACP session belongs to which of ours.
    pub memory: Arc<dyn SessionMemory>,
}

/// The MCP server of a turn's session, if it has one. It is the session's for as long as its agent runs; which tools it
/// offers is asked anew for each turn.
pub type ToolsFor = Arc<dyn Fn(&Turn) -> Option<ToolServer> + Send + Sync>;

/// A program that the agent starts to reach the daemon's tools: an MCP server on its stdin and stdout.
#[derive(Clone, PartialEq, Eq)]
pub struct ToolServer {
    /// Its name: the agent calls its tools `mcp__{name}__{tool}`.
    pub name: String,
    /// The tools that it offers. Under its name the agent may call no other.
    pub tools: Vec<String>,
    /// The program; absolute, as the protocol wants it.
    pub program: PathBuf,
    /// Its arguments. Whoever may list processes reads them.
    pub args: Vec<String>,
    /// Variables that are added to its environment. They hold the session's secret.
    pub env: Vec<(String, String)>,
}

/// Remembers the agent's own name of a session, so that its context survives a restart.
#[async_trait]
pub trait SessionMemory: fmt::Debug + Send + Sync {
    /// The ACP session of the turn's session, if one was remembered.
    async fn recall(&self, turn: &Turn) -> Option<String>;

    /// The turn's session is `acp_session` from now on: it has answered its first prompt.
    async fn remember(&self, turn: &Turn, acp_session: &str);

    /// The agent does not know the remembered session any more.
    async fn forget(&self, turn: &Turn);
}

// === impl AcpSettings ===

impl AcpSettings {
    /// An agent that was started by these serves `others` as well. How long its start may take, and what is asked
    /// at its start alone, makes no difference.
    pub(super) fn starts_as(&self, others: &Self) -> bool {
        self.program == others.program
            && self.args == others.args
            && self.variables == others.variables
            && self.guard == others.guard
            && self.model == others.model
            && self.sessions == others.sessions
            && self.roots == others.roots
            && self.no_progress == others.no_progress
            && self.idle == others.idle
    }
}

/// Without arguments and variables: people put keys into them.
impl fmt::Debug for AcpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcpSettings")
            .field("program", &self.program)
            .field("guard", &self.guard)
            .field("model", &self.model)
            .field("sessions", &self.sessions)
            .finish_non_exhaustive()
    }
}

// === impl ToolServer ===

/// Without the variables, which hold a secret.
impl fmt::Debug for ToolServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolServer")
            .field("name", &self.name)
            .field("tools", &self.tools)
            .field("program", &self.program)
            .field("args", &self.args)
            .finish_non_exhaustive()
    }
}
