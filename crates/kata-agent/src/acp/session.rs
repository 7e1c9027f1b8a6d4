//! A session with a running agent: how it comes to stand, and one prompt after the other in it.

use std::{path::PathBuf, pin::pin, sync::Arc, time::Duration};

use agent_client_protocol::{
    schema::ProtocolVersion,
    v1::schema::{
        AuthMethod, CancelNotification, ClientCapabilities, ContentBlock, EnvVariable,
        FileSystemCapabilities, Implementation, InitializeRequest, InitializeResponse, LoadSessionRequest,
        McpServer, McpServerStdio, NewSessionRequest, PromptRequest, ResumeSessionRequest, SessionId,
        TextContent,
    },
};
use serde_json::Value;
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    AcpSettings, ToolServer,
    answer::{self, Said},
    connection::{Connection, Fault, Launch},
    model,
    open::OpenTurn,
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
    server: Option<String>,
    logins: Vec<String>,
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
        let starting = async {
            let connection = Connection::open(program, started, tasks).await?;
            let mut session = Self {
                connection,
                settings: Arc::clone(&settings),
                id: SessionId::new(""),
                directory,
                server: None,
                logins: Vec::new(),
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
        turn: Turn,
        dropped: &CancellationToken,
        stop: &CancellationToken,
    ) -> Outcome {
        let prompt = vec![ContentBlock::Text(TextContent::new(turn.prompt.clone()))];
        let (watch, fuse) = (turn.watch.clone(), Arc::clone(&self.connection.fuse));
        let open = Arc::new(OpenTurn::new(
            turn,
            self.id.clone(),
            &self.directory,
            self.settings.roots.clone(),
            self.server.clone(),
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
            () = stop.cancelled() => Outcome::unfit(AgentError::Unavailable("the daemon is shutting down".into())),
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

    /// From the greeting to a session that stands.
    async fn establish(&mut self, turn: &Turn) -> Result<(), AgentError> {
        let files = FileSystemCapabilities::new()
            .read_text_file(true)
            .write_text_file(true);
        let greeting = InitializeRequest::new(ProtocolVersion::V1)
            .client_capabilities(ClientCapabilities::new().fs(files).terminal(false))
            .client_info(Implementation::new("katad", env!("CARGO_PKG_VERSION")));
        let agent: InitializeResponse = self.ask(greeting).await.and_then(|agent| self.read(agent))?;
        if agent.protocol_version != ProtocolVersion::V1 {
            let program = &self.settings.program;
            return Err(AgentError::Failed(format!(
                "{program} does not speak version 1 of the Agent Client Protocol"
            )));
        }
        self.logins = agent.auth_methods.iter().map(login).collect();
        let server = self.settings.tools.as_ref().and_then(|tools| tools(turn));
        self.server = server.as_ref().map(|server| server.name.clone());
        let servers: Vec<McpServer> = server.into_iter().map(stdio).collect();
        let offer = match self.return_to(turn, &agent, &servers).await? {
            Some(offer) => offer,
            None => self.begin(turn, servers).await?,
        };
        self.choose_model(&offer).await
    }

    /// Goes on with the session that the agent had, if there is one and the agent still knows it.
    async fn return_to(
        &mut self,
        turn: &Turn,
        agent: &InitializeResponse,
        servers: &[McpServer],
    ) -> Result<Option<Value>, AgentError> {
        let can = &agent.agent_capabilities;
        let (can_resume, can_load) = (can.session_capabilities.resume.is_some(), can.load_session);
        if !can_resume && !can_load {
            return Ok(None);
        }
        let Some(known) = self.settings.memory.recall(turn).await else {
            return Ok(None);
        };
        self.id = SessionId::new(known);
        let (id, directory, servers) = (self.id.clone(), self.directory.clone(), servers.to_vec());
        // To load is to hear everything again.
        let returned = if can_resume {
            let request = ResumeSessionRequest::new(id, directory).mcp_servers(servers);
            self.connection.ask(request).await
        } else {
            let request = LoadSessionRequest::new(id, directory).mcp_servers(servers);
            self.connection.ask(request).await
        };
        match returned {
            Ok(offer) => Ok(Some(offer)),
            Err(Fault::Said(e)) if !answer::is_auth(&e) => {
                tracing::info!(msg = turn.message_id, error = %e.message, "the agent does not know its session any more, a new one begins");
                self.settings.memory.forget(turn).await;
                Ok(None)
            }
            Err(fault) => Err(self.settings.fault(fault, &self.logins)),
        }
    }

    async fn begin(&mut self, turn: &Turn, servers: Vec<McpServer>) -> Result<Value, AgentError> {
        let request = NewSessionRequest::new(self.directory.clone()).mcp_servers(servers);
        let offer = self.ask(request).await?;
        let Some(id) = offer["sessionId"].as_str() else {
            let program = &self.settings.program;
            return Err(AgentError::Failed(format!(
                "{program} began a session without a name"
            )));
        };
        self.id = SessionId::new(id);
        self.settings.memory.remember(turn, id).await;
        Ok(offer)
    }

    /// The model is a hint: an agent without it goes on with its own.
    async fn choose_model(&mut self, offer: &Value) -> Result<(), AgentError> {
        let Some(model) = self.settings.model.clone() else {
            return Ok(());
        };
        let chosen = match model::choose(offer, &self.id, &model) {
            Some(request) => self.connection.ask(request).await.map(|_| true),
            None => Ok(false),
        };
        match chosen {
            Ok(true) => {}
            Ok(false) => {
                tracing::warn!(
                    program = self.settings.program,
                    model,
                    "the agent does not offer this model"
                );
            }
            Err(Fault::Said(e)) => {
                tracing::warn!(program = self.settings.program, model, error = %e.message, "the agent did not take this model");
            }
            Err(Fault::Gone(error)) => return Err(error),
        }
        Ok(())
    }

    async fn ask(
        &mut self,
        request: impl agent_client_protocol::JsonRpcMessage,
    ) -> Result<Value, AgentError> {
        let answered = self.connection.ask(request).await;
        answered.map_err(|fault| self.settings.fault(fault, &self.logins))
    }

    fn read<T: serde::de::DeserializeOwned>(&self, answer: Value) -> Result<T, AgentError> {
        let program = &self.settings.program;
        serde_json::from_value(answer)
            .map_err(|_| AgentError::Failed(format!("{program} gave an answer that is none of the protocol")))
    }
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

fn login(method: &AuthMethod) -> String {
    method.name().to_owned()
}

fn stdio(server: ToolServer) -> McpServer {
    let env = server
        .env
        .into_iter()
        .map(|(name, value)| EnvVariable::new(name, value));
    McpServer::Stdio(
        McpServerStdio::new(server.name, server.program)
            .args(server.args)
            .env(env.collect::<Vec<_>>()),
    )
}
