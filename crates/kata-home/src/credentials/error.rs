//! Why the credential store cannot be used.

use std::{io, path::PathBuf};

/// The credential store of the app cannot be used. Says nothing of what is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// The file is there and cannot be read.
    #[error("{} cannot be read", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The file is larger than such a file gets.
    #[error("{} is larger than {most} bytes", file.display())]
    TooLarge {
        /// Which.
        file: PathBuf,
        /// The most that is read, bytes.
        most: u64,
    },
    /// The file is not what the app writes.
    #[error("{} is damaged: {reason}", file.display())]
    Damaged {
        /// Which.
        file: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Neither of the keys that the app may have used opens it.
    #[error("{} cannot be decrypted: it was written on another machine or by another user, or is damaged", file.display())]
    Locked {
        /// Which.
        file: PathBuf,
    },
    /// A later version of the app wrote it.
    #[error("{} has the version {version}, and only version 1 is known", file.display())]
    UnknownVersion {
        /// Which.
        file: PathBuf,
        /// What it says.
        version: u64,
    },
}
