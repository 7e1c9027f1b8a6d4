//! Gmail for the Kata daemon: mail threads as conversations that an agent reads and drafts in, behind kata-channel's adapter
//! contract.
//!
//! Mail comes by reading the mailbox's history; an answer becomes a draft in its thread, or a mail to recipients whom the
//! configuration names. Nothing is ever deleted. Everything in a mail is somebody's text, and its sender is who Google found
//! him to be, not who the mail says: mail carries no notices, takes no approvals and knows no chat commands.
//!
//! This crate refuses to know: sessions, the store, the host, when to retry. It says what an error *is*.
//!
//! ```
//! use kata_plugin::{Plugin, Registrar};
//!
//! let mut registrar = Registrar::new();
//! kata_gmail::GmailPlugin::new(Ok(None)).register(&mut registrar)?;
//! assert_eq!(registrar.channel("gmail").map(|kind| kind.plugin), Some("kata-gmail"));
//! # Ok::<(), kata_plugin::RegistrationError>(())
//! ```

mod adapter;
mod api;
mod cursor;
mod desk;
mod endpoint;
mod errors;
mod mail;
mod mailbox;
mod markup;
pub mod oauth;
mod plugin;
mod registry;
mod service;
mod tools;

pub use plugin::GmailPlugin;
