//! `katad tools`: an MCP server on stdin and stdout whose tools are the daemon's.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use kata_ipc::socket::{self, Client, Secret};
use kata_plugin::{
    ToolOutput,
    mcp::{self, ToolFace, ToolListing},
};
use serde_json::Value;

use super::{SECRET_VARIABLE, SOCKET_VARIABLE};
use crate::{exit::Exit, open::sentence, terminal, wire};

/// The daemon's tools, by the socket.
#[derive(Debug)]
struct Far(Client);

/// Serves until the agent closes stdin, or the daemon is gone.
pub(crate) fn run() -> Exit {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (Some(path), Some(secret)) = (variable(SOCKET_VARIABLE), variable(SECRET_VARIABLE)) else {
        let why = format!(
            "{SOCKET_VARIABLE} and {SECRET_VARIABLE} are not set; the daemon sets them when it starts an agent, and this is not for people"
        );
        return terminal::fail(why, Exit::BadConfig);
    };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return Exit::Bug;
    };
    let exit = runtime.block_on(serve(path.into(), Secret::from(secret)));
    // A read of stdin that hangs must not keep the process.
    runtime.shutdown_background();
    exit
}

async fn serve(path: PathBuf, secret: Secret) -> Exit {
    let (client, link) = match socket::connect(&path, Some(secret)).await {
        Ok(connected) => connected,
        Err(error) => return terminal::fail(sentence(&error), Exit::TryLater),
    };
    tokio::select! {
        served = mcp::serve(mcp::stdio(), Arc::new(Far(client))) => match served {
            Ok(()) => Exit::Done,
            Err(error) => terminal::fail(error, Exit::Bug),
        },
        // Without the daemon there are no tools. The agent sees its server end.
        _ = link.run() => Exit::TryLater,
    }
}

#[async_trait]
impl ToolFace for Far {
    async fn list(&self) -> Result<Vec<ToolListing>, String> {
        let tools = self.0.list().await.map_err(|error| error.to_string())?;
        Ok(tools.into_iter().map(wire::listing).collect())
    }

    async fn call(&self, tool: &str, input: Value) -> Result<ToolOutput, String> {
        let output = self.0.call(tool, input).await;
        output.map(ToolOutput::json).map_err(|error| error.to_string())
    }
}
