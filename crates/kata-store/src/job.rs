//! One operation on its way through the writer thread: it runs in a savepoint, and is answered after the commit.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use crate::{StoreError, tx::Tx};

/// What the writer thread sees of an operation.
pub(crate) trait Job: Send {
    /// Its name in the kill points.
    fn name(&self) -> &'static str;
    /// Runs it. An error: its savepoint is to be rolled back.
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError>;
    /// Answers it: with its own result if the commit succeeded, else with why it did not.
    fn reply(self: Box<Self>, committed: Result<(), StoreError>);
}

/// An operation that is a closure.
pub(crate) struct Call<F, T> {
    name: &'static str,
    work: Option<F>,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Call<F, T>
where
    F: FnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    T: Send + 'static,
{
    pub(crate) fn boxed(
        name: &'static str,
        work: F,
    ) -> (Box<dyn Job>, oneshot::Receiver<Result<T, StoreError>>) {
        let (reply, answer) = oneshot::channel();
        (
            Box::new(Self {
                name,
                work: Some(work),
                result: None,
                reply,
            }),
            answer,
        )
    }
}

impl<F, T> Job for Call<F, T>
where
    F: FnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Send,
    T: Send,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let Some(work) = self.work.take() else {
            return Ok(());
        };
        // A caller's text function may panic; the writer must outlive it. The savepoint takes back what was half done.
        let result = catch_unwind(AssertUnwindSafe(|| work(tx))).unwrap_or(Err(StoreError::Panicked));
        let outcome = result.as_ref().map(|_| ()).map_err(Clone::clone);
        self.result = Some(result);
        outcome
    }

    fn reply(self: Box<Self>, committed: Result<(), StoreError>) {
        let result = match committed {
            Ok(()) => self.result.unwrap_or(Err(StoreError::Closed)),
            Err(error) => Err(error),
        };
        // Whoever asked may be gone; the work stands all the same.
        let _ = self.reply.send(result);
    }
}
