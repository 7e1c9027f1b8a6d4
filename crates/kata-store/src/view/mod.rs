//! Looking without touching: counts, lists, and every step of one message. The same from an open [`Store`], through
//! its readers, and from the file alone, also while a daemon runs.

mod counts;
mod explain;
mod list;
mod sessions;

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

pub use counts::ChannelCounts;
pub use explain::{Explanation, Step};
pub(crate) use sessions::session;

pub use list::{Direction, Listed, MessageFilter, QueuePlace};
pub use sessions::SessionView;

use crate::{Store, StoreError, migrate, open::BUSY_TIMEOUT_MS};

/// A database opened for looking.
#[derive(Debug)]
pub struct View {
    conn: Connection,
}

impl View {
    pub(crate) fn conn(&self) -> &Connection {
        &self.conn
    }

    /// Opens the file at `path` read-only. Blocks.
    ///
    /// # Errors
    /// [`StoreError::NotOurs`] when this daemon has not opened the file yet, and whatever SQLite says.
    pub fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        let conn = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        conn.pragma_update(None, "busy_timeout", BUSY_TIMEOUT_MS)?;
        if migrate::schema(&conn)?.is_none() {
            return Err(StoreError::NotOurs);
        }
        Ok(Self { conn })
    }

    /// See [`Store::channel_counts`].
    ///
    /// # Errors
    /// When the database refuses.
    pub fn channel_counts(&self) -> Result<Vec<ChannelCounts>, StoreError> {
        counts::channels(&self.conn)
    }

    /// See [`Store::queue`].
    ///
    /// # Errors
    /// When the database refuses.
    pub fn queue(
        &self,
        filter: &MessageFilter,
        after: Option<&QueuePlace>,
        limit: usize,
    ) -> Result<Vec<Listed>, StoreError> {
        list::queue(&self.conn, filter, after, limit)
    }

    /// See [`Store::messages`].
    ///
    /// # Errors
    /// When the database refuses.
    pub fn messages(
        &self,
        filter: &MessageFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<Listed>, StoreError> {
        list::messages(&self.conn, filter, before, limit)
    }

    /// See [`Store::sessions`].
    ///
    /// # Errors
    /// When the database refuses.
    pub fn sessions(&self, before: Option<i64>, limit: usize) -> Result<Vec<SessionView>, StoreError> {
        sessions::sessions(&self.conn, before, limit)
    }

    /// See [`Store::explain`].
    ///
    /// # Errors
    /// When the database refuses.
    pub fn explain(&self, message: &str) -> Result<Vec<Explanation>, StoreError> {
        explain::explain(&self.conn, message)
    }
}

impl Store {
    /// How much waits, runs and is given up, a channel.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn channel_counts(&self) -> Result<Vec<ChannelCounts>, StoreError> {
        self.read(counts::channels).await
    }

    /// What has not ended, in and out, and what was given up; oldest first, from behind `after`.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn queue(
        &self,
        filter: MessageFilter,
        after: Option<QueuePlace>,
        limit: usize,
    ) -> Result<Vec<Listed>, StoreError> {
        self.read(move |conn| list::queue(conn, &filter, after.as_ref(), limit))
            .await
    }

    /// All messages, newest first, with rows below `before`.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn messages(
        &self,
        filter: MessageFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<Listed>, StoreError> {
        self.read(move |conn| list::messages(conn, &filter, before, limit))
            .await
    }

    /// All sessions, the latest first, with ids below `before`.
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn sessions(&self, before: Option<i64>, limit: usize) -> Result<Vec<SessionView>, StoreError> {
        self.read(move |conn| sessions::sessions(conn, before, limit))
            .await
    }

    /// Every step of one message, named by its row or by the platform's id (which several conversations may use).
    ///
    /// # Errors
    /// When the store is closed or the database refuses.
    pub async fn explain(&self, message: &str) -> Result<Vec<Explanation>, StoreError> {
        let message = message.to_owned();
        self.read(move |conn| explain::explain(conn, &message)).await
    }
}
