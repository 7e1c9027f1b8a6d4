//! Writing what must be written: a full disk must not cost an answer, nor what became of one.

use std::time::Duration;

use kata_store::StoreError;

use super::Daemon;

/// How often it is tried again while the store cannot write.
const AGAIN: Duration = Duration::from_secs(1);

impl Daemon {
    /// Writes until it is written. `None` once the store is closed; what was not written then is found open at the
    /// next start.
    ///
    /// # Cancel safety
    /// Every write of the store may be repeated, so dropping this and calling it again is harmless.
    pub(crate) async fn persist<T, F>(&self, doing: &'static str, mut write: impl FnMut() -> F) -> Option<T>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        loop {
            match write().await {
                Ok(done) => return Some(done),
                Err(StoreError::Closed) => return None,
                Err(error) => self.store_failed(doing, &error),
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// The store refused something. A damaged database ends the daemon: the next one looks at the whole file and sets
    /// it aside if it must. All else may pass.
    pub(crate) fn store_failed(&self, doing: &'static str, error: &StoreError) {
        match error {
            StoreError::Closed => {}
            StoreError::Damaged(_) => {
                tracing::error!(error = %crate::open::sentence(error), doing, "draining");
                self.stopping.cancel();
            }
            error => tracing::error!(error = %crate::open::sentence(error), doing, "tried again later"),
        }
    }
}
