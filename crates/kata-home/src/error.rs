//! Why a file of the app's folder cannot be used.

use std::{io, path::PathBuf};

/// A file of the app's folder cannot be used. Says no word of what stands in the file: it may hold secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HomeError {
    /// The file, or a folder, is there and cannot be read.
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
    /// The file is no JSON, or another JSON than was expected.
    #[error("{}, line {line}, column {column}: {reason}", file.display())]
    Malformed {
        /// Which.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, in bytes; 0 where the line before has just ended.
        column: usize,
        /// What is wrong.
        reason: String,
    },
    /// A path begins at the home directory, and nobody knows where that is.
    #[error("{}: the folder of workspace \"{workspace}\" begins at the home directory, which is not known", file.display())]
    NoHome {
        /// Where the path stands.
        file: PathBuf,
        /// Whose folder it is.
        workspace: String,
    },
}
