//! Everything that `katad` talks to, as a double that behaves like the original: the end-to-end tests drive the real
//! binary between a fake platform and a fake host.
//!
//! * [`slack::FakeSlack`] speaks Slack's Web API and Socket Mode over loopback, written from Slack's documentation and
//!   checked against its published schemas, with faults that tests script.
//! * [`discord::FakeDiscord`] speaks Discord's HTTP API and gateway in the same way.
//! * [`gmail::FakeGmail`] is a mailbox behind the Gmail API, with Google's token endpoint, held against Google's discovery
//!   document.
//! * [`acp`] is an agent that speaks the Agent Client Protocol, written from its schema; the program `fake-acp` runs it.
//! * [`host::FakeHost`] spawns a daemon and talks to it over its pipes as the desktop app does.
//!
//! The library knows nothing of katad's crates, so that a mistake in one of them cannot hide in its double.
//!
//! Waits never sleep: each is woken by a change and gives up after [`PATIENCE`] with a dump of all that happened.

pub mod acp;
mod command;
pub mod discord;
pub mod gmail;
pub mod host;
mod orphans;
mod port;
pub mod slack;
mod stage;
mod wait;

pub use command::{Done, Katad, Served};
pub use orphans::no_orphans;
pub use stage::{BothStage, DiscordStage, Platform, SLUG, Stage, WORKSPACE};
pub use wait::PATIENCE;
