//! A plugin to copy: a channel, a tool, a service and an action, on a platform that fits in memory.
//!
//! ```
//! use std::sync::Arc;
//!
//! use kata_example::{Board, BoardPlugin};
//! use kata_plugin::Plugins;
//!
//! let plugins = Plugins::new([Arc::new(BoardPlugin::new(Board::default())) as _])?;
//! assert!(plugins.registrar().channel("board").is_some());
//! # Ok::<(), kata_plugin::RegistrationError>(())
//! ```
//!
//! It refuses to know the daemon.

mod board;
mod channel;
mod service;
#[cfg(test)]
mod tests;
mod tool;

use std::sync::Arc;

use async_trait::async_trait;
use kata_plugin::{
    ActionContext, ActionError, ChannelKind, Plugin, Registrar, RegistrationError, Service, ServiceSpec,
};
use serde_json::{Value, json};

pub use crate::board::{Board, Line};
use crate::{channel::BoardAdapter, service::Count};

const ID: &str = "kata-board";

/// Brings a notice board.
#[derive(Clone, Debug)]
pub struct BoardPlugin {
    board: Board,
}

// === impl BoardPlugin ===

impl BoardPlugin {
    /// Its channels, tool and services share `board`.
    #[must_use]
    pub fn new(board: Board) -> Self {
        Self { board }
    }
}

#[async_trait]
impl Plugin for BoardPlugin {
    fn id(&self) -> &'static str {
        ID
    }

    fn name(&self) -> &'static str {
        "Notice board"
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn register(&self, to: &mut Registrar) -> Result<(), RegistrationError> {
        let board = self.board.clone();
        to.register_channel(ChannelKind {
            adapter: "board",
            plugin: ID,
            endpoint_variable: None,
            make: Arc::new(move |context| Ok(Arc::new(BoardAdapter::new(board.clone(), context)))),
        })?;
        to.register_tool(ID, tool::read(self.board.clone()))?;
        let board = self.board.clone();
        to.register_service(
            ID,
            ServiceSpec {
                name: "board_count",
                make: Arc::new(move || Arc::new(Count::new(board.clone())) as Arc<dyn Service>),
            },
        )
    }

    fn actions(&self) -> &'static [&'static str] {
        &["count"]
    }

    async fn action(&self, context: &ActionContext, action: &str, _: Value) -> Result<Value, ActionError> {
        match action {
            "count" => {
                let count = context.state.get(service::COUNT).await;
                let count = count.map_err(|error| ActionError::Failed(error.to_string()))?;
                Ok(json!({"lines": count}))
            }
            other => Err(ActionError::unknown(ID, other, self.actions())),
        }
    }
}
