//! One daemon a config directory: an OS file lock, not a guess from a pid (promise 11).

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

/// The lock, held while this lives. The file stays: removing it would let two daemons lock two files of one name.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// The lock could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LockError {
    /// Another daemon holds it.
    #[error(
        "another katad is running on {}; stop it, or set KATA_CONFIG_DIR to another directory",
        dir.display()
    )]
    Held {
        /// The directory that is taken.
        dir: PathBuf,
    },
    /// The file cannot be used.
    #[error("cannot lock {}: {source}", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Lock {
    /// How long a new daemon waits for a dying one.
    pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

    /// Takes the lock if it is free.
    pub(crate) fn try_take(path: &Path) -> Result<Self, LockError> {
        let io = |source| LockError::Io {
            path: path.to_owned(),
            source,
        };
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Held {
                dir: path.parent().unwrap_or(Path::new(".")).to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }

    /// Looks whether the lock is free, without making the file.
    pub(crate) fn look(path: &Path) -> Result<(), LockError> {
        if path.exists() {
            Self::try_take(path).map(drop)
        } else {
            Ok(())
        }
    }

    /// Takes the lock, waiting up to [`Self::PATIENCE`]: the app starts a new daemon at once after it has told the
    /// old one to go.
    ///
    /// # Cancel safety
    /// Cancel safe: the lock is taken or it is not.
    pub(crate) async fn take(path: &Path) -> Result<Self, LockError> {
        // Two locks of one file in one process are two locks, so waiting in the kernel would need a thread that
        // cannot be stopped; a look every 20 ms for at most 10 s costs less.
        const LOOK: Duration = Duration::from_millis(20);
        let deadline = tokio::time::Instant::now() + Self::PATIENCE;
        loop {
            match Self::try_take(path) {
                Err(LockError::Held { .. }) if tokio::time::Instant::now() < deadline => {
                    tokio::time::sleep(LOOK).await;
                }
                taken => return taken,
            }
        }
    }
}

/// `daemon.pid`: written once the lock is held, removed before it is released, and only if it still holds our pid.
#[derive(Debug)]
pub(crate) struct PidFile {
    path: PathBuf,
}

impl PidFile {
    /// Writes our pid.
    pub(crate) fn write(path: PathBuf) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)?;
        write!(file, "{}", std::process::id())?;
        Ok(Self { path })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        let ours = std::process::id().to_string();
        if fs::read_to_string(&self.path).is_ok_and(|pid| pid.trim() == ours) {
            // Nothing to be done about a failure on the way out; the next daemon writes it anew.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_lock_on_the_same_directory_is_refused_with_the_directory_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("daemon.lock");
        let held = Lock::try_take(&path).unwrap();
        let refused = Lock::try_take(&path).unwrap_err();
        assert!(
            matches!(&refused, LockError::Held { dir: d } if d == dir.path()),
            "{refused}"
        );
        drop(held);
        assert!(Lock::try_take(&path).is_ok());
    }

    #[test]
    fn a_pid_file_that_somebody_else_has_written_since_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("daemon.pid");
        let ours = PidFile::write(path.clone()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), std::process::id().to_string());
        fs::write(&path, "1").unwrap();
        drop(ours);
        assert_eq!(fs::read_to_string(&path).unwrap(), "1");
    }

    #[test]
    fn our_own_pid_file_goes_with_us() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("daemon.pid");
        drop(PidFile::write(path.clone()).unwrap());
        assert!(!path.exists());
    }

    #[tokio::test(start_paused = true)]
    async fn a_lock_held_by_a_dying_daemon_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("daemon.lock");
        let held = Lock::try_take(&path).unwrap();
        let mut waiting = tokio_test_task(Lock::take(&path));
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        drop(held);
        assert!(waiting.await.is_ok());
    }

    fn tokio_test_task<F: Future>(f: F) -> std::pin::Pin<Box<F>> {
        Box::pin(f)
    }

    #[tokio::test(start_paused = true)]
    async fn a_lock_that_stays_held_is_given_up_after_ten_seconds() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("daemon.lock");
        let _held = Lock::try_take(&path).unwrap();
        let before = tokio::time::Instant::now();
        assert!(matches!(Lock::take(&path).await, Err(LockError::Held { .. })));
        assert!(before.elapsed() >= Lock::PATIENCE);
    }
}
