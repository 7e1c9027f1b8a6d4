//! A folder that is held open while something is done in it.
//!
//! Between a look at a path and its use a folder on the way may become a link, and an agent can try that as often as it
//! likes. So a path is walked folder by folder, none of which may be a link, and what is done is done in the folder that was
//! reached, wherever its name leads by then.

use std::{
    ffi::OsStr,
    fs::{File, Permissions},
    io::{self, Write as _},
    os::{fd::OwnedFd, unix::fs::PermissionsExt as _},
    path::{Component, Path},
    sync::atomic::{AtomicU64, Ordering},
};

use rustix::{
    fs::{AtFlags, FileType, Mode, OFlags, openat, renameat, statat, unlinkat},
    io::Errno,
};

/// A folder on the way need not be readable. Only Linux can say so.
#[cfg(target_os = "linux")]
const PASSED: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const PASSED: OFlags = OFlags::RDONLY;

/// How often a new file's name may be taken: by files that an earlier process left behind.
const TRIES: usize = 100;

/// Of the new files of this process, how many there were.
static NEW: AtomicU64 = AtomicU64::new(0);

/// A folder at a path without links.
#[derive(Debug)]
pub(super) struct Folder(OwnedFd);

// === impl Folder ===

impl Folder {
    /// Walks an absolute path. One that is not plain, or leads over a link, is an error of the kind `NotADirectory`.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let flags = PASSED | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut folder = rustix::fs::open("/", flags, Mode::empty())?;
        for component in path.components() {
            folder = match component {
                Component::RootDir => folder,
                Component::Normal(name) => openat(&folder, name, flags, Mode::empty()).map_err(no_link)?,
                _ => return Err(Errno::NOTDIR.into()),
            };
        }
        Ok(Self(folder))
    }

    /// Opens a file of it, to read. Does not wait for the other end of a pipe.
    pub(super) fn file(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(openat(&self.0, name, flags, Mode::empty())
            .map_err(no_link)?
            .into())
    }

    /// Writes a file of it, by way of a new one beside it: whoever reads meanwhile reads the old one or the new one.
    pub(super) fn replace(&self, name: &OsStr, content: &[u8]) -> io::Result<()> {
        let (new, mut file) = self.create()?;
        let written = file
            .write_all(content)
            .and_then(|()| self.keep_mode(name, &file))
            .and_then(|()| Ok(renameat(&self.0, &new, &self.0, name)?));
        if written.is_err() {
            let _ = unlinkat(&self.0, &new, AtFlags::empty());
        }
        written
    }

    /// A new file, which nobody else may read.
    fn create(&self) -> io::Result<(String, File)> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        for _ in 0..TRIES {
            let n = NEW.fetch_add(1, Ordering::Relaxed);
            let name = format!(".kata-{}-{n}", std::process::id());
            match openat(&self.0, &name, flags, Mode::RUSR | Mode::WUSR) {
                Ok(file) => return Ok((name, file.into())),
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Errno::EXIST.into())
    }

    /// Gives the new file the mode of the one whose place it takes.
    fn keep_mode(&self, name: &OsStr, file: &File) -> io::Result<()> {
        match statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(old) if FileType::from_raw_mode(old.st_mode).is_file() => {
                file.set_permissions(Permissions::from_mode(old.st_mode & 0o777))
            }
            Ok(_) => Err(Errno::NOTDIR.into()),
            Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// What systems say of a link where none may be, as one error.
fn no_link(error: Errno) -> io::Error {
    match error {
        Errno::LOOP | Errno::MLINK => Errno::NOTDIR.into(),
        other => other.into(),
    }
}
