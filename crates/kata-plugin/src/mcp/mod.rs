//! The tools' face to agents: a Model Context Protocol server over a pair of byte streams.
//!
//! It knows nothing of gates and sessions: whoever stands behind the [`ToolFace`] decides what is listed and what is called.
//! See <https://modelcontextprotocol.io/specification/2025-06-18/server/tools>.

#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use rmcp::{
    ErrorData, RoleServer, ServerHandler, ServiceExt as _,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation,
        ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool, ToolAnnotations,
    },
    service::{QuitReason, RequestContext, ServerInitializeError},
    transport::async_rw::AsyncRwTransport,
};
use serde_json::{Map, Value};
use tokio::io::{AsyncRead, AsyncWrite, Stdin, Stdout};

use crate::tool::{SideEffect, ToolEffect, ToolOutput};

/// How long a line of an agent may be. Bytes; a longer one is skipped.
const LINE_BYTES: usize = 4 * 1024 * 1024;

/// What stands behind the protocol.
#[async_trait]
pub trait ToolFace: Send + Sync + 'static {
    /// The tools that the agent may see.
    ///
    /// # Errors
    /// Why there are none to be had, as a sentence for the agent.
    async fn list(&self) -> Result<Vec<ToolListing>, String>;

    /// Calls one. It may take minutes: a person may be asked.
    ///
    /// # Cancel safety
    /// Dropped 5 s after the agent went away, if it has not ended by then.
    ///
    /// # Errors
    /// Why it was refused or failed, as a sentence for the agent.
    async fn call(&self, tool: &str, input: Value) -> Result<ToolOutput, String>;
}

/// A tool, as an agent is shown it.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolListing {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// What it takes: a JSON Schema of `type: object`.
    pub input: Map<String, Value>,
    /// What it touches.
    pub effects: Vec<ToolEffect>,
    /// What a second call does.
    pub side_effect: SideEffect,
}

/// Why the conversation with an agent ended badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Its first words were not those of the protocol.
    #[error("the agent did not begin as the Model Context Protocol asks")]
    NoInitialize,
    /// The server broke down.
    #[error("the MCP server broke down")]
    Broken,
}

/// The process's own stdin and stdout, for [`serve`]. Nothing else may write to stdout then.
#[must_use]
pub fn stdio() -> (Stdin, Stdout) {
    (tokio::io::stdin(), tokio::io::stdout())
}

/// Serves one agent until it closes its end.
///
/// # Cancel safety
/// Dropping it ends the conversation.
///
/// # Errors
/// As [`ServeError`].
pub async fn serve<R, W>((read, write): (R, W), face: Arc<dyn ToolFace>) -> Result<(), ServeError>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let transport = AsyncRwTransport::new(read, write).with_max_line_length(LINE_BYTES);
    let running = match Server(face).serve(transport).await {
        Ok(running) => running,
        // An agent that starts its servers and changes its mind has broken nothing.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        // The library's words hold what the agent said.
        Err(_) => return Err(ServeError::NoInitialize),
    };
    match running.waiting().await {
        Ok(QuitReason::Closed | QuitReason::Cancelled) => Ok(()),
        _ => Err(ServeError::Broken),
    }
}

/// The library's side of a [`ToolFace`].
struct Server(Arc<dyn ToolFace>);

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Server")
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("katad", env!("CARGO_PKG_VERSION")))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        match self.0.list().await {
            Ok(tools) => Ok(ListToolsResult::with_all_items(
                tools.into_iter().map(shown).collect(),
            )),
            Err(sentence) => Err(ErrorData::internal_error(sentence, None)),
        }
    }

    /// A call that fails is a result like any other: the agent's model reads it, where an error of the protocol would end in
    /// the agent's log.
    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let input = Value::Object(call.arguments.unwrap_or_default());
        let result = match self.0.call(&call.name, input).await {
            Ok(output) => CallToolResult::success(vec![ContentBlock::text(said(output.content))]),
            Err(sentence) => CallToolResult::error(vec![ContentBlock::text(sentence)]),
        };
        Ok(result.into())
    }
}

fn shown(listing: ToolListing) -> Tool {
    let only_reads = listing.side_effect == SideEffect::None
        && listing.effects.iter().all(|effect| *effect == ToolEffect::Reads);
    let annotations = ToolAnnotations::new()
        .read_only(only_reads)
        .destructive(listing.effects.contains(&ToolEffect::Deletes))
        .idempotent(listing.side_effect != SideEffect::EveryTime);
    Tool::new(listing.name, listing.description, Arc::new(listing.input)).with_annotations(annotations)
}

/// What the agent's model reads: a text as it is, all else as JSON.
fn said(content: Value) -> String {
    match content {
        Value::String(text) => text,
        content => content.to_string(),
    }
}
