//! The turns that are open in this process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

use crate::gate::{Docket, Standing};

/// Finds and cancels open turns. Cloning gives another handle.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenTurns(Arc<Mutex<HashMap<i64, Open>>>);

#[derive(Debug)]
struct Open {
    cancel: CancellationToken,
    docket: Arc<Docket>,
}

/// Takes the turn off the list when it is dropped.
#[derive(Debug)]
pub(crate) struct Listed {
    turns: OpenTurns,
    id: i64,
}

// === impl OpenTurns ===

impl OpenTurns {
    /// Lists a turn until the guard is dropped.
    pub(crate) fn open(&self, id: i64, docket: &Arc<Docket>) -> (CancellationToken, Listed) {
        let cancel = CancellationToken::new();
        let open = Open {
            cancel: cancel.clone(),
            docket: Arc::clone(docket),
        };
        self.lock().insert(id, open);
        (
            cancel,
            Listed {
                turns: self.clone(),
                id,
            },
        )
    }

    /// Ends the run of a turn whose rows have been dealt with.
    pub(crate) fn cancel(&self, id: i64) {
        if let Some(open) = self.lock().get(&id) {
            open.cancel.cancel();
        }
    }

    /// What decides for the turn with this row.
    pub(crate) fn by_id(&self, id: i64) -> Option<Arc<Docket>> {
        self.lock().get(&id).map(|open| Arc::clone(&open.docket))
    }

    /// What decides for the open turn of a session, and that turn; there is one at most, since a lane has one.
    pub(crate) fn by_session(
        &self,
        workspace: Option<&str>,
        session_key: &str,
    ) -> Option<(Arc<Docket>, Standing)> {
        self.lock().values().find_map(|Open { docket, .. }| {
            let turn = docket
                .turn
                .as_ref()
                .filter(|turn| turn.session_key == session_key)?;
            let is_its = workspace.is_none_or(|workspace| docket.workspace == workspace);
            is_its.then(|| (Arc::clone(docket), turn.clone()))
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Listed ===

impl Drop for Listed {
    fn drop(&mut self) {
        self.turns.lock().remove(&self.id);
    }
}
