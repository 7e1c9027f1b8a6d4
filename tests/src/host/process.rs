//! The daemon's process and its pipes.

use std::{
    env,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{FakeHost, Shared, events::Log, home::Start};
use crate::wait::Changes;

/// The path that the app passes; the daemon accepts and ignores it.
const SCRIPT: &str = "/Applications/Kata Agents.app/Contents/Resources/daemon/entry.ts";

/// A running daemon, seen from outside.
#[derive(Debug)]
pub(crate) struct Process {
    pub(super) pid: Pid,
    /// Gone when stdin is closed.
    stdin: Mutex<Option<UnboundedSender<Vec<u8>>>>,
    stdout: CancellationToken,
    shared: Arc<Shared>,
}

impl Process {
    /// Queues bytes for stdin; the pipe's pace is not the caller's.
    pub(super) fn write(&self, bytes: Vec<u8>) {
        let stdin = self.stdin.lock().unwrap_or_else(PoisonError::into_inner);
        // A daemon that has ended reads nothing, as in the app.
        let _ = stdin.as_ref().map(|s| s.send(bytes));
    }

    pub(super) fn close_stdin(&self) {
        self.stdin.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    pub(super) fn close_stdout(&self) {
        self.stdout.cancel();
    }

    pub(super) fn signal(&self, signal: Signal) {
        // Once the process was waited for, its number may be somebody else's.
        if self.shared.look(|log| log.status.is_none()) {
            let _ = kill_process(self.pid, signal);
        }
    }
}

/// The binary under test: `KATAD`, else the one that was built beside this test.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn katad() -> PathBuf {
    let path = env::var_os("KATAD").map_or_else(|| beside_this_test("katad"), PathBuf::from);
    assert!(
        path.is_file(),
        "{} is missing: build it with `cargo build -p katad --features failpoints`, or name one in KATAD",
        path.display()
    );
    path
}

/// `target/debug/{program}`, where this test is `target/debug/deps/e2e-…`.
pub(super) fn beside_this_test(program: &str) -> PathBuf {
    let test = env::current_exe().expect("a test knows its own path");
    let profile = test
        .ancestors()
        .find(|p| p.join("deps").is_dir())
        .expect("tests lie in target/<profile>/deps");
    profile.join(program)
}

pub(super) fn spawn(start: Start) -> FakeHost {
    let mut command = Command::new(katad());
    command
        .args(["run", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for (name, _) in env::vars_os().filter(|(n, _)| n.to_string_lossy().starts_with("KATA_")) {
        command.env_remove(name);
    }
    let mut child = command
        .envs(start.env)
        .kill_on_drop(true)
        .spawn()
        .expect("katad can be started");
    let pid = child
        .id()
        .and_then(|id| Pid::from_raw(id.cast_signed()))
        .expect("a fresh child has a pid");
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
        unreachable!("all three are piped")
    };

    let shared = Arc::new(Shared {
        log: Mutex::new(Log::new(start.config, start.policy)),
        changes: Changes::new(),
    });
    let (commands, outbox) = unbounded_channel();
    let closed = CancellationToken::new();
    let tasks = TaskTracker::new();
    tasks.spawn(feed(stdin, outbox));
    // The reader holds its sender weakly: the test alone decides when stdin is closed.
    tasks.spawn(read(shared.clone(), stdout, commands.downgrade(), closed.clone()));
    tasks.spawn(collect(shared.clone(), stderr));
    tasks.spawn(reap(shared.clone(), child));
    let process = Process {
        pid,
        stdin: Mutex::new(Some(commands)),
        stdout: closed,
        shared: shared.clone(),
    };
    let host = FakeHost { shared, process };
    host.send(&start.start);
    host
}

async fn feed(mut stdin: ChildStdin, mut outbox: UnboundedReceiver<Vec<u8>>) {
    while let Some(bytes) = outbox.recv().await {
        if stdin.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

async fn read(
    shared: Arc<Shared>,
    stdout: ChildStdout,
    commands: tokio::sync::mpsc::WeakUnboundedSender<Vec<u8>>,
    closed: CancellationToken,
) {
    let mut stdout = BufReader::new(stdout);
    let mut line = Vec::new();
    while let Some(Ok(1..)) = closed
        .run_until_cancelled(stdout.read_until(b'\n', &mut line))
        .await
    {
        // A daemon that was killed may leave half a line.
        let Some(whole) = line.strip_suffix(b"\n") else {
            break;
        };
        let answers = shared.with(|log| log.line(whole));
        line.clear();
        if let Some(commands) = commands.upgrade() {
            answers.iter().for_each(|answer: &Value| {
                let _ = commands.send(format!("{answer}\n").into_bytes());
            });
        }
    }
    drop(stdout);
    shared.with(|log| log.stdout_ended = true);
}

async fn collect(shared: Arc<Shared>, mut stderr: ChildStderr) {
    let mut buffer = vec![0; 8192];
    while let Ok(n @ 1..) = stderr.read(&mut buffer).await {
        shared.with(|log| log.stderr.push_str(&String::from_utf8_lossy(&buffer[..n])));
    }
}

async fn reap(shared: Arc<Shared>, mut child: Child) {
    let status = child.wait().await.expect("our own child can be waited for");
    shared.with(|log| log.status = Some((status.code(), status.signal())));
}
