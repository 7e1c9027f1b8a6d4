//! The tools that the daemon brings to an agent, as the agent calls them.

use super::super::ToolServer;

/// The tools of the daemon's MCP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::acp) struct OwnTools {
    server: String,
    tools: Vec<String>,
}

// === impl OwnTools ===

impl OwnTools {
    /// `name` is one of them, called as tools of MCP servers are.
    pub(super) fn has(&self, name: &str) -> bool {
        let tool = name.strip_prefix("mcp__");
        let tool = tool.and_then(|tool| tool.strip_prefix(&*self.server)?.strip_prefix("__"));
        tool.is_some_and(|tool| self.is_named(tool))
    }

    /// One of them has this name here.
    pub(super) fn is_named(&self, tool: &str) -> bool {
        self.tools.iter().any(|own| own == tool)
    }
}

impl From<ToolServer> for OwnTools {
    fn from(server: ToolServer) -> Self {
        Self {
            server: server.name,
            tools: server.tools,
        }
    }
}
