//! An agent of our own that speaks the Agent Client Protocol: the program `fake-acp`.
//!
//! It is written from the protocol's documentation (<https://agentclientprotocol.com>) and its published schema, with
//! JSON-RPC by hand, so that it checks katad's client rather than mirrors the library that the client is made with. A
//! client that breaks the protocol (a message that does not fit the schema, a call before `initialize`, `session/load`
//! where that was not offered, a second prompt in an open turn, an answer to nothing) ends it with one line on stderr.
//!
//! What it does is in its prompt: lines `do: STEP`, as `fake-acp --help` lists them. Without any it says what it was
//! told, so that it can be used by hand:
//!
//! ```
//! use kata_testkit::acp::{End, Options, serve};
//! use tokio::io::AsyncReadExt;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let input = concat!(
//!     r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":1}}"#, "\n",
//!     r#"{"jsonrpc":"2.0","id":1,"method":"session/new","params":{"cwd":"/tmp","mcpServers":[]}}"#, "\n",
//! );
//! let (output, mut said) = tokio::io::duplex(1 << 16);
//! let end = serve(Options::default(), input.as_bytes(), output).await;
//! assert_eq!(end, End::Closed);
//! let mut lines = String::new();
//! said.read_to_string(&mut lines).await.unwrap();
//! assert!(lines.contains("sessionId"));
//! # }
//! ```

mod agent;
mod brood;
mod client;
mod flood;
mod line;
mod mcp;
mod options;
mod permission;
mod prompt;
mod schema;
mod script;
mod session;
mod turn;

#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::{
    io::{AsyncBufRead, AsyncWrite},
    time::sleep,
};

pub use options::Options;

use agent::Agent;
use client::Client;

/// Why an agent ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The client closed our input.
    Closed,
    /// It was told to crash with this exit code.
    Crash(i32),
    /// The client broke the protocol, in this way.
    Broken(String),
}

/// Is an agent, until the client goes or breaks the protocol.
pub async fn serve(
    options: Options,
    input: impl AsyncBufRead + Unpin,
    output: impl AsyncWrite + Send + Unpin + 'static,
) -> End {
    sleep(Duration::from_millis(options.start_delay_ms)).await;
    let client = Client::new(output, options.uuid_ids);
    Agent::new(options, client).serve(input).await
}
