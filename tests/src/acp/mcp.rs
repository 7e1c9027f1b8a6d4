//! A client of the Model Context Protocol, by hand: stdio transport, tools alone.
//! `https://modelcontextprotocol.io/specification/2025-06-18`.

use std::{path::Path, process::Stdio};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use super::line::Line;

const VERSION: &str = "2025-06-18";

/// How a tool server is started, as `session/new` names it.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    command: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
}

/// A running tool server.
#[derive(Debug)]
pub(crate) struct Mcp {
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    requests: u64,
    /// Killed with the session.
    _child: Child,
}

// === impl Server ===

impl Server {
    /// The first server that is started by a command.
    pub(crate) fn of(servers: &Value) -> Option<Self> {
        let server = servers.as_array()?.iter().find(|s| s["command"].is_string())?;
        let texts = |list: &Value| -> Vec<String> {
            let items = list.as_array().into_iter().flatten();
            items.filter_map(|i| i.as_str().map(str::to_owned)).collect()
        };
        let variables = server["env"].as_array().into_iter().flatten();
        let env = variables.filter_map(|v| Some((v["name"].as_str()?.into(), v["value"].as_str()?.into())));
        Some(Self {
            command: server["command"].as_str()?.to_owned(),
            args: texts(&server["args"]),
            env: env.collect(),
        })
    }
}

// === impl Mcp ===

impl Mcp {
    /// Starts a server and shakes hands.
    pub(crate) async fn start(server: &Server, cwd: &Path) -> Result<Self, String> {
        let mut child = Command::new(&server.command)
            .args(&server.args)
            .envs(server.env.iter().map(|(n, v)| (n, v)))
            .current_dir(cwd)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| format!("the tool server cannot be started: {e}"))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            unreachable!("both are piped")
        };
        let mut mcp = Self {
            input,
            output: BufReader::new(output).lines(),
            requests: 0,
            _child: child,
        };
        mcp.shake_hands().await?;
        Ok(mcp)
    }

    async fn shake_hands(&mut self) -> Result<(), String> {
        let hello = json!({
            "protocolVersion": VERSION, "capabilities": {},
            "clientInfo": {"name": "fake-acp", "version": "0"},
        });
        let server = self.request("initialize", hello).await?;
        let known = server["protocolVersion"].is_string()
            && server["capabilities"]["tools"].is_object()
            && server["serverInfo"]["name"].is_string();
        if !known {
            return Err(broken("initialize", &server));
        }
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))
            .await
    }

    /// The names of all tools, page by page.
    pub(crate) async fn names(&mut self) -> Result<Vec<String>, String> {
        let (mut names, mut params) = (Vec::new(), json!({}));
        loop {
            let page = self.request("tools/list", params).await?;
            let tools = page["tools"]
                .as_array()
                .ok_or_else(|| broken("tools/list", &page))?;
            for tool in tools {
                let name = tool["name"]
                    .as_str()
                    .filter(|_| tool["inputSchema"]["type"] == "object");
                names.push(name.ok_or_else(|| broken("tools/list", tool))?.to_owned());
            }
            if page["nextCursor"].is_null() {
                return Ok(names);
            }
            params = json!({"cursor": page["nextCursor"]});
        }
    }

    /// Calls a tool. What failed is an `Err`, whoever says so.
    pub(crate) async fn call(&mut self, tool: &str, input: &Value) -> Result<String, String> {
        let result = self
            .request("tools/call", json!({"name": tool, "arguments": input}))
            .await?;
        let content = result["content"]
            .as_array()
            .ok_or_else(|| broken("tools/call", &result))?;
        let texts: Vec<&str> = content.iter().filter_map(|c| c["text"].as_str()).collect();
        let text = texts.join("\n");
        if result["isError"] == true {
            Err(text)
        } else {
            Ok(text)
        }
    }

    /// # Cancel safety
    /// An answer that comes after this was dropped is passed over by the next request.
    async fn request(&mut self, method: &str, params: Value) -> Result<Value, String> {
        self.requests += 1;
        let id = self.requests;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
            .await?;
        loop {
            let line = self.output.next_line().await.map_err(|e| e.to_string())?;
            let line = line.ok_or_else(|| format!("the tool server ended at {method}"))?;
            match Line::read(&line).map_err(|why| format!("the tool server broke its protocol: {why}"))? {
                Line::Answer { id: of, outcome } if of == id => {
                    return outcome.map_err(|e| e["message"].as_str().unwrap_or_default().to_owned());
                }
                Line::Request { id, method, .. } => self.served(&id, &method).await?,
                Line::Answer { .. } | Line::Notification { .. } => {}
            }
        }
    }

    /// A client without capabilities serves `ping` alone.
    async fn served(&mut self, id: &Value, method: &str) -> Result<(), String> {
        let mut answer = json!({"jsonrpc": "2.0", "id": id});
        if method == "ping" {
            answer["result"] = json!({});
        } else {
            answer["error"] = json!({"code": -32601, "message": "method not found"});
        }
        self.send(&answer).await
    }

    async fn send(&mut self, message: &Value) -> Result<(), String> {
        let line = format!("{message}\n");
        let written = self.input.write_all(line.as_bytes()).await;
        written.map_err(|e| format!("the tool server is gone: {e}"))
    }
}

fn broken(method: &str, what: &Value) -> String {
    format!("the tool server broke its protocol at {method}: {what}")
}
