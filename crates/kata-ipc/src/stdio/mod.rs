//! The pipes. One thread reads, one writes; bounded channels stand between them and the rest.
//!
//! Threads, not asynchronous tasks: a read of stdin cannot be cancelled, and would keep a runtime from ending.

mod reader;
mod writer;

pub use reader::{Incoming, spawn_reader};
pub use writer::{Closed, EventSender, NotSent, Progress, Unfinished, Writer, spawn_writer};
