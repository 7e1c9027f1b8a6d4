//! The tools of plugins, on their way to an agent: an `acp` agent starts `katad tools`, which speaks MCP with it and reaches
//! this daemon by a socket, with a secret that stands for one session.

mod ask;
mod client;
mod serve;
mod sessions;

use std::{path::PathBuf, sync::Arc};

use kata_agent::{ToolServer, ToolsFor};
use kata_ipc::event::view::ToolView;
use kata_plugin::RegisteredTool;

pub(crate) use self::{ask::ask, client::run, serve::serve, sessions::ToolSessions};
use crate::{daemon::Daemon, home::Home, wire};

/// The MCP server's name: agents call our tools `mcp__kata__slack_react`.
const SERVER: &str = "kata";
/// How `katad tools` is told where the daemon is …
const SOCKET_VARIABLE: &str = "KATA_TOOLS_SOCKET";
/// … and on whose behalf it comes.
const SECRET_VARIABLE: &str = "KATA_TOOLS_SECRET";

/// What brings our tools to an agent. None for a workspace in which no enabled plugin has any.
pub(crate) fn server_for(daemon: &Daemon) -> ToolsFor {
    let sessions = daemon.gate.tools.clone();
    let socket = socket(&daemon.home);
    let (policies, plugins) = (daemon.gate.policies.clone(), daemon.registrar().clone());
    Arc::new(move |turn| {
        let brings = |t: &RegisteredTool| policies.is_enabled(&turn.workspace, t.plugin);
        let tools: Vec<String> = plugins
            .tools()
            .filter(|tool| brings(tool))
            .map(|tool| tool.spec.name.to_owned())
            .collect();
        if !sessions.is_served() || tools.is_empty() {
            return None;
        }
        let secret = sessions.secret(&turn.workspace, &turn.session_key);
        Some(ToolServer {
            name: SERVER.to_owned(),
            tools,
            program: std::env::current_exe().ok()?,
            args: vec!["tools".to_owned()],
            env: vec![
                (SOCKET_VARIABLE.to_owned(), socket.display().to_string()),
                (SECRET_VARIABLE.to_owned(), secret.expose().to_owned()),
            ],
        })
    })
}

/// Where the daemon of a config directory serves its tools.
pub(crate) fn socket(home: &Home) -> PathBuf {
    home.run().join("katad.sock")
}

/// The tools that a workspace has, by name.
pub(crate) fn of_workspace<'a>(
    daemon: &'a Daemon,
    workspace: &'a str,
) -> impl Iterator<Item = ToolView> + 'a {
    daemon
        .registrar()
        .tools()
        .filter(move |tool| daemon.gate.policies.is_enabled(workspace, tool.plugin))
        .map(wire::tool)
}
