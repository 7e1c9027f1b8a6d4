//! Logs: to stderr and to `logs/katad.log`, never in the way of the daemon, never with a secret.

mod rotate;

use std::{io, path::Path};

use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    EnvFilter, Layer, filter::Directive, fmt, layer::SubscriberExt, util::SubscriberInitExt,
};

use self::rotate::RotatingFile;
use crate::home::LogConfig;

/// Flushes what is buffered when it is dropped.
#[derive(Debug)]
pub(crate) struct LogGuard {
    _stderr: Option<WorkerGuard>,
    _file: Option<WorkerGuard>,
}

/// Libraries whose log lines show tokens, ticket URLs or whole payloads.
const MUTED: [&str; 6] = [
    "slack_morphism=off",
    "yup_oauth2=off",
    "serenity=warn",
    "tungstenite=warn",
    "tokio_tungstenite=warn",
    "hyper_util=warn",
];

/// A line that cannot be written at once waits in a queue of this length; beyond it, lines are dropped: stderr never
/// blocks the daemon.
const QUEUE: usize = 4096;

/// Logs to stderr, and to a file in `dir` if there is one.
pub(crate) fn init(config: &LogConfig, dir: Option<&Path>) -> LogGuard {
    start(config, dir, Some(io::stderr()))
}

/// Logs to a file in `dir` alone: the terminal belongs to somebody else.
pub(crate) fn init_file_only(config: &LogConfig, dir: &Path) -> LogGuard {
    start(config, Some(dir), None)
}

fn start(config: &LogConfig, dir: Option<&Path>, stderr: Option<io::Stderr>) -> LogGuard {
    let file = dir
        .and_then(|dir| RotatingFile::open(dir.join("katad.log"), config.files, config.megabytes << 20).ok());
    let (stderr, stderr_guard) = stderr.map(lossy).unzip();
    let (file, file_guard) = file.map(lossy).unzip();
    let stderr = stderr.map(|w| {
        fmt::layer()
            .with_writer(w)
            .with_ansi(false)
            .with_filter(filter(&config.level))
    });
    let file = file.map(|w| {
        fmt::layer()
            .with_writer(w)
            .with_ansi(false)
            .with_filter(filter(&config.level))
    });
    // Only a second call in one process fails, and then the first subscriber goes on.
    let _ = tracing_subscriber::registry().with(stderr).with(file).try_init();
    LogGuard {
        _stderr: stderr_guard,
        _file: file_guard,
    }
}

fn lossy<W: io::Write + Send + 'static>(to: W) -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(QUEUE)
        .finish(to)
}

fn filter(level: &str) -> EnvFilter {
    let base = EnvFilter::builder()
        .parse(level)
        .unwrap_or_else(|_| EnvFilter::new("info"));
    MUTED
        .iter()
        .filter_map(|d| d.parse::<Directive>().ok())
        .fold(base, EnvFilter::add_directive)
}
