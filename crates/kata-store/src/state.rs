//! Per-plugin key-value state.

use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;

use crate::{StoreError, tx::Tx};

/// Names one value.
pub(crate) struct Place {
    plugin: String,
    workspace: String,
    key: String,
}

impl Place {
    pub(crate) fn new(plugin: &str, workspace: &str, key: &str) -> Self {
        Self {
            plugin: plugin.to_owned(),
            workspace: workspace.to_owned(),
            key: key.to_owned(),
        }
    }

    fn columns(&self) -> (&str, &str, &str) {
        (&self.plugin, &self.workspace, &self.key)
    }
}

pub(crate) fn get(conn: &Connection, place: &Place) -> Result<Option<Value>, StoreError> {
    Ok(conn
        .prepare_cached("SELECT value FROM kata_state WHERE plugin = ?1 AND workspace = ?2 AND key = ?3")?
        .query_row(place.columns(), |row| row.get::<_, String>(0))
        .optional()?
        .and_then(|text| serde_json::from_str(&text).ok()))
}

pub(crate) fn put(tx: &mut Tx<'_>, place: &Place, value: &str) -> Result<(), StoreError> {
    let (plugin, workspace, key) = place.columns();
    tx.run(
        "INSERT INTO kata_state (plugin, workspace, key, value) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (plugin, workspace, key) DO UPDATE SET value = excluded.value",
        (plugin, workspace, key, value),
    )?;
    Ok(())
}

pub(crate) fn delete(tx: &mut Tx<'_>, place: &Place) -> Result<(), StoreError> {
    tx.run(
        "DELETE FROM kata_state WHERE plugin = ?1 AND workspace = ?2 AND key = ?3",
        place.columns(),
    )?;
    Ok(())
}
