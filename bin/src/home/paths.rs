//! Where the daemon's files are.

use std::{
    env, fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// A longer path leaves no room for a socket's name: macOS takes 103 bytes in all.
const LONGEST_RUN: usize = 80;

/// The config directory, resolved once at start.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    dir: PathBuf,
}

/// The config directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HomeError {
    /// Nothing says where it is.
    #[error("no config directory: set KATA_CONFIG_DIR, or HOME")]
    Nowhere,
    /// It cannot be made.
    #[error("cannot create the config directory {}: {source}", path.display())]
    Create {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Home {
    /// `$KATA_CONFIG_DIR`, else `$CRAFT_CONFIG_DIR`, else `~/.kata-agents`; an empty variable counts as unset.
    pub(crate) fn from_env() -> Result<Self, HomeError> {
        let set = |name: &str| env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let dir = set("KATA_CONFIG_DIR")
            .or_else(|| set("CRAFT_CONFIG_DIR"))
            .or_else(|| set("HOME").map(|home| home.join(".kata-agents")))
            .ok_or(HomeError::Nowhere)?;
        Ok(Self { dir })
    }

    /// This very directory.
    pub(crate) fn at(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// Makes the directory, open to its owner alone, if it is not there.
    pub(crate) fn create(&self) -> Result<(), HomeError> {
        create_private_dir(&self.dir).map_err(|source| HomeError::Create {
            path: self.dir.clone(),
            source,
        })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.dir.join("daemon.db")
    }

    pub(crate) fn daemon_json(&self) -> PathBuf {
        self.dir.join("daemon.json")
    }

    pub(crate) fn lock_file(&self) -> PathBuf {
        self.dir.join("daemon.lock")
    }

    pub(crate) fn pid_file(&self) -> PathBuf {
        self.dir.join("daemon.pid")
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.dir.join("logs")
    }

    pub(crate) fn attachments(&self) -> PathBuf {
        self.dir.join("attachments")
    }

    /// The hash chain's head, beside the record that it is the head of.
    pub(crate) fn audit_head(&self) -> PathBuf {
        self.dir.join("daemon.audit")
    }

    /// Where the running daemon's socket is. A socket's path has little room: where the config directory lies too deep, a
    /// folder of the temporary directory that is named for it.
    pub(crate) fn run(&self) -> PathBuf {
        let run = self.dir.join("run");
        if run.as_os_str().len() <= LONGEST_RUN {
            return run;
        }
        let mut name = DefaultHasher::new();
        self.dir.hash(&mut name);
        let user = rustix::process::getuid().as_raw();
        env::temp_dir().join(format!("katad-{user}-{:016x}", name.finish()))
    }

    /// Under this each session has the working directory of its agent.
    pub(crate) fn sessions(&self) -> PathBuf {
        self.dir.join("sessions")
    }
}

/// Makes a directory (and its parents) that only its owner may enter. One that exists is left as it is.
pub(crate) fn create_private_dir(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    // The umask may have taken more away than we wanted.
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
}
