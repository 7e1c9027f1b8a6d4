//! Agent runs as a tower service: a [`Turn`] goes in, a [`Reply`] comes out.
//!
//! Who thinks about it is the back end's affair: [`Host`] hands the turn to whoever started the daemon,
//! [`AcpAgent`] speaks the Agent Client Protocol with a program that it keeps between turns, [`CommandAgent`] starts a
//! program for each turn, [`Echo`] says what it was told; [`AgentRun`] is one of them. [`TurnGateLayer`] and
//! [`TurnDeadlineLayer`] stand around it in the TURN stack. Programs are started behind a [`guard`], which ends them when
//! the daemon is killed.
//!
//! What the Agent Client Protocol cannot carry: why a call is refused. An agent that speaks it hears of a question that
//! nobody answered in time as of a "no" for this once; the reason goes along as `_meta.kata`, and stands on the card in
//! the conversation. Over MCP an agent is told in words.
//!
//! A run is ended by dropping its future, whatever the reason: deadline, cancellation, shutdown. Each back end
//! cleans up after that on its own.
//!
//! This crate refuses to know: the wire to the host, platforms, where turns come from and what becomes of answers,
//! how often a failed turn is tried again.
//!
//! ```
//! use kata_agent::{AgentRun, Echo, Turn, TurnDeadlineLayer};
//! use kata_perm::Role;
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), kata_agent::Error> {
//! let agent = ServiceBuilder::new()
//!     .layer(TurnDeadlineLayer::new(std::time::Duration::from_secs(60)))
//!     .service(AgentRun::Echo(Echo));
//! let turn = Turn { content: "hello".into(), ..Turn::new(1, "ws_1", "work", "daemon-work-3e5c096c9589", Role::Member) };
//! assert_eq!(agent.oneshot(turn).await?.text, "hello");
//! # Ok(())
//! # }
//! ```

mod acp;
mod command;
mod deadline;
mod directory;
mod echo;
mod error;
mod gate;
pub mod guard;
mod host;
mod process;
mod run;
mod stopwatch;
mod turn;

pub use acp::{AcpAgent, AcpAgents, AcpSettings, SessionMemory, ToolServer, ToolsFor};
pub use command::{CommandAgent, CommandSettings, Input, PASSED, environment};
pub use deadline::{TurnDeadline, TurnDeadlineLayer};
pub use echo::Echo;
pub use error::{AgentError, Error};
pub use gate::{Bind, Bound, Refused, TurnGate, TurnGateLayer};
pub use guard::Guard;
pub use host::{Host, HostTurn, classify_host_error};
pub use run::AgentRun;
pub use stopwatch::{Hold, Stopwatch};
pub use turn::{Reply, Seed, Turn};
