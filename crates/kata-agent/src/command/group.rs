//! A program in a process group of its own, and the promise that the group does not outlive its run.

use std::{io, time::Duration};

use tokio::{
    io::{copy, sink},
    join,
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    runtime::Handle,
    select,
    time::{sleep, timeout},
};
use tokio_util::task::TaskTracker;

use super::talk::Talk;

/// From SIGTERM to SIGKILL. The daemon's own drain takes 4 s.
const GRACE: Duration = Duration::from_secs(2);

/// How often the group is asked whether somebody is left. The kernel tells of the leader's end only.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Holds a program's process group. Dropping it ends what is left of the group, on the tracker that it was given.
#[derive(Debug)]
pub(super) struct Leash {
    group: Option<Group>,
    tasks: TaskTracker,
    runtime: Handle,
}

/// A process group and its leader. Dropping it kills the group at once: the last resort when nobody can wait any more.
#[derive(Debug)]
struct Group {
    leader: Child,
    stdout: ChildStdout,
    stderr: ChildStderr,
    #[cfg(unix)]
    id: Option<rustix::process::Pid>,
}

// === impl Leash ===

impl Leash {
    /// Starts `command`, whose three pipes must be piped, as the leader of a new group.
    pub(super) fn start(command: &mut Command, tasks: TaskTracker) -> io::Result<(Self, ChildStdin)> {
        let (group, stdin) = Group::start(command)?;
        Ok((
            Self {
                group: Some(group),
                tasks,
                runtime: Handle::current(),
            },
            stdin,
        ))
    }

    /// The program itself, to talk to.
    pub(super) fn talk(&mut self) -> Talk<'_> {
        let group = self.group.as_mut().expect("the group is taken in drop alone");
        Talk {
            program: &mut group.leader,
            stdout: &mut group.stdout,
            stderr: &mut group.stderr,
        }
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        if let Some(group) = self.group.take() {
            // On a runtime that is shutting down the task is dropped unpolled, and the group with it: it is killed.
            self.tasks.spawn_on(group.end(), &self.runtime);
        }
    }
}

// === impl Group ===

impl Group {
    fn start(command: &mut Command) -> io::Result<(Self, ChildStdin)> {
        command.kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let mut leader = command.spawn()?;
        let stdin = leader.stdin.take().expect("stdin is piped");
        let stdout = leader.stdout.take().expect("stdout is piped");
        let stderr = leader.stderr.take().expect("stderr is piped");
        #[cfg(unix)]
        let id = leader
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(rustix::process::Pid::from_raw);
        let group = Self {
            leader,
            stdout,
            stderr,
            #[cfg(unix)]
            id,
        };
        Ok((group, stdin))
    }
}

/// The kernel keeps a group's id from being given away for as long as a member lives or the leader is not waited for.
/// Between the end of the last one and our next look it could be, if process ids ran once around in that moment.
#[cfg(unix)]
impl Group {
    async fn end(mut self) {
        self.signal(rustix::process::Signal::TERM);
        let emptied = emptied(&mut self.leader, self.id);
        let ended = timeout(GRACE, async {
            select! {
                () = emptied => {}
                never = discard(&mut self.stdout, &mut self.stderr) => match never {},
            }
        });
        if ended.await.is_err() {
            self.signal(rustix::process::Signal::KILL);
            // The leader cannot refuse; others are waited for by whoever inherits them.
            let _ = self.leader.wait().await;
        }
        self.id = None;
    }

    /// Signals every process of the group; one that is empty already is no error.
    fn signal(&self, signal: rustix::process::Signal) {
        if let Some(id) = self.id {
            let _ = rustix::process::kill_process_group(id, signal);
        }
    }
}

/// Waits until nobody is left in the group.
#[cfg(unix)]
async fn emptied(leader: &mut Child, id: Option<rustix::process::Pid>) {
    let _ = leader.wait().await;
    while id.is_some_and(|id| rustix::process::test_kill_process_group(id).is_ok()) {
        sleep(LOOK_AGAIN).await;
    }
}

/// Reads last words that nobody waits for, so that a full or closed pipe keeps no program from tidying up.
#[cfg(unix)]
async fn discard(stdout: &mut ChildStdout, stderr: &mut ChildStderr) -> std::convert::Infallible {
    let (mut nowhere, mut no_place) = (sink(), sink());
    let _ = join!(copy(stdout, &mut nowhere), copy(stderr, &mut no_place));
    std::future::pending().await
}

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        self.signal(rustix::process::Signal::KILL);
    }
}

/// Without process groups the program alone is ended.
#[cfg(not(unix))]
impl Group {
    async fn end(mut self) {
        let _ = self.leader.kill().await;
    }
}
