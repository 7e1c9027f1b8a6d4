//! What plugins keep, in the store.

use async_trait::async_trait;
use kata_channel::WorkspaceId;
use kata_plugin::{StateError, StateStore};
use kata_store::{Store, StoreError};
use serde_json::Value;

/// Joins the plugins' state to the store.
#[derive(Debug)]
pub(crate) struct StoreState(Store);

// === impl StoreState ===

impl StoreState {
    pub(crate) fn new(store: Store) -> Self {
        Self(store)
    }
}

fn unavailable(error: StoreError) -> StateError {
    StateError::Unavailable(error.to_string())
}

#[async_trait]
impl StateStore for StoreState {
    async fn get(
        &self,
        plugin: &str,
        workspace: &WorkspaceId,
        key: &str,
    ) -> Result<Option<Value>, StateError> {
        let found = self.0.state_get(plugin, workspace.as_str(), key).await;
        found.map_err(unavailable)
    }

    async fn put(
        &self,
        plugin: &str,
        workspace: &WorkspaceId,
        key: &str,
        value: Value,
    ) -> Result<(), StateError> {
        let put = self.0.state_put(plugin, workspace.as_str(), key, &value).await;
        put.map_err(unavailable)
    }

    async fn delete(&self, plugin: &str, workspace: &WorkspaceId, key: &str) -> Result<(), StateError> {
        let deleted = self.0.state_delete(plugin, workspace.as_str(), key).await;
        deleted.map_err(unavailable)
    }
}
