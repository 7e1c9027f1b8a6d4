//! What can go wrong, as sentences for people.

use std::{error::Error, io, path::PathBuf, sync::Arc};

use deadpool_sqlite::{HookError, PoolError};
use rusqlite::{ErrorCode, ffi};

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
    /// There is no such turn.
    #[error("there is no turn number {0}")]
    NoTurn(i64),
    /// Nearly all codes of the channel name a question of the last day.
    #[error("too many questions were asked in this channel within a day")]
    Codes,
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

/// What SQLite says, once: the sources of its own errors repeat it in other words.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
struct Said {
    text: String,
    /// The system refused something, and SQLite does not say what.
    is_io: bool,
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let code = error.sqlite_error_code();
        let cause = Arc::new(Said {
            text: error.to_string(),
            is_io: matches!(code, Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen)),
        });
        match code {
            Some(ErrorCode::DiskFull) => Self::disk_full(),
            // The log's index could not be made larger.
            _ if error.sqlite_error().map(|said| said.extended_code) == Some(ffi::SQLITE_IOERR_SHMSIZE) => {
                Self::disk_full()
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(cause),
            _ => Self::Database(cause),
        }
    }
}

/// A reader could not be had.
impl From<PoolError> for StoreError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Closed => Self::Closed,
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => error.into(),
            error => Self::Database(Arc::new(error)),
        }
    }
}

impl StoreError {
    pub(crate) fn disk_full() -> Self {
        Self::Full {
            reason: "the disk is full".to_owned(),
        }
    }

    /// The system refused something: on a full disk SQLite does not always say that this is why.
    pub(crate) fn is_io(&self) -> bool {
        match self {
            Self::Database(cause) => cause.downcast_ref::<Said>().is_some_and(|said| said.is_io),
            _ => false,
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
