//! A program in a process group of its own, and the promise that the group does not outlive its run.

use std::{io, time::Duration};

use tokio::{
    io::{copy, sink},
    join,
    process::{Child, ChildStderr, ChildStdin, ChildStdout},
    runtime::Handle,
    select,
    time::{sleep, timeout},
};
use tokio_util::task::TaskTracker;

use super::{
    End,
    program::{Control, Program},
};

/// From SIGTERM to SIGKILL. The daemon's own drain takes 4 s.
const GRACE: Duration = Duration::from_secs(2);

/// What a guard may take longer: it gives its program the same grace, and starts later.
const MARGIN: Duration = Duration::from_millis(500);

/// How often the group is asked whether somebody is left. The kernel tells of the leader's end only.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Holds a program's process group. Dropping it ends what is left of the group, on the tracker that it was given.
#[derive(Debug)]
pub(crate) struct Leash {
    group: Option<Group>,
    tasks: TaskTracker,
    runtime: Handle,
}

/// A program and what comes out of it. Borrowed, since the pipes outlive the talk: a program whose stderr is closed
/// before it may tidy up dies of its first complaint.
#[derive(Debug)]
pub(crate) struct Heard<'a> {
    pub(crate) program: Exit<'a>,
    pub(crate) stdout: &'a mut ChildStdout,
    pub(crate) stderr: &'a mut ChildStderr,
}

/// The end of a program, to wait for.
#[derive(Debug)]
pub(crate) struct Exit<'a> {
    leader: &'a mut Child,
    is_guarded: bool,
}

/// A process group and its leader: the program, or its guard, which has the program's group to itself. Dropping it kills
/// the group at once: the last resort when nobody can wait any more.
#[derive(Debug)]
struct Group {
    leader: Child,
    output: Option<(ChildStdout, ChildStderr)>,
    #[cfg(unix)]
    id: Option<rustix::process::Pid>,
    is_guarded: bool,
    control: Option<Control>,
}

// === impl Leash ===

impl Leash {
    /// Starts `program` as the leader of a new group.
    pub(crate) fn start(program: Program<'_>, tasks: TaskTracker) -> io::Result<(Self, ChildStdin)> {
        let (group, stdin) = Group::start(program)?;
        let leash = Self {
            group: Some(group),
            tasks,
            runtime: Handle::current(),
        };
        Ok((leash, stdin))
    }

    /// The program itself, to listen to.
    ///
    /// # Panics
    /// If its output was [taken](Self::take_output).
    pub(crate) fn listen(&mut self) -> Heard<'_> {
        let group = self.group();
        let (stdout, stderr) = group
            .output
            .as_mut()
            .expect("who takes the output does not listen");
        Heard {
            program: Exit {
                leader: &mut group.leader,
                is_guarded: group.is_guarded,
            },
            stdout,
            stderr,
        }
    }

    /// The output, for somebody who reads on while the group ends.
    ///
    /// # Panics
    /// If it was taken.
    pub(crate) fn take_output(&mut self) -> (ChildStdout, ChildStderr) {
        self.group().output.take().expect("the output is taken once")
    }

    /// The program's end.
    pub(crate) fn exit(&mut self) -> Exit<'_> {
        let group = self.group();
        Exit {
            leader: &mut group.leader,
            is_guarded: group.is_guarded,
        }
    }

    /// Ends the group, and returns when nobody is left in it.
    ///
    /// # Cancel safety
    /// Cancel safe: the group is ended all the same.
    pub(crate) async fn end(mut self) {
        if let Some(group) = self.group.take() {
            // The task cannot be cancelled, and a panic in it kills the group.
            let _ = self.tasks.spawn_on(group.end(), &self.runtime).await;
        }
    }

    fn group(&mut self) -> &mut Group {
        self.group.as_mut().expect("the group is taken at its end alone")
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

// === impl Exit ===

impl Exit<'_> {
    /// Waits for it.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub(crate) async fn wait(&mut self) -> io::Result<End> {
        Ok(End::of(self.leader.wait().await?, self.is_guarded))
    }
}

// === impl Group ===

impl Group {
    fn start(program: Program<'_>) -> io::Result<(Self, ChildStdin)> {
        let (mut leader, control) = program.spawn()?;
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
            output: Some((stdout, stderr)),
            #[cfg(unix)]
            id,
            is_guarded: control.is_some(),
            control,
        };
        Ok((group, stdin))
    }
}

/// The kernel keeps a group's id from being given away for as long as a member lives or the leader is not waited for.
/// Between the end of the last one and our next look it could be, if process ids ran once around in that moment.
#[cfg(unix)]
impl Group {
    async fn end(mut self) {
        let grace = match self.control.take() {
            Some(control) => {
                drop(control);
                GRACE + MARGIN
            }
            None => {
                self.signal(rustix::process::Signal::TERM);
                GRACE
            }
        };
        let emptied = emptied(&mut self.leader, self.id);
        let output = &mut self.output;
        let ended = timeout(grace, async {
            select! {
                () = emptied => {}
                never = discard(output) => match never {},
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
async fn discard(output: &mut Option<(ChildStdout, ChildStderr)>) -> std::convert::Infallible {
    if let Some((stdout, stderr)) = output {
        let (mut nowhere, mut no_place) = (sink(), sink());
        let _ = join!(copy(stdout, &mut nowhere), copy(stderr, &mut no_place));
    }
    std::future::pending().await
}

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        // To kill a guard would set its program free; its pipe closes here, and it does the rest.
        if !self.is_guarded {
            self.signal(rustix::process::Signal::KILL);
        }
    }
}

/// Without process groups the program alone is ended.
#[cfg(not(unix))]
impl Group {
    async fn end(mut self) {
        let _ = self.leader.kill().await;
    }
}
