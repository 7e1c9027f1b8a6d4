//! The operations of pairing: who may be heard in a channel beside those whom its settings name.

use crate::{ChannelId, Pairing, PairingCode, PairingOutcome, Store, StoreError, View, pairing};

impl Store {
    /// Lets the sender in whose code it is, and says so where it asked, in one transaction. Wrong codes count, also void
    /// ones; after ten within the hour none is heard.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn pair(&self, code: PairingCode) -> Result<PairingOutcome, StoreError> {
        self.write("pair", move |tx| pairing::confirm(tx, code)).await
    }

    /// Takes a pairing back, or a code that was given. None: there is nothing to take back.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn unpair(&self, id: i64, by: &str) -> Result<Option<Pairing>, StoreError> {
        let by = by.to_owned();
        self.write("unpair", move |tx| pairing::revoke(tx, id, &by)).await
    }

    /// Who is let in, in a channel: the platform's ids.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn paired(&self, channel: ChannelId) -> Result<Vec<String>, StoreError> {
        self.read(move |conn| pairing::senders(conn, channel)).await
    }

    /// Pairings, the newest first, with ids below `before`: those that are let in or have a code, or `all`.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn pairings(
        &self,
        all: bool,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<Pairing>, StoreError> {
        self.read(move |conn| pairing::list(conn, all, before, limit))
            .await
    }
}

impl View {
    /// See [`Store::pairings`].
    ///
    /// # Errors
    /// When the database refuses.
    pub fn pairings(&self, all: bool, before: Option<i64>, limit: usize) -> Result<Vec<Pairing>, StoreError> {
        pairing::list(self.conn(), all, before, limit)
    }
}
