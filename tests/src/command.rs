//! `katad` without a host: commands that end, and `katad serve`.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs::File,
    os::unix::ffi::OsStrExt,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
};

use rustix::{
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
    time::timeout,
};
use tokio_util::task::TaskTracker;

use crate::{
    host::katad,
    wait::{Changes, PATIENCE},
};

/// A command about to be run.
#[derive(Clone, Debug)]
pub struct Katad {
    arguments: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    stdin: String,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

/// A `katad serve`, or another command, that runs: seen from outside.
#[derive(Debug)]
pub struct Served {
    pid: Pid,
    log: Arc<Log>,
}

#[derive(Debug)]
struct Log {
    stdout: Mutex<String>,
    stderr: Mutex<String>,
    ended: Mutex<Option<Option<i32>>>,
    changes: Changes,
}

// === impl Katad ===

impl Katad {
    pub(crate) fn new(arguments: &[&str]) -> Self {
        Self {
            arguments: arguments.iter().map(Into::into).collect(),
            env: Vec::new(),
            stdin: String::new(),
        }
    }

    /// An environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// What is written to its stdin, which is then closed.
    #[must_use]
    pub fn stdin(mut self, text: &str) -> Self {
        text.clone_into(&mut self.stdin);
        self
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// If there is no binary, or the command does not end.
    pub async fn run(self) -> Done {
        let mut child = self
            .command()
            .stdin(Stdio::piped())
            .spawn()
            .expect("katad can be started");
        let mut stdin = child.stdin.take().expect("it is piped");
        // A command that reads nothing closes the pipe.
        let _ = stdin.write_all(self.stdin.as_bytes()).await;
        drop(stdin);
        let output = timeout(PATIENCE, child.wait_with_output())
            .await
            .expect("the command ends")
            .expect("our own child can be waited for");
        Done {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs it to its end with a terminal as its stdin, where somebody types these lines, each when something is asked. Gives what the
    /// terminal showed as well.
    ///
    /// # Panics
    /// If there is no binary or no terminal, or the command does not end.
    pub async fn run_typed(self, lines: &[&str]) -> (Done, String) {
        let (mut keyboard, screen) = open_terminal();
        let mut child = self
            .command()
            .stdin(Stdio::from(screen))
            .spawn()
            .expect("katad can be started");
        let mut stderr = child.stderr.take().expect("it is piped");
        let typing = async {
            let mut asked = String::new();
            for (n, line) in lines.iter().enumerate() {
                while asked.matches(": ").count() <= n {
                    let mut buffer = [0; 1024];
                    let read = stderr.read(&mut buffer).await.expect("a pipe");
                    assert_ne!(read, 0, "it ended: {asked}");
                    asked.push_str(&String::from_utf8_lossy(&buffer[..read]));
                }
                std::io::Write::write_all(&mut keyboard, format!("{line}\n").as_bytes()).expect("a terminal");
            }
            stderr.read_to_string(&mut asked).await.expect("a pipe");
            asked
        };
        let stderr = timeout(PATIENCE, typing)
            .await
            .expect("the command asks and ends");
        let output = child
            .wait_with_output()
            .await
            .expect("our own child can be waited for");
        let done = Done {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr,
        };
        (done, shown(keyboard))
    }

    /// Starts it. Its stdin is what [`stdin`](Self::stdin) says, and then closed.
    ///
    /// # Panics
    /// If there is no binary.
    #[must_use]
    pub fn serve(self) -> Served {
        let mut child = self
            .command()
            .stdin(Stdio::piped())
            .spawn()
            .expect("katad can be started");
        let pid = child
            .id()
            .and_then(|id| Pid::from_raw(id.cast_signed()))
            .expect("a fresh child has a pid");
        let log = Arc::new(Log {
            stdout: Mutex::default(),
            stderr: Mutex::default(),
            ended: Mutex::default(),
            changes: Changes::new(),
        });
        let mut stdin = child.stdin.take().expect("it is piped");
        let typed = self.stdin;
        let tasks = TaskTracker::new();
        // A command that reads nothing closes the pipe.
        tasks.spawn(async move { stdin.write_all(typed.as_bytes()).await });
        tasks.spawn(collect(Arc::clone(&log), child));
        Served { pid, log }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(katad());
        for (name, _) in env::vars_os().filter(|(n, _)| n.to_string_lossy().starts_with("KATA_")) {
            command.env_remove(name);
        }
        command
            .args(&self.arguments)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

/// A terminal: the end with the keyboard, and the end that programs see.
fn open_terminal() -> (File, File) {
    let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&keyboard).expect("a terminal");
    unlockpt(&keyboard).expect("a terminal");
    let name = ptsname(&keyboard, Vec::new()).expect("a terminal");
    let path = Path::new(OsStr::from_bytes(name.as_bytes()));
    let screen = File::options()
        .read(true)
        .write(true)
        .open(path)
        .expect("a terminal");
    (File::from(keyboard), screen)
}

/// What is left to read once every program has closed its end.
fn shown(mut keyboard: File) -> String {
    let (mut shown, mut buffer) = (Vec::new(), [0; 1024]);
    // The other end is closed: that is an error here, and not the end of a file.
    while let Ok(n @ 1..) = std::io::Read::read(&mut keyboard, &mut buffer) {
        shown.extend_from_slice(&buffer[..n]);
    }
    String::from_utf8_lossy(&shown).into_owned()
}

async fn collect(log: Arc<Log>, mut child: Child) {
    let stdout = child.stdout.take().expect("it is piped");
    let stderr = child.stderr.take().expect("it is piped");
    tokio::join!(read(&log, &log.stdout, stdout), read(&log, &log.stderr, stderr));
    let status = child.wait().await.expect("our own child can be waited for");
    *lock(&log.ended) = Some(status.code());
    log.changes.notify();
}

async fn read(log: &Log, to: &Mutex<String>, mut from: impl AsyncRead + Unpin) {
    let mut buffer = vec![0; 8192];
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        lock(to).push_str(&String::from_utf8_lossy(&buffer[..n]));
        log.changes.notify();
    }
}

fn lock<T>(what: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

// === impl Served ===

impl Served {
    /// Waits for a line of the log that has all these parts.
    pub async fn wait_log(&self, parts: &[&str]) -> String {
        self.wait_log_since(0, parts).await
    }

    /// How much was logged so far.
    #[must_use]
    pub fn mark(&self) -> usize {
        lock(&self.log.stderr).len()
    }

    /// As [`wait_log`](Self::wait_log), in what was logged after `mark`.
    pub async fn wait_log_since(&self, mark: usize, parts: &[&str]) -> String {
        let look = || {
            let logged = lock(&self.log.stderr);
            let mut lines = logged[mark..].lines();
            let line = lines.find(|line| parts.iter().all(|part| line.contains(part)));
            line.map(str::to_owned)
        };
        let what = format!("a line of the log with {parts:?}");
        self.log
            .changes
            .until(PATIENCE, &what, look, || self.logged())
            .await
    }

    /// All that was logged so far.
    #[must_use]
    pub fn logged(&self) -> String {
        lock(&self.log.stderr).clone()
    }

    /// All that it printed so far.
    #[must_use]
    pub fn printed(&self) -> String {
        lock(&self.log.stdout).clone()
    }

    /// Waits for a line that it prints and that begins so.
    pub async fn wait_printed(&self, beginning: &str) -> String {
        let look = || {
            let printed = self.printed();
            let whole = printed.rsplit_once('\n').map_or("", |(whole, _)| whole);
            let line = whole.lines().find(|line| line.starts_with(beginning));
            line.map(str::to_owned)
        };
        let what = format!("a line that begins with {beginning:?}");
        self.log
            .changes
            .until(PATIENCE, &what, look, || {
                format!("{}{}", self.printed(), self.logged())
            })
            .await
    }

    /// Whether it still runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        lock(&self.log.ended).is_none()
    }

    /// Asks it to end with SIGTERM, and gives its exit code.
    pub async fn terminate(&self) -> Option<i32> {
        self.signal(Signal::TERM);
        self.wait_exit().await
    }

    /// Sends a signal. A process that is gone gets none.
    pub fn signal(&self, signal: Signal) {
        if self.is_running() {
            let _ = kill_process(self.pid, signal);
        }
    }

    /// Waits for its end, and gives its exit code.
    pub async fn wait_exit(&self) -> Option<i32> {
        let look = || *lock(&self.log.ended);
        self.log
            .changes
            .until(PATIENCE, "the daemon's end", look, || self.logged())
            .await
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}
