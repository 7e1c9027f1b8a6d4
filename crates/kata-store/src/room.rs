//! Room on the disk: how much is free, and whether anything is still taken in (D6).

use std::path::PathBuf;

use crate::StoreError;

/// Whether there is room for more messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Room {
    /// Messages are taken.
    Enough,
    /// Messages are refused until there is room again.
    Full {
        /// A sentence for people.
        reason: String,
    },
}

/// With less than this free SQLite cannot make its files: the log's index alone is 32 KiB.
const LEAST: u64 = 64 << 10;

/// The disk under the database.
#[derive(Debug)]
pub(crate) struct Disk {
    /// The folder of the database.
    folder: PathBuf,
    min_free: u64,
}

impl Disk {
    pub(crate) fn new(folder: PathBuf, min_free: u64) -> Self {
        Self { folder, min_free }
    }

    /// An error when less than the space that is to be kept is free.
    pub(crate) fn require(&self) -> Result<(), StoreError> {
        match self.free() {
            Some(free) if free < self.min_free => Err(StoreError::Full {
                reason: format!(
                    "only {} MB of disk space are free, {} MB are kept",
                    free >> 20,
                    self.min_free >> 20
                ),
            }),
            _ => Ok(()),
        }
    }

    /// The error, or what is behind it: the system refuses much on a full disk without SQLite saying why.
    pub(crate) fn explain(&self, error: StoreError) -> StoreError {
        let is_full = || self.free().is_some_and(|free| free < LEAST);
        if error.is_io() && is_full() {
            StoreError::disk_full()
        } else {
            error
        }
    }

    /// Bytes that are free to us. None where the system does not say: then a failing write says so.
    #[cfg(unix)]
    fn free(&self) -> Option<u64> {
        let stat = rustix::fs::statvfs(&self.folder).ok()?;
        Some(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    #[cfg(not(unix))]
    fn free(&self) -> Option<u64> {
        let _ = &self.folder;
        None
    }
}
