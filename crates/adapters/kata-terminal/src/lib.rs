//! The terminal as a channel, for `katad chat`: what is typed is a message, what the agent answers is printed.
//!
//! It is an ordinary adapter behind an ordinary plugin, so that a chat goes through the very stacks that serve every other platform. It
//! reads and writes only what it was given, never the process's own standard streams.
//!
//! This crate refuses to know: which agent answers, where standard input is, when the program ends.
//!
//! ```
//! use kata_plugin::{Plugin, Registrar};
//! use kata_terminal::{Terminal, TerminalOptions, TerminalPlugin};
//!
//! let options = TerminalOptions { colour: false, interactive: false, user: "you".into() };
//! let terminal = Terminal::open(&b"hello\n"[..], Vec::new(), options)?;
//! let mut registrar = Registrar::new();
//! TerminalPlugin::new(terminal.clone()).register(&mut registrar)?;
//! assert!(registrar.channel(kata_terminal::ADAPTER).is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod adapter;
mod dialect;
mod input;
mod plugin;
mod screen;
mod terminal;
#[cfg(test)]
mod tests;

pub use plugin::{ADAPTER, TerminalPlugin};
pub use terminal::{Terminal, TerminalOptions};

/// The one conversation that a terminal has.
pub const CONVERSATION: &str = "terminal";

/// The id of whoever sits at it: name it among the workspace's owners, or it is a stranger (D27).
pub const SENDER: &str = "you";
