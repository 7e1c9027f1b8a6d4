//! A session: what was said in it, its tools, and whether a turn is open.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Mutex as Turnstile;
use tokio_util::sync::CancellationToken;

use super::mcp::{Mcp, Server};

/// What a session remembers, on disk too where there is a place for it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Memory {
    pub(crate) said: Vec<Said>,
}

/// One thing that was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) by: Speaker,
    pub(crate) text: String,
}

/// Who said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Speaker {
    User,
    Agent,
}

/// One session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: String,
    /// Where files without a folder are.
    pub(crate) cwd: PathBuf,
    file: Option<PathBuf>,
    memory: Mutex<Memory>,
    model: Mutex<Option<String>>,
    server: Option<Server>,
    /// Started when a tool is first asked for.
    tools: Turnstile<Option<Mcp>>,
    /// How the open turn is cancelled.
    open: Mutex<Option<CancellationToken>>,
}

// === impl Session ===

impl Session {
    /// Opens a session with what the client says of it: `params` of `session/new`, `load` or `resume`.
    pub(crate) fn new(id: String, params: &Value, memory: Memory, state: Option<&Path>) -> Self {
        Self {
            cwd: params["cwd"].as_str().unwrap_or_default().into(),
            file: state.map(|folder| file(folder, &id)),
            memory: Mutex::new(memory),
            model: Mutex::default(),
            server: Server::of(&params["mcpServers"]),
            tools: Turnstile::default(),
            open: Mutex::default(),
            id,
        }
    }

    /// What a session said that an earlier process kept.
    pub(crate) fn recall(state: Option<&Path>, id: &str) -> Option<Memory> {
        // An id is a file's name here: only ours are looked for.
        let ours = id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        let kept = fs::read(file(state.filter(|_| ours)?, id)).ok()?;
        serde_json::from_slice(&kept).ok()
    }

    /// What was said before.
    pub(crate) fn said(&self) -> Vec<Said> {
        self.with_memory(|memory| memory.said.clone())
    }

    /// Notes what was said.
    pub(crate) fn note(&self, by: Speaker, text: &str) {
        self.with_memory(|memory| {
            memory.said.push(Said {
                by,
                text: text.to_owned(),
            });
        });
    }

    /// Writes the session down.
    pub(crate) fn keep(&self) -> io::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let text = self.with_memory(|memory| serde_json::to_vec(memory))?;
        fs::write(file, text)
    }

    /// The model that the client chose.
    pub(crate) fn model(&self) -> Option<String> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes another model.
    pub(crate) fn choose(&self, model: &str) {
        *self.model.lock().unwrap_or_else(PoisonError::into_inner) = Some(model.to_owned());
    }

    /// Opens a turn; none while another is open.
    pub(crate) fn open_turn(&self) -> Option<CancellationToken> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.is_some() {
            return None;
        }
        Some(open.insert(CancellationToken::new()).clone())
    }

    /// Ends it, before it is answered: the client may prompt again at once.
    pub(crate) fn close_turn(&self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Cancels the open turn, if one is open.
    pub(crate) fn cancel(&self) {
        if let Some(open) = &*self.open.lock().unwrap_or_else(PoisonError::into_inner) {
            open.cancel();
        }
    }

    /// The names of its tools.
    pub(crate) async fn tools(&self) -> Result<Vec<String>, String> {
        let mut tools = self.tools.lock().await;
        self.started(&mut tools).await?.names().await
    }

    /// Calls one of its tools: what the tool said.
    pub(crate) async fn call(&self, tool: &str, input: &Value) -> Result<String, String> {
        let mut tools = self.tools.lock().await;
        self.started(&mut tools).await?.call(tool, input).await
    }

    async fn started<'t>(&self, tools: &'t mut Option<Mcp>) -> Result<&'t mut Mcp, String> {
        let server = self.server.as_ref().ok_or("the client named no tool server")?;
        match tools {
            Some(running) => Ok(running),
            None => Ok(tools.insert(Mcp::start(server, &self.cwd).await?)),
        }
    }

    fn with_memory<T>(&self, f: impl FnOnce(&mut Memory) -> T) -> T {
        f(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn file(folder: &Path, id: &str) -> PathBuf {
    folder.join(format!("{id}.json"))
}
