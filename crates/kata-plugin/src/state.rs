//! What a plugin keeps over restarts: JSON by key, apart for each plugin and each workspace.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use kata_channel::WorkspaceId;
use serde_json::Value;
use tracing::Span;

/// The longest key. Bytes.
const KEY_BYTES: usize = 128;
/// The largest value, written as JSON. Bytes.
const VALUE_BYTES: usize = 256 << 10;

/// Where state is kept. The binary fills this seam; a plugin is handed a [`PluginState`] and never the store.
#[async_trait]
pub trait StateStore: Send + Sync + 'static {
    /// The value of a key, if it has one.
    ///
    /// # Errors
    /// The store could not be read.
    async fn get(
        &self,
        plugin: &str,
        workspace: &WorkspaceId,
        key: &str,
    ) -> Result<Option<Value>, StateError>;

    /// Puts a value in place of the one before. Durable when it returns.
    ///
    /// # Cancel safety
    /// Dropped midway, the value may or may not have been written.
    ///
    /// # Errors
    /// The store could not be written.
    async fn put(
        &self,
        plugin: &str,
        workspace: &WorkspaceId,
        key: &str,
        value: Value,
    ) -> Result<(), StateError>;

    /// Forgets a key. One that has no value is forgotten already.
    ///
    /// # Cancel safety
    /// As [`put`](Self::put).
    ///
    /// # Errors
    /// The store could not be written.
    async fn delete(&self, plugin: &str, workspace: &WorkspaceId, key: &str) -> Result<(), StateError>;
}

/// Why state could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The key is empty or too long.
    #[error("a key of a plugin's state is 1 to {KEY_BYTES} bytes, not {bytes}")]
    Key {
        /// Its length.
        bytes: usize,
    },
    /// The value is too large.
    #[error("a value of a plugin's state is at most {VALUE_BYTES} bytes of JSON, not {bytes}")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The store cannot be had: a sentence of the store's.
    #[error("{0}")]
    Unavailable(String),
}

/// The state of one plugin in one workspace. It has no way to name another plugin's, or another workspace's.
#[derive(Clone)]
pub struct PluginState {
    store: Arc<dyn StateStore>,
    plugin: &'static str,
    workspace: WorkspaceId,
}

/// State in memory, for tests: clones share it, so that a plugin that starts again finds what it left.
#[derive(Clone, Debug, Default)]
pub struct MemoryState(Arc<Mutex<BTreeMap<Place, Value>>>);

/// Plugin, workspace and key.
type Place = (String, WorkspaceId, String);

// === impl PluginState ===

impl PluginState {
    /// The state that `plugin` has in `workspace`. For whoever runs plugins.
    #[must_use]
    pub fn new(store: Arc<dyn StateStore>, plugin: &'static str, workspace: WorkspaceId) -> Self {
        Self {
            store,
            plugin,
            workspace,
        }
    }

    /// The plugin whose state it is.
    #[must_use]
    pub fn plugin(&self) -> &'static str {
        self.plugin
    }

    /// The workspace in which it is.
    #[must_use]
    pub fn workspace(&self) -> &WorkspaceId {
        &self.workspace
    }

    /// The value of a key, if it has one.
    ///
    /// # Errors
    /// As [`StateError`].
    pub async fn get(&self, key: &str) -> Result<Option<Value>, StateError> {
        check_key(key)?;
        self.store.get(self.plugin, &self.workspace, key).await
    }

    /// Puts a value in place of the one before. Durable when it returns.
    ///
    /// # Cancel safety
    /// Dropped midway, the value may or may not have been written.
    ///
    /// # Errors
    /// As [`StateError`].
    pub async fn put(&self, key: &str, value: Value) -> Result<(), StateError> {
        check_key(key)?;
        let bytes = value.to_string().len();
        if bytes > VALUE_BYTES {
            return Err(StateError::TooLarge { bytes });
        }
        self.store.put(self.plugin, &self.workspace, key, value).await
    }

    /// Forgets a key. One that has no value is forgotten already.
    ///
    /// # Cancel safety
    /// As [`put`](Self::put).
    ///
    /// # Errors
    /// As [`StateError`].
    pub async fn delete(&self, key: &str) -> Result<(), StateError> {
        check_key(key)?;
        self.store.delete(self.plugin, &self.workspace, key).await
    }

    /// What the log lines of this plugin in this workspace stand in.
    pub(crate) fn span(&self) -> Span {
        tracing::info_span!("plugin", id = self.plugin, workspace = %self.workspace)
    }
}

impl fmt::Debug for PluginState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginState")
            .field("plugin", &self.plugin)
            .field("workspace", &self.workspace)
            .finish_non_exhaustive()
    }
}

fn check_key(key: &str) -> Result<(), StateError> {
    match key.len() {
        1..=KEY_BYTES => Ok(()),
        bytes => Err(StateError::Key { bytes }),
    }
}

// === impl MemoryState ===

impl MemoryState {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What `plugin` has of it in `workspace`.
    #[must_use]
    pub fn of(&self, plugin: &'static str, workspace: impl Into<WorkspaceId>) -> PluginState {
        PluginState::new(Arc::new(self.clone()), plugin, workspace.into())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Place, Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl StateStore for MemoryState {
    async fn get(
        &self,
        plugin: &str,
        workspace: &WorkspaceId,
        key: &str,
    ) -> Result<Option<Value>, StateError> {
        Ok(self.lock().get(&place(plugin, workspace, key)).cloned())
    }

    async fn put(
        &self,
        plugin: &str,
        workspace: &WorkspaceId,
        key: &str,
        value: Value,
    ) -> Result<(), StateError> {
        self.lock().insert(place(plugin, workspace, key), value);
        Ok(())
    }

    async fn delete(&self, plugin: &str, workspace: &WorkspaceId, key: &str) -> Result<(), StateError> {
        self.lock().remove(&place(plugin, workspace, key));
        Ok(())
    }
}

fn place(plugin: &str, workspace: &WorkspaceId, key: &str) -> Place {
    (plugin.to_owned(), workspace.clone(), key.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn state_is_apart_for_each_plugin_and_each_workspace() {
        let all = MemoryState::new();
        let ours = all.of("kata-irc", "w1");
        ours.put("seen", json!(1)).await.unwrap();
        assert_eq!(ours.get("seen").await, Ok(Some(json!(1))));
        for other in [all.of("kata-irc", "w2"), all.of("kata-slack", "w1")] {
            assert_eq!(other.get("seen").await, Ok(None));
            other.delete("seen").await.unwrap();
        }
        assert_eq!(all.of("kata-irc", "w1").get("seen").await, Ok(Some(json!(1))));
        ours.delete("seen").await.unwrap();
        assert_eq!(ours.get("seen").await, Ok(None));
    }

    #[tokio::test]
    async fn keys_and_values_are_bounded() {
        let state = MemoryState::new().of("kata-irc", "w1");
        let long = "k".repeat(KEY_BYTES + 1);
        for key in ["", &long] {
            assert_eq!(state.get(key).await, Err(StateError::Key { bytes: key.len() }));
            assert_eq!(
                state.put(key, json!(1)).await,
                Err(StateError::Key { bytes: key.len() })
            );
            assert_eq!(state.delete(key).await, Err(StateError::Key { bytes: key.len() }));
        }
        assert_eq!(state.put(&long[1..], json!(1)).await, Ok(()));
        let fits = json!("x".repeat(VALUE_BYTES - 2));
        assert_eq!(state.put("k", fits.clone()).await, Ok(()));
        let too_large = json!("x".repeat(VALUE_BYTES - 1));
        let bytes = VALUE_BYTES + 1;
        assert_eq!(
            state.put("k", too_large).await,
            Err(StateError::TooLarge { bytes })
        );
        assert_eq!(state.get("k").await, Ok(Some(fits)), "the old one stays");
    }
}
