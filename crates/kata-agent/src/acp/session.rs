//! A session with a running agent: how it comes to stand, and one prompt after the other in it.

mod establish;

use std::{path::PathBuf, pin::pin, sync::Arc, time::Duration};

use agent_client_protocol::v1::schema::{
    CancelNotification, ContentBlock, PromptRequest, SessionId, TextContent,
};
use futures_util::future::join_all;
use serde_json::Value;
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    AcpSettings,
    answer::{self, Said},
    connection::{Connection, Fault, Launch},
    open::OpenTurn,
    tool::OwnTools,
};
use crate::{AgentError, Reply, Turn, directory, stopwatch::silence};

/// A cancelled agent has this long to end its turn.
const CANCEL_GRACE: Duration = Duration::from_secs(2);

/// A running agent with its session.
#[derive(Debug)]
pub(super) struct Session {
    connection: Connection,
    settings: Arc<AcpSettings>,
    id: SessionId,
    directory: PathBuf,
    /// The directory and the settings' roots, with all links resolved.
    roots: Vec<PathBuf>,
    /// It was given the MCP server that is ours.
    has_server: bool,
    logins: Vec<String>,
    /// Nothing was said in it yet: it is none that the agent went on with.
    is_new: bool,
}

/// What became of a prompt.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) reply: Result<Reply, AgentError>,
    /// The agent may have the next turn.
    pub(super) is_fit: bool,
}

// === impl Session ===

impl Session {
    /// Starts an agent, and brings it to the session that it had, or to a new one.
    ///
    /// # Cancel safety
    /// Dropping it ends the agent.
    pub(super) async fn start(
        settings: Arc<AcpSettings>,
        turn: &Turn,
        launch: &Launch,
        tasks: &TaskTracker,
    ) -> Result<Self, AgentError> {
        let program = &settings.program;
        let failed = |what: &str, e: std::io::Error| AgentError::Failed(format!("{program} {what}: {e}"));
        let directory = directory::of_session(&settings.sessions, &turn.session_key)
            .await
            .map_err(|e| failed("has no directory to run in", e))?;
        let started =
            launch(&settings, turn, &directory, tasks).map_err(|e| failed("cannot be started", e))?;
        let roots = std::iter::once(&directory).chain(&settings.roots);
        let roots = join_all(roots.map(tokio::fs::canonicalize)).await;
        // Below one that is not there nothing is.
        let roots = roots.into_iter().filter_map(Result::ok).collect();
        let starting = async {
            let connection = Connection::open(program, started, tasks).await?;
            let mut session = Self {
                connection,
                settings: Arc::clone(&settings),
                id: SessionId::new(""),
                directory,
                roots,
                has_server: false,
                logins: Vec::new(),
                is_new: false,
            };
            session.establish(turn).await?;
            Ok(session)
        };
        timeout(settings.start_limit, starting).await.unwrap_or_else(|_| {
            let limit = settings.start_limit.as_secs();
            Err(AgentError::Failed(format!(
                "{program} was not ready within {limit} s"
            )))
        })
    }

    /// It was started as `settings` want it.
    pub(super) fn serves(&self, settings: &AcpSettings) -> bool {
        self.settings.starts_as(settings)
    }

    /// How long it is kept without a turn.
    pub(super) fn idle(&self) -> Duration {
        self.settings.idle
    }

    /// Returns once the agent is gone.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub(super) async fn gone(&self) {
        self.connection.gone().await;
    }

    /// The agent is gone, or has to go.
    pub(super) fn is_gone(&self) -> bool {
        self.connection.is_gone()
    }

    /// Ends the agent.
    pub(super) async fn end(self) {
        self.connection.end().await;
    }

    /// Gives the agent a turn. `dropped` = nobody waits for the answer any more; `stop` = the daemon ends.
    ///
    /// # Cancel safety
    /// Not cancel safe: the agent would go on. That is what `dropped` is for.
    pub(super) async fn prompt(
        &mut self,
        mut turn: Turn,
        dropped: &CancellationToken,
        stop: &CancellationToken,
    ) -> Outcome {
        let new = self.is_new.then(|| turn.clone());
        if self.is_new {
            tokio::select! {
                biased;
                () = stop.cancelled() => return Outcome::unfit(shutting_down()),
                () = dropped.cancelled() => return Outcome { reply: Err(AgentError::Cancelled), is_fit: true },
                () = seed(&mut turn) => {}
            }
        }
        let outcome = self.say(turn, dropped, stop).await;
        if let (Some(turn), Ok(_)) = (new, &outcome.reply) {
            // Not before: a session that was begun and never heard of its past is none to go on with.
            self.is_new = false;
            self.settings.memory.remember(&turn, &self.id.to_string()).await;
        }
        outcome
    }

    async fn say(&mut self, turn: Turn, dropped: &CancellationToken, stop: &CancellationToken) -> Outcome {
        let prompt = vec![ContentBlock::Text(TextContent::new(turn.prompt.clone()))];
        let own = self.own_tools(&turn);
        let (watch, fuse) = (turn.watch.clone(), Arc::clone(&self.connection.fuse));
        let open = Arc::new(OpenTurn::new(
            turn,
            self.id.clone(),
            &self.directory,
            self.roots.clone(),
            own,
            Arc::clone(&fuse),
        ));
        let stage = Arc::clone(&self.connection.stage);
        let curtain = stage.open(Arc::clone(&open));
        fuse.begin_turn();
        let teller = self.connection.teller();
        let mut answered = pin!(self.connection.ask(PromptRequest::new(self.id.clone(), prompt)));
        tokio::select! {
            biased;
            said = &mut answered => self.settings.outcome(said, &open, &self.logins),
            () = stop.cancelled() => Outcome::unfit(shutting_down()),
            () = dropped.cancelled() => {
                // From here on nothing that the agent says reaches anybody.
                drop(curtain);
                teller.tell(CancelNotification::new(self.id.clone()));
                let ended = tokio::select! {
                    ended = timeout(CANCEL_GRACE, &mut answered) => matches!(ended, Ok(Ok(_) | Err(Fault::Said(_)))),
                    () = stop.cancelled() => false,
                };
                Outcome { reply: Err(AgentError::Cancelled), is_fit: ended }
            }
            limit = silence(&fuse.progress, self.settings.no_progress, &watch) => {
                let text = format!("{} wrote nothing for {} s", self.settings.program, limit.as_secs());
                Outcome::unfit(AgentError::Failed(text))
            }
        }
    }

    /// What our server offers now: plugins come and go while an agent runs.
    fn own_tools(&self, turn: &Turn) -> Option<OwnTools> {
        let tools = self.settings.tools.as_ref().filter(|_| self.has_server)?;
        tools(turn).map(OwnTools::from)
    }
}

/// A session that begins anew hears what was said before.
async fn seed(turn: &mut Turn) {
    let Some(seed) = turn.seed.clone() else { return };
    if let Some(prompt) = seed.prompt(turn).await {
        turn.prompt = prompt;
    }
}

fn shutting_down() -> AgentError {
    AgentError::Unavailable("the daemon is shutting down".into())
}

// === impl Outcome ===

impl Outcome {
    fn unfit(error: AgentError) -> Self {
        Self {
            reply: Err(error),
            is_fit: false,
        }
    }
}

// === impl AcpSettings ===

impl AcpSettings {
    fn outcome(&self, said: Result<Value, Fault>, open: &OpenTurn, logins: &[String]) -> Outcome {
        match said {
            Ok(response) => Outcome {
                reply: answer::read(
                    &self.program,
                    response,
                    Said {
                        text: open.take_answer(),
                        refusal: open.take_refusal(),
                    },
                ),
                is_fit: true,
            },
            Err(fault) => Outcome {
                is_fit: matches!(fault, Fault::Said(_)),
                reply: Err(self.fault(fault, logins)),
            },
        }
    }

    fn fault(&self, fault: Fault, logins: &[String]) -> AgentError {
        match fault {
            Fault::Said(e) => answer::error(&self.program, &e, logins),
            Fault::Gone(error) => error,
        }
    }
}
