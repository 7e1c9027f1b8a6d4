//! What an agent writes to stderr: into the log, as much as a log can take, and the end of it into the error if it dies.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

use crate::process::Tail;

/// The longest line in the log, in characters.
const MAX_LINE: usize = 500;

/// So many lines in a minute; of the others the number is told.
const MAX_LINES: u32 = 60;

const MINUTE: Duration = Duration::from_secs(60);

/// The end of what was written.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    tail: Mutex<Tail>,
    /// There will be no more.
    ended: CancellationToken,
}

/// Turns what is written into lines for the log.
#[derive(Debug)]
struct Log {
    program: String,
    line: Vec<u8>,
    since: Instant,
    written: u32,
    dropped: u32,
}

// === impl Complaints ===

impl Complaints {
    /// Listens until the agent closes its stderr.
    pub(super) async fn listen(&self, mut stderr: impl AsyncRead + Unpin, program: String) {
        let mut log = Log::new(program);
        let mut buffer = vec![0; 4 * 1024];
        while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
            self.tail().push(&buffer[..read]);
            log.take(&buffer[..read]);
        }
        log.end();
        self.ended.cancel();
    }

    /// Returns once the agent has closed its stderr.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub(super) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// The last line, fit to be shown.
    pub(super) fn last_line(&self) -> String {
        self.tail().last_line()
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Log ===

impl Log {
    fn new(program: String) -> Self {
        Self {
            program,
            line: Vec::new(),
            since: Instant::now(),
            written: 0,
            dropped: 0,
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match byte {
                b'\n' => self.write(),
                // Four bytes are one character at most.
                _ if self.line.len() < 4 * MAX_LINE => self.line.push(byte),
                _ => {}
            }
        }
    }

    fn end(mut self) {
        self.write();
        self.tell_dropped();
    }

    fn write(&mut self) {
        let line = std::mem::take(&mut self.line);
        if let Some(text) = self.admit(&line) {
            tracing::info!(program = self.program, "agent: {text}");
        }
    }

    /// The line as the log shows it, unless there are too many.
    fn admit(&mut self, line: &[u8]) -> Option<String> {
        let text = String::from_utf8_lossy(line);
        let text: String = text
            .trim()
            .chars()
            .filter(|c| !c.is_control())
            .take(MAX_LINE)
            .collect();
        if text.is_empty() {
            return None;
        }
        if self.since.elapsed() >= MINUTE {
            self.tell_dropped();
            (self.since, self.written) = (Instant::now(), 0);
        }
        if self.written == MAX_LINES {
            self.dropped += 1;
            return None;
        }
        self.written += 1;
        Some(text)
    }

    fn tell_dropped(&mut self) {
        let dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 {
            tracing::info!(program = self.program, "agent: {dropped} more lines on stderr");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_lines_is_counted_and_a_minute_later_heard_again() {
        let mut log = Log::new("agent".into());
        let heard = (0..1000).filter(|_| log.admit(b"trouble").is_some()).count();
        assert_eq!((heard, log.dropped), (60, 940));
        tokio::time::advance(MINUTE).await;
        assert_eq!(log.admit(b" more\x1b[0m "), Some("more[0m".into()));
        assert_eq!(log.dropped, 0);
    }

    #[tokio::test]
    async fn a_line_without_end_is_cut_and_the_last_one_is_remembered() {
        let mut written = vec![b'x'; 1024 * 1024];
        written.extend_from_slice(b"\nno key is set\n");
        let complaints = Complaints::default();
        complaints.listen(&*written, "agent".into()).await;
        assert_eq!(complaints.last_line(), "no key is set");
        let mut log = Log::new("agent".into());
        log.take(&written[..1024 * 1024]);
        assert!(log.line.len() <= 4 * MAX_LINE);
    }
}
