//! From the greeting to a session that stands.

use agent_client_protocol::{
    JsonRpcMessage,
    schema::ProtocolVersion,
    v1::schema::{
        AuthMethod, ClientCapabilities, EnvVariable, FileSystemCapabilities, Implementation,
        InitializeRequest, InitializeResponse, LoadSessionRequest, McpServer, McpServerStdio,
        NewSessionRequest, ResumeSessionRequest, SessionId,
    },
};
use serde_json::Value;

use super::{
    super::{ToolServer, answer, connection::Fault, model},
    Session,
};
use crate::{AgentError, Turn};

impl Session {
    /// Greets the agent, and brings it to the session that it had, or to a new one.
    pub(super) async fn establish(&mut self, turn: &Turn) -> Result<(), AgentError> {
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
        self.has_server = server.is_some();
        let servers: Vec<McpServer> = server.into_iter().map(stdio).collect();
        let offer = match self.return_to(turn, &agent, &servers).await? {
            Some(offer) => offer,
            None => self.begin(servers).await?,
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

    async fn begin(&mut self, servers: Vec<McpServer>) -> Result<Value, AgentError> {
        let request = NewSessionRequest::new(self.directory.clone()).mcp_servers(servers);
        let offer = self.ask(request).await?;
        let Some(id) = offer["sessionId"].as_str() else {
            let program = &self.settings.program;
            return Err(AgentError::Failed(format!(
                "{program} began a session without a name"
            )));
        };
        self.id = SessionId::new(id);
        self.is_new = true;
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

    async fn ask(&mut self, request: impl JsonRpcMessage) -> Result<Value, AgentError> {
        let answered = self.connection.ask(request).await;
        answered.map_err(|fault| self.settings.fault(fault, &self.logins))
    }

    fn read<T: serde::de::DeserializeOwned>(&self, answer: Value) -> Result<T, AgentError> {
        let program = &self.settings.program;
        serde_json::from_value(answer)
            .map_err(|_| AgentError::Failed(format!("{program} gave an answer that is none of the protocol")))
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
