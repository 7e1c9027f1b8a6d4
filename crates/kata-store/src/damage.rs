//! A damaged database is set aside under a name that says so, never deleted.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use rusqlite::Connection;

use crate::{OpenError, StoreError, UnixMs};

/// A database that was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Where it is now.
    pub path: PathBuf,
    /// What was wrong with it, as a sentence.
    pub reason: String,
}

/// Left beside the database by a daemon that met damage while running.
pub(crate) fn suspect(path: &Path) -> PathBuf {
    beside(path, "-suspect")
}

/// The database's path with something appended to its name.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Examines the whole file, if an earlier daemon had reason to: this reads all of it.
pub(crate) fn examine(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let suspect = suspect(path);
    if !suspect.exists() {
        return Ok(());
    }
    let verdict: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(StoreError::Damaged(std::sync::Arc::new(io::Error::other(
            verdict,
        ))));
    }
    if let Err(error) = fs::remove_file(&suspect) {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the note of suspected damage cannot be removed"
        );
    }
    Ok(())
}

/// Moves the database and its log out of the way.
pub(crate) fn set_aside(path: &Path, now: UnixMs, reason: &StoreError) -> Result<SetAside, OpenError> {
    let io = |source| OpenError::Io {
        path: path.to_owned(),
        source,
    };
    let stamp: String = now
        .to_iso()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .collect();
    let mut aside = beside(path, &format!(".damaged-{stamp}"));
    // Two in one millisecond happen to tests alone; none may overwrite the other.
    let mut n = 1;
    while aside.exists() {
        n += 1;
        aside = beside(path, &format!(".damaged-{stamp}-{n}"));
    }
    fs::rename(path, &aside).map_err(io)?;
    for log in ["-wal", "-shm"] {
        match fs::rename(beside(path, log), beside(&aside, log)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
    }
    let _ = fs::remove_file(suspect(path));
    let cause = std::error::Error::source(reason)
        .map(ToString::to_string)
        .unwrap_or_default();
    Ok(SetAside {
        path: aside,
        reason: format!("{reason}: {cause}"),
    })
}
