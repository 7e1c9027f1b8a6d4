//! Files that an agent reads and writes through us: after the gate, and below the session's directory and the workspace's
//! folders alone.
//!
//! The gate is asked about the path with every link resolved, and that very path is opened, if it still is what it was:
//! a person may think for minutes, and a link is changed in less than one.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use agent_client_protocol::{
    Error,
    v1::schema::{ReadTextFileRequest, WriteTextFileRequest},
};
use kata_perm::{ToolCall, gate};
use serde_json::json;
use tokio::task::spawn_blocking;

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
    let roots = roots(open);
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
    let roots = roots(open);
    let place = blocking({
        let (path, roots) = (request.path.clone(), roots.clone());
        move || Place::to_write(&path, &roots)
    })
    .await?;
    let input = json!({ "file_path": place.0, "content": request.content });
    admit(open, &ToolCall::new("Write", input)).await?;
    blocking(move || {
        place.still(Place::to_write(&request.path, &roots)?)?;
        Ok(place.write(&request.content)?)
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

fn roots(open: &OpenTurn) -> Vec<PathBuf> {
    let session = std::iter::once(open.directory.clone());
    session.chain(open.roots.iter().cloned()).collect()
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
        let is_below = |root: &PathBuf| root.canonicalize().is_ok_and(|root| real.starts_with(root));
        if !roots.iter().any(is_below) {
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
        self.open()?.take(LARGEST + 1).read_to_string(&mut text)?;
        if text.len() as u64 > LARGEST {
            return Err(Unfit::TooLarge);
        }
        Ok(text)
    }

    fn open(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;

            use rustix::fs::OFlags;

            let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
            options.custom_flags(flags.bits().cast_signed());
        }
        options.open(&self.0)
    }

    /// By way of a new file beside it: whoever reads meanwhile reads the old one or the new one.
    fn write(&self, content: &str) -> io::Result<()> {
        let path = Path::new(&self.0);
        let folder = path.parent().unwrap_or(path);
        let mut file = tempfile::Builder::new().prefix(".kata-").tempfile_in(folder)?;
        file.write_all(content.as_bytes())?;
        if let Ok(old) = fs::metadata(path) {
            file.as_file().set_permissions(old.permissions())?;
        }
        file.persist(path)?;
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
