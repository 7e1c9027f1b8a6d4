//! The guard itself: three threads, since one stands beside every agent. A runtime is made for a moment, to have signals
//! caught, and nothing runs on it.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read as _, Write as _},
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    process::{Child, Command, ExitCode, ExitStatus},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use rustix::{
    fs::{Mode, OFlags},
    process::{Pid, Signal, WaitId, WaitIdOptions},
};
use tokio::signal::unix::{SignalKind, signal};

/// From SIGTERM to SIGKILL.
pub(crate) const GRACE: Duration = Duration::from_secs(2);

/// How often a group that was told to end is asked whether somebody is left. The kernel tells of our child's end only.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What a shell answers for a command that cannot be run.
const CANNOT_RUN: u8 = 127;

/// What a guard waits for.
enum Event {
    /// The daemon has closed the control pipe, or died.
    LetGo,
    /// The program has ended, and is not waited for yet.
    Ended,
}

/// Runs `command` in a new process group, until it ends or the other end of the pipe that is open as descriptor `control`
/// is closed. What is left of the group is killed then. The standard streams of this process become the command's alone.
///
/// Answers the command's exit code, 128 + n for signal n, 127 if it cannot be run. SIGINT, SIGTERM and SIGHUP are
/// ignored: a guard that went first would leave its program alone. Blocks; to be called from `main`, outside a runtime.
#[must_use]
pub fn run(control: u32, command: &[OsString]) -> ExitCode {
    match guard(control, command) {
        Ok(code) => code.into(),
        Err(error) => {
            let program = command.first().map(|program| program.display());
            // Nobody reads a stderr that cannot be written to.
            let _ = match program {
                Some(program) => writeln!(io::stderr(), "{program} cannot be started: {error}"),
                None => writeln!(io::stderr(), "the guard has no command to run"),
            };
            CANNOT_RUN.into()
        }
    }
}

fn guard(control: u32, command: &[OsString]) -> io::Result<u8> {
    let (program, args) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    ignore_signals()?;
    let control = open(control).map_err(|e| {
        io::Error::new(
            e.kind(),
            format!("descriptor {control}, the control pipe, cannot be opened: {e}"),
        )
    })?;
    let nowhere = File::options().read(true).write(true).open("/dev/null")?;
    let mut child = Command::new(program).args(args).process_group(0).spawn()?;
    let_go_of_streams(&nowhere);
    let group = Pid::from_child(&child);
    let (events, event) = mpsc::channel();
    let ended = events.clone();
    thread::Builder::new().spawn(move || {
        until_closed(control);
        let _ = events.send(Event::LetGo);
    })?;
    thread::Builder::new().spawn(move || {
        until_ended(group);
        let _ = ended.send(Event::Ended);
    })?;
    if let Ok(Event::LetGo) = event.recv() {
        ask_to_end(&mut child, group)?;
    }
    // Until the child is waited for here, or while anybody else of the group lives, the kernel gives its id to nobody.
    let _ = rustix::process::kill_process_group(group, Signal::KILL);
    Ok(code(child.wait()?))
}

/// Tokio's handlers stay for the life of the process, with or without a runtime; a handler, unlike `SIG_IGN`, is not
/// inherited by the program.
/// <https://docs.rs/tokio/latest/tokio/signal/unix/struct.Signal.html>
fn ignore_signals() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let _inside = runtime.enter();
    for kind in [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ] {
        drop(signal(kind)?);
    }
    Ok(())
}

/// Opens the inherited descriptor anew. Without `NONBLOCK` that would wait for a writer, which a daemon that is dead
/// already never is.
fn open(control: u32) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let control = rustix::fs::open(format!("/dev/fd/{control}"), flags, Mode::empty())?;
    rustix::fs::fcntl_setfl(&control, OFlags::empty())?;
    Ok(control.into())
}

/// The streams are the program's alone: when it closes one, whoever is at the other end is to notice. A guard that cannot let
/// go of one guards all the same.
fn let_go_of_streams(nowhere: &File) {
    let _ = rustix::stdio::dup2_stdin(nowhere);
    let _ = rustix::stdio::dup2_stdout(nowhere);
    let _ = rustix::stdio::dup2_stderr(nowhere);
}

/// Nothing is ever written into the pipe; what cannot be read is as good as closed.
fn until_closed(mut control: File) {
    let mut byte = [0];
    while let Ok(1..) = control.read(&mut byte) {}
}

/// Waits for the child without taking its exit status, so that its id stays its own.
fn until_ended(child: Pid) {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while let Err(rustix::io::Errno::INTR) = rustix::process::waitid(WaitId::Pid(child), options) {}
}

/// SIGTERM, and then time to tidy up for everybody in the group, not for its leader alone.
fn ask_to_end(child: &mut Child, group: Pid) -> io::Result<()> {
    let _ = rustix::process::kill_process_group(group, Signal::TERM);
    let since = Instant::now();
    while since.elapsed() < GRACE {
        let is_gone = child.try_wait()?.is_some();
        if is_gone && rustix::process::test_kill_process_group(group).is_err() {
            break;
        }
        thread::sleep(LOOK_AGAIN);
    }
    Ok(())
}

fn code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| Some(128 + status.signal()?))
        .unwrap_or_default();
    // Both are below 256 on every Unix.
    u8::try_from(code).unwrap_or(u8::MAX)
}
