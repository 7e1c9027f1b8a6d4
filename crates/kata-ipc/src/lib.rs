//! The wire between a Kata host and the daemon: one JSON object a line, commands in, events out.
//!
//! The host is whatever started the daemon: the Kata Agents desktop app, a test, a terminal. This crate is the
//! only implementation of that protocol. It has four parts:
//!
//! - the shapes: [`Request`] and [`Command`], [`Outgoing`] and [`Event`], with every field's name as it stands
//!   on the wire;
//! - the framing: [`codec::Decoder`] turns bytes into requests, [`codec::encode`] turns an event into a line;
//! - the pipes: [`stdio`] reads and writes them on threads of their own, with bounded channels between;
//! - the local [`socket`], by which the daemon's own tools reach it (Unix alone).
//!
//! **What it refuses to know:** channels, queues, agents, SQLite, the file system. Ids are plain strings and
//! integers here; the types that carry meaning live with their concerns, and the binary converts.
//! The one file it makes is the [`socket`]'s.
//!
//! **Invariant:** a line's contents never come back in an error, since a line may hold tokens: [`BadLine`] names
//! the line's `type` and `requestId` and the reason, never a value.
//!
//! ```
//! use kata_ipc::{Command, Event, Outgoing, codec, event::{DaemonStatus, StatusChanged}};
//!
//! let mut decoder = codec::Decoder::new(codec::LineLimit::default());
//! let mut bytes: &[u8] = b"{\"type\":\"health_check\",\"requestId\":\"r1\"}\nnot json\n";
//!
//! let request = decoder.decode(&mut bytes).expect("a line").expect("a command");
//! assert!(matches!(request.command, Command::HealthCheck));
//! let bad = decoder.decode(&mut bytes).expect("a line").expect_err("no JSON");
//! assert_eq!(bad.command_type, None);
//!
//! let mut line = Vec::new();
//! let status = StatusChanged {
//!     status: DaemonStatus::Running,
//!     error: None,
//!     version: "0.1.0".into(),
//!     protocol: kata_ipc::PROTOCOL,
//!     pid: 4711,
//!     capabilities: vec![],
//! };
//! codec::encode(&Outgoing { event: Event::StatusChanged(status), request_id: request.request_id }, &mut line);
//! assert!(line.starts_with(br#"{"type":"status_changed","status":"running""#) && line.ends_with(b"\n"));
//! ```

pub mod codec;
pub mod command;
pub mod config;
pub mod event;
mod field;
#[cfg(unix)]
pub mod socket;
pub mod stdio;

pub use codec::BadLine;
pub use command::{Command, Request};
pub use event::{Event, Outgoing};
pub use field::Mismatch;

/// The version of the protocol, as `status_changed.protocol` says it. Additions do not raise it.
pub const PROTOCOL: u32 = 1;
