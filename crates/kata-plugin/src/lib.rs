//! The plugin contract: one crate a platform brings channels, tools and services into the daemon through a [`Registrar`].
//! First-party only, compiled in, enabled per workspace.
//!
//! Beside the contract stand the layers by which the five hooks see what passes, what every tool call passes besides (the
//! [`layer`]s of the TOOL stack), and the [`mcp`] face that tools show to agents.
//!
//! ```
//! use std::sync::Arc;
//!
//! use kata_channel::{ChannelKey, Place};
//! use kata_plugin::{
//!     Registrar, SideEffect, Tool, ToolCall, ToolContext, ToolDefault, ToolEffect, ToolError, ToolOutput, ToolSpec, Tools,
//!     ValidateLayer,
//! };
//! use serde_json::{Value, json};
//! use tower::{ServiceBuilder, ServiceExt as _};
//!
//! struct Topic;
//!
//! #[async_trait::async_trait]
//! impl Tool for Topic {
//!     async fn call(&self, context: &ToolContext, _: Value) -> Result<ToolOutput, ToolError> {
//!         Ok(ToolOutput::json(json!({"topic": format!("the talk in {}", context.place.conversation)})))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let mut registrar = Registrar::new();
//! registrar.register_tool("kata-irc", ToolSpec {
//!     name: "irc_topic",
//!     description: "Says what a channel is about.",
//!     input: json!({"type": "object", "additionalProperties": false}),
//!     default: ToolDefault::Allow,
//!     effects: &[ToolEffect::Reads],
//!     side_effect: SideEffect::None,
//!     handler: Arc::new(Topic),
//! })?;
//!
//! let tools = registrar.tool_set(|plugin| plugin == "kata-irc");
//! let place = Place::conversation("#rust");
//! let context = ToolContext::new(ChannelKey::new("ws-1", "irc"), place, "daemon-irc-1");
//! let stack = ServiceBuilder::new()
//!     .layer(ValidateLayer::new(tools.clone()))
//!     .service(Tools::new(tools, Arc::new(context)));
//!
//! let said = stack.clone().oneshot(ToolCall::new("irc_topic", json!({}))).await?;
//! assert_eq!(said.content, json!({"topic": "the talk in #rust"}));
//! let refused = stack.oneshot(ToolCall::new("irc_topic", json!({"channel": "#go"}))).await;
//! assert!(refused.is_err());
//! # Ok(())
//! # }
//! ```
//!
//! This crate refuses to know: the wire to the host, the store, which plugins exist, who may call what.

mod action;
mod announce;
mod channel;
mod hook;
pub mod layer;
pub mod mcp;
mod plugin;
mod registered;
mod registrar;
#[cfg(test)]
mod sample;
mod schema;
mod service;
mod state;
mod tool;

pub use action::{ActionContext, ActionError, act};
pub use announce::{
    Announcements, Announcer, MessageReceivedLayer, MessageReceivedService, SessionStartLayer,
    SessionStartService, Stored,
};
pub use channel::{ChannelContext, ChannelFactory, ChannelKind, SetupError};
pub use hook::{
    AfterToolCall, AfterToolCallHooks, Before, BeforeToolCall, BeforeToolCallHooks, Draft, Hook,
    MessageReceived, MessageSending, MessageSendingHooks, Outcome, Received, Sending, Session, SessionStart,
};
pub use kata_perm::{ToolCall, ToolDefault};
pub use layer::{
    AfterToolCallLayer, BeforeToolCallLayer, BoundLayer, MessageSendingLayer, ToolLimitLayer,
    ToolTimeoutLayer, Tools, ValidateLayer, Withheld,
};
pub use plugin::{Plugin, Plugins};
pub use registered::{RegisteredTool, ToolSet};
pub use registrar::{Registrar, RegistrationError};
pub use schema::{Misfit, SchemaError};
pub use service::{
    Health, RegisteredService, Service, ServiceContext, ServiceEnd, ServiceFactory, ServiceSpec,
    ServiceState, ServiceStatus, Supervision, Supervisor,
};
pub use state::{MemoryState, PluginState, StateError, StateStore};
pub use tool::{SideEffect, Tool, ToolContext, ToolEffect, ToolError, ToolOutput, ToolSpec};
