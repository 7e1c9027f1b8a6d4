//! Slack for the Kata daemon: the Web API and Socket Mode behind kata-channel's adapter contract.
//!
//! Messages come by Socket Mode where there is an app-level token, and by reading history where there is none;
//! history is the truth in both cases. Answers go out by `chat.postMessage` with an idempotency key in the
//! message's metadata, so that an unknown outcome can be read back, or by a slash command's `response_url`.
//!
//! A question has buttons; a press of one comes back as a message. Tools let an agent post blocks, react, read a thread and
//! search, in the conversations that its channel is configured for.
//!
//! One socket serves all channels that share an app-level token, one rate meter all that share a bot token (D5).
//!
//! This crate refuses to know: sessions, the store, the host, when to retry. It says what an error *is*.
//!
//! ```
//! use kata_plugin::{Plugin, Registrar};
//!
//! let mut registrar = Registrar::new();
//! kata_slack::SlackPlugin::new().register(&mut registrar)?;
//! assert_eq!(registrar.channel("slack").map(|kind| kind.plugin), Some("kata-slack"));
//! # Ok::<(), kata_plugin::RegistrationError>(())
//! ```

mod account;
mod adapter;
mod endpoint;
mod errors;
mod mrkdwn;
mod names;
mod plugin;
mod read;
mod registry;
mod scopes;
mod socket;
mod tools;
mod ts;
mod web;

pub use plugin::SlackPlugin;
