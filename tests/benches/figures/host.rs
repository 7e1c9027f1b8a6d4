//! A lean host: two raw pipes, and the moment each line arrived. [`kata_testkit::host::FakeHost`] keeps and checks all
//! that is said; here that would be measured too.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use kata_testkit::Platform;
use serde::Deserialize;
use serde_json::{Value, json};

/// How long a figure waits for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the host does with turns by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answers {
    /// Nothing.
    None,
    /// Each is answered at once, with an empty text: nothing is to be sent.
    Empty,
}

/// An event, as far as a figure looks at it.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
enum Event {
    StatusChanged {
        status: String,
        error: Option<String>,
    },
    ChannelStatus {
        status: String,
    },
    ProcessMessage {
        message_id: i64,
    },
    MessageReceived {},
    MessageSent {},
    TaskFired {},
    PluginError {
        error: String,
    },
    #[serde(other)]
    Other,
}

/// A line of the daemon's.
#[derive(Debug)]
struct Heard {
    at: Instant,
    event: Event,
}

/// A turn that the daemon asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    pub(crate) at: Instant,
    pub(crate) id: i64,
}

type Stdin = Arc<Mutex<ChildStdin>>;

/// One daemon process, killed when it is dropped.
pub(crate) struct Host {
    child: Child,
    stdin: Stdin,
    heard: Receiver<Heard>,
    spawned: Instant,
}

impl Host {
    /// Starts a daemon as the app does, with these platforms where it looks for them.
    pub(crate) fn spawn(
        katad: &Path,
        home: &Path,
        platforms: &[&dyn Platform],
        answers: Answers,
    ) -> Result<Self> {
        let mut command = Command::new(katad);
        command
            .args(["run", "entry.ts"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Its logs are in its folder as well.
            .stderr(Stdio::null());
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("KATA_")) {
            command.env_remove(name);
        }
        command.env("KATA_CONFIG_DIR", home);
        command.envs(platforms.iter().flat_map(|platform| platform.endpoints()));
        let spawned = Instant::now();
        let mut child = command.spawn().context("the daemon cannot be started")?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (stdin, stdout) = pipes.context("both are piped")?;
        let stdin: Stdin = Arc::new(Mutex::new(stdin));
        let (tell, heard) = channel();
        let answering = stdin.clone();
        thread::spawn(move || listen(stdout, &answering, answers, &tell));
        let host = Self {
            child,
            stdin,
            heard,
            spawned,
        };
        host.send(&json!({"type": "start"}))?;
        Ok(host)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a command.
    pub(crate) fn send(&self, command: &Value) -> Result<()> {
        write_line(&self.stdin, command).context("the daemon does not read")
    }

    /// Ends a turn with an answer.
    pub(crate) fn answer(&self, turn: i64, text: &str) -> Result<()> {
        self.send(&processed(turn, text))
    }

    /// Waits until commands are served; gives the time since the process was started.
    pub(crate) fn running(&self) -> Result<Duration> {
        let at = self.wait("`running`", |heard| match &heard.event {
            Event::StatusChanged { status, .. } if status == "running" => Some(heard.at),
            _ => None,
        })?;
        Ok(at - self.spawned)
    }

    /// Waits until a channel is connected.
    pub(crate) fn connected(&self) -> Result<()> {
        self.wait("the channel to connect", |heard| match &heard.event {
            Event::ChannelStatus { status } if status == "connected" => Some(()),
            _ => None,
        })
    }

    /// Waits for the next turn.
    pub(crate) fn turn(&self) -> Result<Turn> {
        self.wait("a turn", |heard| match heard.event {
            Event::ProcessMessage { message_id: id } => Some(Turn { at: heard.at, id }),
            _ => None,
        })
    }

    /// Waits until the platform has taken an answer, and that is written down.
    pub(crate) fn sent(&self) -> Result<()> {
        self.wait("`message_sent`", |heard| {
            matches!(heard.event, Event::MessageSent {}).then_some(())
        })
    }

    /// Waits for so many messages to be reported as stored.
    pub(crate) fn received(&self, count: usize) -> Result<()> {
        for _ in 0..count {
            self.wait("`message_received`", |heard| {
                matches!(heard.event, Event::MessageReceived {}).then_some(())
            })?;
        }
        Ok(())
    }

    /// Waits until a task fired; gives the moment in which that was heard.
    pub(crate) fn fired(&self) -> Result<Instant> {
        self.wait("`task_fired`", |heard| {
            matches!(heard.event, Event::TaskFired {}).then_some(heard.at)
        })
    }

    /// Takes events until one is what is waited for.
    fn wait<T>(&self, what: &str, mut wanted: impl FnMut(&Heard) -> Option<T>) -> Result<T> {
        let deadline = Instant::now() + PATIENCE;
        let mut complaint = None;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(heard) = self.heard.recv_timeout(left) else {
                let why = complaint.map_or_else(String::new, |why| format!("; it complained: {why}"));
                bail!("the daemon ended, or nothing came for {PATIENCE:?}, while waiting for {what}{why}");
            };
            if let Some(found) = wanted(&heard) {
                return Ok(found);
            }
            if let Event::PluginError { error }
            | Event::StatusChanged {
                error: Some(error), ..
            } = heard.event
            {
                complaint = Some(error);
            }
        }
    }

    /// Stops the daemon as the app does, and waits for its end.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.send(&json!({"type": "stop"}))?;
        // Until the pipe ends: then the process is at its end too.
        while self.heard.recv_timeout(PATIENCE).is_ok() {}
        let status = self.child.wait()?;
        status
            .success()
            .then_some(())
            .ok_or_else(|| anyhow!("the daemon ended with {status}"))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // One that was stopped is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen(stdout: ChildStdout, stdin: &Stdin, answers: Answers, tell: &Sender<Heard>) {
    let mut stdout = BufReader::new(stdout);
    let mut line = Vec::new();
    while let Ok(1..) = stdout.read_until(b'\n', &mut line) {
        let at = Instant::now();
        let event = serde_json::from_slice(&line).unwrap_or(Event::Other);
        line.clear();
        if let (Answers::Empty, Event::ProcessMessage { message_id }) = (answers, &event) {
            // A daemon that has ended reads nothing; the figure notices by itself.
            let _ = write_line(stdin, &processed(*message_id, ""));
        }
        if tell.send(Heard { at, event }).is_err() {
            return;
        }
    }
}

fn write_line(stdin: &Stdin, command: &Value) -> std::io::Result<()> {
    let mut stdin = stdin.lock().unwrap_or_else(PoisonError::into_inner);
    stdin.write_all(format!("{command}\n").as_bytes())
}

fn processed(turn: i64, text: &str) -> Value {
    json!({"type": "message_processed", "messageId": turn, "response": text, "success": true})
}
