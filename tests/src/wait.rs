//! Waiting for a state without sleeping.

use std::{fmt, time::Duration};

use tokio::{sync::watch, time::timeout};

/// How long a wait lasts before it fails. Generous: a loaded machine is no failure.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A counter of changes that waits are woken by.
#[derive(Debug)]
pub(crate) struct Changes(watch::Sender<u64>);

impl Changes {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// Something changed.
    pub(crate) fn notify(&self) {
        self.0.send_modify(|n| *n = n.wrapping_add(1));
    }

    /// Waits until `probe` gives a value, looking again after each change.
    ///
    /// # Panics
    /// After `patience`, with `what` was waited for and the dump.
    pub(crate) async fn until<T, D: fmt::Display>(
        &self,
        patience: Duration,
        what: &str,
        mut probe: impl FnMut() -> Option<T>,
        dump: impl FnOnce() -> D,
    ) -> T {
        let mut changes = self.0.subscribe();
        let watched = async {
            loop {
                changes.borrow_and_update();
                if let Some(found) = probe() {
                    return found;
                }
                // The sender lives as long as `self`, which we borrow.
                changes.changed().await.expect("the sender is alive");
            }
        };
        match timeout(patience, watched).await {
            Ok(found) => found,
            Err(_) => panic!("waited {patience:?} for {what}\n{}", dump()),
        }
    }
}
