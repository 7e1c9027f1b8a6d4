//! Capacity for turns: at most N at once, over all channels (D9).

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::daemon::ledger::{Held, Ledger};

/// All slots.
#[derive(Clone, Debug)]
pub(crate) struct Slots {
    semaphore: Arc<Semaphore>,
    ledger: Ledger,
    max: usize,
}

/// One turn's slot. It can be given back before the turn ends (D12); the lane stays held by the claim.
#[derive(Clone, Debug)]
pub(crate) struct Slot(Arc<Mutex<Option<(OwnedSemaphorePermit, Held)>>>);

// === impl Slots ===

impl Slots {
    pub(crate) fn new(semaphore: Arc<Semaphore>, max: usize) -> Self {
        Self {
            semaphore,
            ledger: Ledger::default(),
            max,
        }
    }

    pub(crate) fn max(&self) -> usize {
        self.max
    }

    pub(crate) fn ledger(&self) -> Ledger {
        self.ledger.clone()
    }

    /// Waits for a free slot.
    ///
    /// # Cancel safety
    /// Cancel safe: the place in the queue is lost, nothing else.
    pub(crate) async fn acquire(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.semaphore)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed")
    }

    /// A slot if one is free.
    pub(crate) fn try_acquire(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.semaphore).try_acquire_owned().ok()
    }
}

// === impl Slot ===

impl Slot {
    pub(crate) fn new(permit: OwnedSemaphorePermit, held: Held) -> Self {
        Self(Arc::new(Mutex::new(Some((permit, held)))))
    }

    /// Lets another turn start. A second call does nothing.
    pub(crate) fn give_back(&self) {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}
