//! What can go wrong, as sentences for people.

use std::{error::Error, io, path::PathBuf, sync::Arc};

use rusqlite::ErrorCode;

/// An operation on an open store failed. Nothing of it was written.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store was closed, or is being closed.
    #[error("the store is closed")]
    Closed,
    /// The disk is full, or has less free space than is to be kept (D6).
    #[error("{reason}")]
    Full {
        /// A sentence for people.
        reason: String,
    },
    /// The channel has as many waiting messages as it may have (D6).
    #[error("{waiting} messages of this channel wait already")]
    Backlog {
        /// How many wait.
        waiting: u64,
    },
    /// The file is damaged. The next start examines it and, if need be, sets it aside.
    #[error("the database is damaged")]
    Damaged(#[source] Cause),
    /// Another program holds the database.
    #[error("the database is locked by another program")]
    Locked,
    /// There is no such channel.
    #[error("there is no channel number {0}")]
    NoChannel(i64),
    /// There is no such part of an answer.
    #[error("there is no part number {0}")]
    NoPart(i64),
    /// A part of the caller's that ran inside the transaction panicked.
    #[error("a text for the user could not be made")]
    Panicked,
    /// The view was opened on a file that this daemon has not opened yet.
    #[error("this database was not opened by this daemon yet")]
    NotOurs,
    /// Anything else that SQLite says.
    #[error("the database refused an operation")]
    Database(#[source] Cause),
}

/// The error beneath, shared: one failed commit is the answer to every operation in it.
pub type Cause = Arc<dyn Error + Send + Sync>;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::disk_full(),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(Arc::new(error)),
            _ => Self::Database(Arc::new(error)),
        }
    }
}

impl StoreError {
    pub(crate) fn disk_full() -> Self {
        Self::Full {
            reason: "the disk is full".to_owned(),
        }
    }
}

/// The database could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file could not be made, read or set aside.
    #[error("{} cannot be opened", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A later version of this daemon wrote the file.
    #[error("the database was written by a later version: its schema is {found}, this version knows {known}")]
    Newer {
        /// The schema's number in the file.
        found: u32,
        /// The latest that this version knows.
        known: u32,
    },
    /// A store could not be set up on the file.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}
