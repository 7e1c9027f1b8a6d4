//! The turns that are open in this process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

/// Cancels open turns by their row. Cloning gives another handle.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenTurns(Arc<Mutex<HashMap<i64, CancellationToken>>>);

/// Takes the turn off the list when it is dropped.
#[derive(Debug)]
pub(crate) struct Listed {
    turns: OpenTurns,
    id: i64,
}

// === impl OpenTurns ===

impl OpenTurns {
    /// Lists a turn until the guard is dropped.
    pub(crate) fn open(&self, id: i64) -> (CancellationToken, Listed) {
        let token = CancellationToken::new();
        self.lock().insert(id, token.clone());
        (
            token,
            Listed {
                turns: self.clone(),
                id,
            },
        )
    }

    /// Ends the run of a turn whose rows have been dealt with.
    pub(crate) fn cancel(&self, id: i64) {
        if let Some(token) = self.lock().get(&id) {
            token.cancel();
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, CancellationToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Listed ===

impl Drop for Listed {
    fn drop(&mut self) {
        self.turns.lock().remove(&self.id);
    }
}
