//! Takes stdout away from everything but the protocol.

use std::{fs::File, io};

use rustix::stdio;

/// The real stdout, duplicated; fd 1 points at stderr from now on, so that no library can print into the protocol.
pub(crate) fn take_stdout() -> io::Result<File> {
    let real = rustix::io::fcntl_dupfd_cloexec(stdio::stdout(), 3)?;
    stdio::dup2_stdout(stdio::stderr())?;
    Ok(File::from(real))
}
