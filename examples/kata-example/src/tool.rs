//! A tool by which the agent reads the board.

use std::sync::Arc;

use async_trait::async_trait;
use kata_plugin::{SideEffect, Tool, ToolContext, ToolDefault, ToolEffect, ToolError, ToolOutput, ToolSpec};
use serde_json::{Value, json};

use crate::Board;

/// Reads the newest lines.
struct Read(Board);

/// `board_read {limit}`.
pub(crate) fn read(board: Board) -> ToolSpec {
    ToolSpec {
        name: "board_read",
        description: "Reads the newest lines of the notice board, oldest first.",
        input: json!({
            "type": "object",
            "properties": {"limit": {"type": "integer", "minimum": 1, "maximum": 50}},
            "required": ["limit"],
            "additionalProperties": false,
        }),
        default: ToolDefault::Allow, // it only reads
        effects: &[ToolEffect::Reads],
        side_effect: SideEffect::None,
        handler: Arc::new(Read(board)),
    }
}

#[async_trait]
impl Tool for Read {
    async fn call(&self, _: &ToolContext, input: Value) -> Result<ToolOutput, ToolError> {
        // The schema was checked: there is a limit, and it is a small number.
        let limit = input["limit"].as_u64().map_or(1, |limit| limit as usize);
        let lines = self.0.lines();
        let newest = &lines[lines.len().saturating_sub(limit)..];
        Ok(ToolOutput::json(json!({ "lines": newest })))
    }
}
