//! Where the agent of a session runs.

use std::{
    io,
    path::{Path, PathBuf},
};

use kata_session::folder_name;

/// Makes the directory of a session under `sessions`, mode 0700, and answers its absolute path.
pub(crate) async fn of_session(sessions: &Path, session_key: &str) -> io::Result<PathBuf> {
    let directory = std::path::absolute(sessions.join(folder_name(session_key)))?;
    let mut builder = tokio::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    builder.mode(0o700);
    builder.create(&directory).await?;
    Ok(directory)
}
