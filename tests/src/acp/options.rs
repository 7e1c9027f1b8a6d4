//! What a fake agent is told on its command line.

use std::path::PathBuf;

use clap::Parser;

use super::script::STEPS;

/// An agent that speaks the Agent Client Protocol on stdin and stdout, and does what its prompt says.
#[derive(Clone, Debug, Default, Parser)]
#[command(name = "fake-acp", after_help = STEPS)]
pub struct Options {
    /// It can load sessions: what was said is replayed.
    #[arg(long)]
    pub load: bool,
    /// It can resume sessions: nothing is replayed.
    #[arg(long)]
    pub resume: bool,
    /// Where sessions are kept. Without it they end with the process.
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// How long it takes to start, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub start_delay_ms: u64,
    /// Its requests have UUIDs as ids; without it integers.
    #[arg(long)]
    pub uuid_ids: bool,
    /// Models that it offers, the first of them in use.
    #[arg(long = "model", value_name = "NAME")]
    pub models: Vec<String>,
    /// Nobody is logged in: no session can be opened.
    #[arg(long)]
    pub needs_login: bool,
}
