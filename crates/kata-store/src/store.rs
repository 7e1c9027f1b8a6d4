//! The handle: an operation sends a closure to the writer thread or borrows a reader.

use std::{
    fmt,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

use deadpool_sqlite::{InteractError, Pool};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{OpenError, OpenOptions, Opened, Room, StoreError, job::Call, tx::Tx, writer::Message};

/// A handle on the database. Cloning gives another handle on the same one.
///
/// # Cancel safety
/// Every operation is one transaction. Dropping its future either keeps the transaction from being begun or leaves it
/// to run to its end; it never leaves half of it. Repeating an operation is safe. The two claims are the exception: they
/// hand out a lease, and say so themselves.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) queue: mpsc::Sender<Message>,
    pub(crate) closing: AtomicBool,
    pub(crate) thread: Mutex<Option<JoinHandle<()>>>,
    pub(crate) readers: Pool,
    pub(crate) work: watch::Receiver<u64>,
    pub(crate) out: watch::Receiver<u64>,
    pub(crate) tasks: watch::Receiver<u64>,
    pub(crate) room: watch::Receiver<Room>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Store {
    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    pub(crate) fn from_inner(inner: Inner) -> Self {
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Opens the database at `path`, or makes it. Blocks, but not for long: the backlog is not read. Claims that an
    /// earlier process left open are counted as failed attempts (D11), attempts to send as of unknown outcome (D20).
    ///
    /// # Errors
    /// When the file cannot be made or read, is locked, or was written by a later version. A damaged file is no error:
    /// it is set aside, and [`Opened`] says so.
    pub fn open(path: &Path, options: OpenOptions) -> Result<Opened, OpenError> {
        crate::open::open(path, options)
    }

    /// Refuses later writes, finishes the queued ones, moves the log into the file and ends the writer thread.
    ///
    /// # Errors
    /// When the store was closed before, or the log could not be moved; it is then moved by the next opening.
    pub async fn close(&self) -> Result<(), StoreError> {
        if self.inner.closing.swap(true, Ordering::AcqRel) {
            return Err(StoreError::Closed);
        }
        self.inner.readers.close();
        let closed = self.ask(Message::Close).await;
        let thread = self
            .inner
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // The thread has answered as the last thing it does, so this does not block.
        if let Some(Err(_)) = thread.map(JoinHandle::join) {
            tracing::error!("the writer thread panicked");
        }
        closed
    }

    /// Sends a question to the writer and awaits the answer.
    pub(crate) async fn ask<T>(
        &self,
        message: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Message,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.inner
            .queue
            .send(message(reply))
            .await
            .map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Runs `work` in a transaction of the writer.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        if self.inner.closing.load(Ordering::Acquire) {
            return Err(StoreError::Closed);
        }
        let (job, answer) = Call::boxed(name, work);
        self.inner
            .queue
            .send(Message::Work(job))
            .await
            .map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Runs `work` on a reader.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let reader = self.inner.readers.get().await?;
        reader
            .interact(move |conn| work(conn))
            .await
            .map_err(|error| match error {
                InteractError::Panic(_) => StoreError::Panicked,
                InteractError::Cancelled => StoreError::Closed,
            })?
    }
}
