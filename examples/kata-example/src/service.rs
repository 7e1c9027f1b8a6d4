//! A service that counts the lines, and keeps the count over restarts.

use async_trait::async_trait;
use kata_plugin::{Service, ServiceContext};
use serde_json::json;

use crate::Board;

/// The key of the count in the plugin's state.
pub(crate) const COUNT: &str = "count";

/// Counts.
#[derive(Debug)]
pub(crate) struct Count {
    board: Board,
}

// === impl Count ===

impl Count {
    pub(crate) fn new(board: Board) -> Self {
        Self { board }
    }
}

#[async_trait]
impl Service for Count {
    async fn run(&self, context: ServiceContext) -> Result<(), String> {
        let mut lines = self.board.watch();
        loop {
            let count = lines.borrow_and_update().len();
            let kept = context.state.put(COUNT, json!(count)).await;
            kept.map_err(|error| error.to_string())?;
            tokio::select! {
                () = context.stop.cancelled() => return Ok(()),
                changed = lines.changed() => changed.map_err(|_| "the board is gone".to_owned())?,
            }
        }
    }
}
