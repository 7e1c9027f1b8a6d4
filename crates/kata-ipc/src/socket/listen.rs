//! The daemon's end: a socket file that only its own user comes near.

use super::serve::Arrival;
use std::{
    fs, io,
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt},
        net::{SocketAddr, UnixStream},
    },
    path::{Path, PathBuf},
};
use tokio::net::UnixListener;

/// A socket that takes connections. Its file goes when it is dropped.
#[derive(Debug)]
pub struct Listener {
    inner: UnixListener,
    path: PathBuf,
    file: FileId,
}

/// The path of a socket has little room: it stands in a field of fixed size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the socket's path {} has {} bytes, and the system takes 107 (macOS: 103); move the configuration directory to a shorter path",
    path.display(),
    path.as_os_str().len()
)]
pub struct PathTooLong {
    path: PathBuf,
}

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The path is longer than the system takes.
    #[error(transparent)]
    PathTooLong(#[from] PathTooLong),
    /// The path has no directory of its own.
    #[error("the socket's path {} names no directory", path.display())]
    NoDirectory {
        /// The path.
        path: PathBuf,
    },
    /// Somebody answers there.
    #[error("another process serves {}", path.display())]
    InUse {
        /// The path.
        path: PathBuf,
    },
    /// What stands there is not ours to remove.
    #[error("{} is there and is no socket", path.display())]
    NotASocket {
        /// The path.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("the socket {} cannot be made", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Listens at `path`. Its directory is the daemon's alone: it is made if it is not there, and closed to everybody else before
/// there is a socket in it. What a dead daemon left is removed.
///
/// # Errors
/// As [`ListenError`].
///
/// # Panics
/// Outside a Tokio runtime.
pub fn listen(path: impl Into<PathBuf>) -> Result<Listener, ListenError> {
    let path = path.into();
    check_length(&path)?;
    let directory = match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => return Err(ListenError::NoDirectory { path }),
    };
    let bound = close_to_others(directory)
        .map_err(Failed::from)
        .and_then(|()| remove_stale(&path))
        .and_then(|()| Ok(bind(&path)?));
    match bound {
        Ok((inner, file)) => Ok(Listener { inner, path, file }),
        Err(Failed::InUse) => Err(ListenError::InUse { path }),
        Err(Failed::NotASocket) => Err(ListenError::NotASocket { path }),
        Err(Failed::Io(source)) => Err(ListenError::Io { path, source }),
    }
}

pub(super) fn check_length(path: &Path) -> Result<(), PathTooLong> {
    // The standard library knows how much each system takes, and refuses nothing else of a path without a NUL.
    match SocketAddr::from_pathname(path) {
        Err(_) if !path.as_os_str().as_bytes().contains(&0) => Err(PathTooLong { path: path.into() }),
        _ => Ok(()),
    }
}

/// A [`ListenError`] that does not know its path yet.
enum Failed {
    InUse,
    NotASocket,
    Io(io::Error),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The mode of the directory is set before there is anything in it: a socket takes its mode from the umask first.
fn close_to_others(directory: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700))
}

/// Removes a socket that nobody serves. Two daemons cannot race here: each holds the lock of its directory.
fn remove_stale(path: &Path) -> Result<(), Failed> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
        Ok(file) if !file.file_type().is_socket() => return Err(Failed::NotASocket),
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(Failed::InUse),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(fs::remove_file(path)?),
        Err(error) => Err(error.into()),
    }
}

fn bind(path: &Path) -> io::Result<(UnixListener, FileId)> {
    let inner = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok((inner, FileId::of(path)?))
}

/// Which file a path leads to, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    fn of(path: &Path) -> io::Result<Self> {
        let file = fs::symlink_metadata(path)?;
        Ok(Self {
            device: file.dev(),
            inode: file.ino(),
        })
    }
}

impl Listener {
    /// The next client. It has said nothing yet.
    ///
    /// # Cancel safety
    /// No client is lost.
    ///
    /// # Errors
    /// The operating system gives no connection, for lack of file descriptors as a rule: try again a little later.
    pub async fn accept(&self) -> io::Result<Arrival> {
        let (stream, _) = self.inner.accept().await?;
        Ok(Arrival::new(stream))
    }

    /// Where clients find it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // Another daemon may have taken the place by now.
        if FileId::of(&self.path).is_ok_and(|there| there == self.file) {
            let _ = fs::remove_file(&self.path);
        }
    }
}
