//! Files that an agent reads and writes through us: after the gate, and below the session's directory and the workspace's
//! folders alone.
//!
//! The gate is asked about the path with every link resolved, and that very path is opened, if it still is what it was:
//! a person may think for minutes, and a link is changed in less than one. What it is to be now is not left to a second
//! look: on Unix it is [walked](folder) without following a link.

#[cfg(unix)]
mod folder;

#[cfg(unix)]
use std::ffi::OsStr;
use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use agent_client_protocol::{
    Error,
    v1::schema::{ReadTextFileRequest, WriteTextFileRequest},
};
use kata_perm::{ToolCall, gate};
use serde_json::json;
use tokio::task::spawn_blocking;

#[cfg(unix)]
use self::folder::Folder;
use super::open::OpenTurn;

/// The largest file, in bytes, in either direction.
const LARGEST: u64 = 10 * 1024 * 1024;

/// Why a file is neither read nor written. The agent reads it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    #[error("the path is not absolute")]
    Relative,
    #[error("the path is not UTF-8")]
    NotText,
    #[error("the path is outside of the session's directory and of the workspace")]
    Outside,
    #[error("this is not a file")]
    NotAFile,
    #[error("the path leads elsewhere since it was allowed")]
    Changed,
    #[error("the file is larger than {} MiB", LARGEST / (1024 * 1024))]
    TooLarge,
    #[error("{0}")]
    Refused(String),
    #[error("the turn is over")]
    Over,
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// A path that is where it says: absolute, without links, below one of the roots.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place(String);

/// Reads a file, or the lines of it that were asked for.
pub(super) async fn read(open: &OpenTurn, request: ReadTextFileRequest) -> Result<String, Unfit> {
    let _room = open.room().await;
    let roots = open.roots.clone();
    let place = blocking({
        let (path, roots) = (request.path.clone(), roots.clone());
        move || Place::of_file(&path, &roots)
    })
    .await?;
    admit(open, &ToolCall::new("Read", json!({ "file_path": place.0 }))).await?;
    blocking(move || {
        place.still(Place::of_file(&request.path, &roots)?)?;
        let text = place.read()?;
        Ok(match (request.line, request.limit) {
            (None, None) => text,
            (line, limit) => excerpt(&text, line, limit),
        })
    })
    .await
}

/// Writes a file, whole or not at all.
pub(super) async fn write(open: &OpenTurn, request: WriteTextFileRequest) -> Result<(), Unfit> {
    if request.content.len() as u64 > LARGEST {
        return Err(Unfit::TooLarge);
    }
    let _room = open.room().await;
    let roots = open.roots.clone();
    let place = blocking({
        let (path, roots) = (request.path.clone(), roots.clone());
        move || Place::to_write(&path, &roots)
    })
    .await?;
    let input = json!({ "file_path": place.0, "content": request.content });
    admit(open, &ToolCall::new("Write", input)).await?;
    blocking(move || {
        place.still(Place::to_write(&request.path, &roots)?)?;
        place.write(&request.content)
    })
    .await
}

async fn admit(open: &OpenTurn, call: &ToolCall) -> Result<(), Unfit> {
    tokio::select! {
        biased;
        () = open.over.cancelled() => Err(Unfit::Over),
        admitted = gate::admit(&*open.turn.authority, call) => admitted.map_err(|refused| {
            let reason = refused.to_string();
            open.refused(reason.clone());
            Unfit::Refused(reason)
        }),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Unfit> + Send + 'static,
) -> Result<T, Unfit> {
    spawn_blocking(work)
        .await
        .unwrap_or_else(|e| Err(Unfit::Io(io::Error::other(e))))
}

// === impl Place ===

impl Place {
    /// A file that is there.
    fn of_file(path: &Path, roots: &[PathBuf]) -> Result<Self, Unfit> {
        if !path.is_absolute() {
            return Err(Unfit::Relative);
        }
        let real = path.canonicalize()?;
        // Before it is opened: to open a pipe is to wait for its other end.
        if !real.metadata()?.is_file() {
            return Err(Unfit::NotAFile);
        }
        Self::below(real, roots)
    }

    /// A file that is there or could be: its folder has to be.
    fn to_write(path: &Path, roots: &[PathBuf]) -> Result<Self, Unfit> {
        match Self::of_file(path, roots) {
            Err(Unfit::Io(e)) if e.kind() == io::ErrorKind::NotFound => {}
            found => return found,
        }
        // A link that leads nowhere would lead somewhere once it is written through.
        if path.symlink_metadata().is_ok() {
            return Err(Unfit::NotAFile);
        }
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Unfit::NotAFile);
        };
        Self::below(folder.canonicalize()?.join(name), roots)
    }

    fn below(real: PathBuf, roots: &[PathBuf]) -> Result<Self, Unfit> {
        if !roots.iter().any(|root| real.starts_with(root)) {
            return Err(Unfit::Outside);
        }
        real.into_os_string()
            .into_string()
            .map(Self)
            .map_err(|_| Unfit::NotText)
    }

    fn still(&self, now: Self) -> Result<(), Unfit> {
        if *self == now { Ok(()) } else { Err(Unfit::Changed) }
    }

    fn read(&self) -> Result<String, Unfit> {
        let mut text = String::new();
        let file = self.open()?;
        if !file.metadata()?.is_file() {
            return Err(Unfit::NotAFile);
        }
        file.take(LARGEST + 1).read_to_string(&mut text)?;
        if text.len() as u64 > LARGEST {
            return Err(Unfit::TooLarge);
        }
        Ok(text)
    }

    #[cfg(unix)]
    fn open(&self) -> Result<File, Unfit> {
        let (folder, name) = self.parts()?;
        Folder::open(folder)
            .and_then(|folder| folder.file(name))
            .map_err(Unfit::of_place)
    }

    #[cfg(unix)]
    fn write(&self, content: &str) -> Result<(), Unfit> {
        let (folder, name) = self.parts()?;
        Folder::open(folder)
            .and_then(|folder| folder.replace(name, content.as_bytes()))
            .map_err(Unfit::of_place)
    }

    #[cfg(unix)]
    fn parts(&self) -> Result<(&Path, &OsStr), Unfit> {
        let path = Path::new(&self.0);
        path.parent().zip(path.file_name()).ok_or(Unfit::NotAFile)
    }

    #[cfg(not(unix))]
    fn open(&self) -> Result<File, Unfit> {
        Ok(File::open(&self.0)?)
    }

    /// By way of a new file beside it: whoever reads meanwhile reads the old one or the new one.
    #[cfg(not(unix))]
    fn write(&self, content: &str) -> Result<(), Unfit> {
        use std::io::Write as _;

        let path = Path::new(&self.0);
        let folder = path.parent().unwrap_or(path);
        let mut file = tempfile::Builder::new().prefix(".kata-").tempfile_in(folder)?;
        file.write_all(content.as_bytes())?;
        file.persist(path).map_err(io::Error::from)?;
        Ok(())
    }
}

/// Lines from `line` (the first is 1), `limit` of them.
fn excerpt(text: &str, line: Option<u32>, limit: Option<u32>) -> String {
    let skipped = line.unwrap_or(1).saturating_sub(1) as usize;
    let taken = limit.map_or(usize::MAX, |limit| limit as usize);
    text.split_inclusive('\n').skip(skipped).take(taken).collect()
}

// === impl Unfit ===

#[cfg(unix)]
impl Unfit {
    /// An error at a place that was looked at a moment ago.
    fn of_place(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotADirectory => Self::Changed,
            _ => Self::Io(error),
        }
    }
}

impl From<Unfit> for Error {
    fn from(unfit: Unfit) -> Self {
        let reason = unfit.to_string();
        let error = match unfit {
            Unfit::Io(e) if e.kind() == io::ErrorKind::NotFound => Self::new(-32002, "file not found"),
            Unfit::Io(_) => Self::internal_error(),
            Unfit::Refused(_) | Unfit::Over => Self::invalid_request(),
            _ => Self::invalid_params(),
        };
        error.data(json!(reason))
    }
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
