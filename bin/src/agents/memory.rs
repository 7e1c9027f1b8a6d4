//! Remembers in the store which session of an `acp` agent belongs to which of ours, so that its context survives a
//! restart.

use async_trait::async_trait;
use kata_agent::{SessionMemory, Turn};
use kata_store::Store;
use serde_json::Value;

/// The plugin's name in the store's state: no plugin can have it.
const OWNER: &str = "katad:acp";

/// The memory of an agent that is to have none.
#[derive(Debug)]
pub(super) struct NoMemory;

/// See the module.
#[derive(Debug)]
pub(crate) struct StoreMemory {
    store: Store,
}

// === impl StoreMemory ===

impl StoreMemory {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

/// The session is over, whoever its agent was.
pub(crate) async fn erase(store: &Store, workspace: &str, session_key: &str) {
    if let Err(error) = store.state_delete(OWNER, workspace, session_key).await {
        tracing::warn!(%error, "what an agent called an old session is still remembered");
    }
}

#[async_trait]
impl SessionMemory for StoreMemory {
    async fn recall(&self, turn: &Turn) -> Option<String> {
        match self
            .store
            .state_get(OWNER, &turn.workspace, &turn.session_key)
            .await
        {
            Ok(Some(Value::String(session))) => Some(session),
            Ok(_) => None,
            Err(error) => {
                tracing::warn!(%error, "the agent's session cannot be looked up; a new one is begun");
                None
            }
        }
    }

    async fn remember(&self, turn: &Turn, acp_session: &str) {
        let session = Value::from(acp_session);
        if let Err(error) = self
            .store
            .state_put(OWNER, &turn.workspace, &turn.session_key, &session)
            .await
        {
            tracing::warn!(%error, "the agent's session is forgotten at the next start");
        }
    }

    async fn forget(&self, turn: &Turn) {
        if let Err(error) = self
            .store
            .state_delete(OWNER, &turn.workspace, &turn.session_key)
            .await
        {
            tracing::debug!(%error, "a session that the agent does not know is still remembered");
        }
    }
}

// === impl NoMemory ===

#[async_trait]
impl SessionMemory for NoMemory {
    async fn recall(&self, _: &Turn) -> Option<String> {
        None
    }

    async fn remember(&self, _: &Turn, _: &str) {}

    async fn forget(&self, _: &Turn) {}
}
