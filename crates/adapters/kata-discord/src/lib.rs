//! Discord for the Kata daemon: the REST API and the gateway behind kata-channel's adapter contract.
//!
//! Messages come by the gateway as they are written; history is the truth, and is read after every connection, resumed or not. Answers go
//! out by Create Message with their key as an enforced nonce, or as the answer to a slash command while its token lives.
//!
//! A question has buttons; a press of one comes back as a message. Tools let an agent post an embed, react, read history and
//! open a thread, in the channels that its channel is configured for.
//!
//! One socket and one set of rate-limit buckets serve all channels that share a bot token (D5).
//!
//! This crate refuses to know: sessions, the store, the host, when to retry. It says what an error *is*.
//!
//! ```
//! use kata_plugin::{Plugin, Registrar};
//!
//! let mut registrar = Registrar::new();
//! kata_discord::DiscordPlugin::new().register(&mut registrar)?;
//! assert_eq!(registrar.channel("discord").map(|kind| kind.plugin), Some("kata-discord"));
//! # Ok::<(), kata_plugin::RegistrationError>(())
//! ```

mod account;
mod adapter;
mod atlas;
mod commands;
mod endpoint;
mod errors;
mod gateway;
mod markup;
mod plugin;
mod read;
mod registry;
mod rest;
mod snowflake;
mod tools;

pub use plugin::DiscordPlugin;
