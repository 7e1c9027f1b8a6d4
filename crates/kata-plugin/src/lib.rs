//! The plugin contract: one crate a platform brings channels (later also tools and services) into the daemon
//! through a [`Registrar`]. First-party only, compiled in, enabled per workspace.
//!
//! This crate refuses to know: the wire, the store, which plugins exist.

mod channel;
mod hook;
mod registrar;

pub use channel::{ChannelContext, ChannelFactory, SetupError};
pub use hook::{Draft, MessageSending, MessageSendingHooks, Sending};
pub use registrar::{ChannelKind, Plugin, Registrar, RegistrationError};
