//! The turn that an agent is at work on, as the agent's messages meet it.

use std::{
    collections::HashMap,
    fmt, mem,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use agent_client_protocol::v1::schema::{
    ContentBlock, ContentChunk, MessageId, SessionId, SessionUpdate, ToolCallId, ToolCallStatus,
    ToolCallUpdate,
};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    limits::{Excess, Fuse},
    tool::{OwnTools, Told},
};
use crate::Turn;

/// The longest answer, in bytes.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// Of so many tool calls at once is remembered what the agent told of them. One that is forgotten is judged by what its
/// request says alone.
const MAX_CALLS: usize = 256;

/// Of all of them at once so much is remembered, and of the requests that wait as much again, in bytes.
const MAX_TOLD: usize = 16 * 1024 * 1024;

/// So many of an agent's requests are dealt with at once; more wait. Each may hold a file, or a question to a person.
const MAX_REQUESTS: usize = 16;

/// Where the open turn stands, if there is one. Between turns an agent may do nothing, and what it says goes nowhere.
#[derive(Debug, Default)]
pub(super) struct Stage(Mutex<Option<Arc<OpenTurn>>>);

/// One turn in the agent's hands.
pub(super) struct OpenTurn {
    pub(super) turn: Turn,
    pub(super) session: SessionId,
    /// Where the agent runs.
    pub(super) directory: PathBuf,
    /// Below these it may read and write files through us. Without links, as of the agent's start: where a root leads is
    /// not the agent's to change.
    pub(super) roots: Vec<PathBuf>,
    /// The tools of the MCP server that is ours.
    pub(super) own: Option<OwnTools>,
    /// The turn is over, for whatever reason: nothing is decided for it any more.
    pub(super) over: CancellationToken,
    requests: Semaphore,
    fuse: Arc<Fuse>,
    heard: Mutex<Heard>,
}

/// Holds the stage for a turn; dropping it ends the turn for the agent.
#[derive(Debug)]
pub(super) struct Curtain<'a> {
    stage: &'a Stage,
    _over: DropGuard,
}

/// What was heard from the agent in a turn.
#[derive(Debug, Default)]
struct Heard {
    answer: String,
    message: Option<MessageId>,
    calls: HashMap<ToolCallId, Told>,
    /// What is remembered of these, in bytes.
    told: usize,
    /// What is remembered of requests that are not decided yet.
    asked: usize,
    refusal: Option<String>,
}

// === impl Stage ===

impl Stage {
    /// Opens a turn, until what is answered is dropped.
    pub(super) fn open(&self, turn: Arc<OpenTurn>) -> Curtain<'_> {
        let over = turn.over.clone().drop_guard();
        *self.lock() = Some(turn);
        Curtain {
            stage: self,
            _over: over,
        }
    }

    /// The open turn, if the agent means it.
    pub(super) fn turn(&self, session: &SessionId) -> Option<Arc<OpenTurn>> {
        self.lock().clone().filter(|turn| turn.session == *session)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<OpenTurn>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Curtain<'_> {
    fn drop(&mut self) {
        *self.stage.lock() = None;
    }
}

// === impl OpenTurn ===

impl OpenTurn {
    pub(super) fn new(
        turn: Turn,
        session: SessionId,
        directory: &Path,
        roots: Vec<PathBuf>,
        own: Option<OwnTools>,
        fuse: Arc<Fuse>,
    ) -> Self {
        Self {
            turn,
            session,
            directory: directory.to_owned(),
            roots,
            own,
            over: CancellationToken::new(),
            requests: Semaphore::new(MAX_REQUESTS),
            fuse,
            heard: Mutex::default(),
        }
    }

    /// Room for one request, until it is dropped.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub(super) async fn room(&self) -> Option<SemaphorePermit<'_>> {
        self.requests.acquire().await.ok()
    }

    /// Takes what the agent tells of its work. Of that only its words are the answer; its thoughts, plans and tools are not.
    pub(super) fn hear(&self, update: SessionUpdate) {
        match update {
            SessionUpdate::AgentMessageChunk(chunk) => self.hear_words(chunk),
            SessionUpdate::ToolCall(call) => {
                let update = ToolCallUpdate::from(call);
                self.hear_call(update);
            }
            SessionUpdate::ToolCallUpdate(update) => self.hear_call(update),
            _ => {}
        }
    }

    /// What was told of a call, its request included. It counts until it is [decided](Self::decided).
    pub(super) fn told(&self, request: ToolCallUpdate) -> Told {
        let mut heard = self.heard();
        let told = heard.calls.get(&request.tool_call_id);
        let mut told = told.cloned().unwrap_or_default();
        told.hear(request.fields, request.meta.as_ref());
        remember(&mut heard.asked, &mut told);
        told
    }

    /// This is not needed any more.
    pub(super) fn decided(&self, told: &Told) {
        self.heard().asked -= told.size();
    }

    /// A call was refused, for the case that the agent leaves it at that.
    pub(super) fn refused(&self, reason: String) {
        self.heard().refusal = Some(reason);
    }

    /// What the agent answered so far.
    pub(super) fn take_answer(&self) -> String {
        mem::take(&mut self.heard().answer)
    }

    /// Why a call of this turn was refused last.
    pub(super) fn take_refusal(&self) -> Option<String> {
        self.heard().refusal.take()
    }

    fn hear_words(&self, chunk: ContentChunk) {
        let ContentBlock::Text(said) = chunk.content else {
            return;
        };
        let mut heard = self.heard();
        // Before and after a tool an agent says different messages, which are no single sentence.
        let is_other = chunk.message_id.is_some() && heard.message != chunk.message_id;
        if is_other && !said.text.is_empty() {
            heard.message = chunk.message_id;
            if !heard.answer.is_empty() {
                heard.answer.push_str("\n\n");
            }
        }
        heard.answer.push_str(&said.text);
        if heard.answer.len() > MAX_ANSWER {
            self.fuse.blow(Excess::Answer);
        }
    }

    fn hear_call(&self, update: ToolCallUpdate) {
        let mut heard = self.heard();
        let before = heard.calls.remove(&update.tool_call_id);
        heard.told -= before.as_ref().map_or(0, Told::size);
        let is_over = matches!(
            update.fields.status,
            Some(ToolCallStatus::Completed | ToolCallStatus::Failed)
        );
        if !is_over && heard.calls.len() < MAX_CALLS {
            let mut told = before.unwrap_or_default();
            told.hear(update.fields, update.meta.as_ref());
            remember(&mut heard.told, &mut told);
            heard.calls.insert(update.tool_call_id, told);
        }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds to what is remembered already, and lets go of what would be too much.
fn remember(already: &mut usize, told: &mut Told) {
    if *already + told.size() > MAX_TOLD {
        told.forget();
    }
    *already += told.size();
}

/// Names the turn, and shows nothing that was said.
impl fmt::Debug for OpenTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenTurn")
            .field("turn", &self.turn)
            .finish_non_exhaustive()
    }
}
