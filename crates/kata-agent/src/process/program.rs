//! How a program is started: without a shell, in a scrubbed environment, on its own or behind a guard.

use std::{ffi::OsString, io, path::Path, process::Stdio};

use tokio::process::{Child, Command};

use crate::Guard;

/// A program to be started.
#[derive(Clone, Copy)]
pub(crate) struct Program<'a> {
    pub(crate) name: &'a str,
    pub(crate) args: &'a [String],
    /// Its whole environment.
    pub(crate) variables: &'a [(String, OsString)],
    pub(crate) directory: &'a Path,
    pub(crate) guard: Option<&'a Guard>,
}

/// The pipe by which a guard is held: it lets its program live for as long as this is open.
#[derive(Debug)]
pub(crate) struct Control {
    #[cfg(unix)]
    _held: io::PipeWriter,
}

// === impl Program ===

impl Program<'_> {
    /// Starts it as the leader of a new process group, with all three streams piped; answers with what holds its guard, if
    /// it has one.
    pub(super) fn spawn(&self) -> io::Result<(Child, Option<Control>)> {
        match self.guard {
            Some(guard) => self
                .spawn_behind(guard)
                .map(|(guard, control)| (guard, Some(control))),
            None => {
                let mut command = Command::new(self.name);
                command.kill_on_drop(true);
                Ok((self.finish(command).spawn()?, None))
            }
        }
    }

    #[cfg(unix)]
    fn spawn_behind(&self, guard: &Guard) -> io::Result<(Child, Control)> {
        use std::os::fd::AsRawFd as _;

        let (read, held) = io::pipe()?;
        // A child that is started in this moment inherits the read end as well. That does no harm: the write end, which
        // keeps the program alive, is closed on exec.
        rustix::io::fcntl_setfd(&read, rustix::io::FdFlags::empty())?;
        let mut command = Command::new(&guard.program);
        command
            .args(&guard.args)
            .arg("--control")
            .arg(read.as_raw_fd().to_string())
            .arg("--")
            .arg(self.name);
        // Not killed on drop: a guard must live to end its program, and goes when its pipe is closed.
        let guard = self.finish(command).spawn()?;
        Ok((guard, Control { _held: held }))
    }

    #[cfg(not(unix))]
    fn spawn_behind(&self, _: &Guard) -> io::Result<(Child, Control)> {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "a guard needs process groups, which this system does not have",
        ))
    }

    fn finish(&self, mut command: Command) -> Command {
        command
            .args(self.args)
            .current_dir(self.directory)
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        #[cfg(unix)]
        command.process_group(0);
        command
    }
}
