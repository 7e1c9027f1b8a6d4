//! What a host has to do with tool calls: it is told of verdicts and questions, and may decide.

use serde_json::{Value, json};

use super::FakeHost;
use crate::WORKSPACE;

/// # Tool calls
impl FakeHost {
    /// Waits for the next question after a [`mark`](Self::mark): `approval_requested`.
    pub async fn wait_approval(&self, mark: usize) -> Value {
        self.wait_event_since(mark, "a question", |e| e["type"] == "approval_requested")
            .await
    }

    /// Waits until a question is closed: `approval_resolved`.
    pub async fn wait_resolved(&self, approval: &Value) -> Value {
        let id = &approval["approvalId"];
        self.wait_event(&format!("the end of question {id}"), |e| {
            e["type"] == "approval_resolved" && e["approvalId"] == *id
        })
        .await
    }

    /// Waits for a verdict on a tool after a [`mark`](Self::mark): `tool_call`.
    pub async fn wait_verdict(&self, mark: usize, tool: &str, verdict: &str) -> Value {
        self.wait_event_since(mark, &format!("{tool}: {verdict}"), |e| {
            e["type"] == "tool_call" && e["tool"] == tool && e["verdict"] == verdict
        })
        .await
    }

    /// Answers a question: `allow_once`, `allow_1h` or `deny`. Gives the `result`.
    pub async fn resolve(&self, approval: &Value, decision: &str) -> Value {
        let id = &approval["approvalId"];
        self.request(json!({"type": "resolve_approval", "approvalId": id, "decision": decision}))
            .await
    }

    /// Asks for a verdict as a host does that runs the agent itself; gives the verdict.
    ///
    /// `turn` is the row of the turn that wants to call, where there is one.
    pub async fn check_tool(&self, turn: Option<i64>, tool: &str, input: Value) -> Value {
        let command = json!({
            "type": "check_tool", "workspaceId": WORKSPACE, "messageId": turn, "tool": tool, "input": input,
        });
        let result = self.request(command).await;
        assert_eq!(result["ok"], true, "{result}");
        result["data"].clone()
    }

    /// Calls a plugin's tool for a session; gives the `result`.
    pub async fn call_tool(&self, session_key: &str, tool: &str, input: Value) -> Value {
        self.request(json!({
            "type": "call_tool", "sessionKey": session_key, "tool": tool, "input": input,
        }))
        .await
    }
}
