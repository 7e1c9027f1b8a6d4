//! To the host: events to bytes, on a thread of their own.

use crate::{Outgoing, codec};
use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};
use tokio::sync::{
    mpsc::{self, error::TrySendError},
    oneshot,
};

/// Events that may wait before their senders have to.
const WAITING: usize = 256;

/// Events that wait are written together, up to about so many bytes.
const BATCH_BYTES: usize = 64 * 1024;

/// Writes events to `output` until every [`EventSender`] is dropped, or `output` fails.
///
/// # Errors
/// The operating system gives no thread.
pub fn spawn_writer(output: impl Write + Send + 'static) -> io::Result<(EventSender, Writer)> {
    let (sender, events) = mpsc::channel(WAITING);
    let (end, ended) = oneshot::channel();
    let progress = Progress::default();
    let thread_progress = progress.clone();
    thread::Builder::new().name("ipc-write".into()).spawn(move || {
        let outcome = write_all(output, events, &thread_progress);
        // Who did not join does not want to know.
        let _ = end.send(outcome);
    })?;
    Ok((EventSender(sender), Writer { ended, progress }))
}

/// Hands events to the writer. Clones share its queue; when the last one is dropped, the writer finishes.
#[derive(Clone, Debug)]
pub struct EventSender(mpsc::Sender<Outgoing>);

/// Nobody reads the events any more: stdout is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stdout is closed")]
pub struct Closed;

/// An event that may be dropped was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// The host is behind.
    #[error("the host is behind with reading")]
    Full,
    /// Nobody reads the events any more.
    #[error("stdout is closed")]
    Closed,
}

impl EventSender {
    /// Queues an event. Waits while the host is behind, so that we slow down and do not grow.
    ///
    /// # Cancel safety
    /// Dropped before it is done, the event is not sent. Events of one sender keep their order.
    ///
    /// # Errors
    /// Stdout is broken.
    pub async fn send(&self, event: impl Into<Outgoing>) -> Result<(), Closed> {
        self.0.send(event.into()).await.map_err(|_| Closed)
    }

    /// Queues an event that the host can do without, if there is room.
    ///
    /// # Errors
    /// The host is behind, or stdout is broken.
    pub fn try_send(&self, event: impl Into<Outgoing>) -> Result<(), NotSent> {
        self.0.try_send(event.into()).map_err(|error| match error {
            TrySendError::Full(_) => NotSent::Full,
            TrySendError::Closed(_) => NotSent::Closed,
        })
    }

    /// Waits until stdout is broken.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn closed(&self) {
        self.0.closed().await;
    }
}

/// The writer's thread.
#[derive(Debug)]
pub struct Writer {
    ended: oneshot::Receiver<io::Result<()>>,
    progress: Progress,
}

/// Not every event reached the host.
#[derive(Debug, thiserror::Error)]
pub enum Unfinished {
    /// The host does not read, or a sender is still alive.
    #[error("stdout was not taken in time")]
    Late,
    /// The host is gone.
    #[error("stdout is closed")]
    Broken(#[source] io::Error),
}

impl Writer {
    /// Whether the host reads. For a watchdog; outlives the writer.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Waits until every event is written, which takes that every [`EventSender`] was dropped.
    ///
    /// # Cancel safety
    /// Dropped before it is done, the thread goes on.
    ///
    /// # Errors
    /// It takes longer than `limit`, or stdout is broken.
    pub async fn join(self, limit: Duration) -> Result<(), Unfinished> {
        match tokio::time::timeout(limit, self.ended).await {
            Err(_) => Err(Unfinished::Late),
            Ok(Ok(outcome)) => outcome.map_err(Unfinished::Broken),
            Ok(Err(_)) => Err(Unfinished::Broken(io::Error::other(
                "the writer's thread panicked",
            ))),
        }
    }
}

/// Whether the host reads.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Mutex<Option<Instant>>>);

impl Progress {
    /// How long the present write has been waiting for the host; none while nothing waits. Each write that moves
    /// a byte starts anew. Time awake.
    #[must_use]
    pub fn stalled_for(&self) -> Option<Duration> {
        self.since().map(|since| since.elapsed())
    }

    fn since(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something that waits for the host.
    fn during<T>(&self, wait: impl FnOnce() -> T) -> T {
        let mark = |since| *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since;
        mark(Some(Instant::now()));
        let outcome = wait();
        mark(None);
        outcome
    }
}

/// Writes what is there and never waits for more: a batch is what queued up during the write before.
fn write_all(
    mut output: impl Write,
    mut events: mpsc::Receiver<Outgoing>,
    progress: &Progress,
) -> io::Result<()> {
    let mut batch = Vec::new();
    while let Some(event) = events.blocking_recv() {
        codec::encode(&event, &mut batch);
        while batch.len() < BATCH_BYTES
            && let Ok(event) = events.try_recv()
        {
            codec::encode(&event, &mut batch);
        }
        write_batch(&mut output, &batch, progress)?;
        batch.clear();
        batch.shrink_to(2 * BATCH_BYTES);
    }
    Ok(())
}

/// `Write::write_all`, told step by step: a host that reads slowly is not one that does not read.
fn write_batch(output: &mut impl Write, mut batch: &[u8], progress: &Progress) -> io::Result<()> {
    while !batch.is_empty() {
        match progress.during(|| output.write(batch)) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => batch = &batch[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    progress.during(|| output.flush())
}
