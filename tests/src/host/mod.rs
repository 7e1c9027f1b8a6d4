//! A host that spawns `katad` and treats it as the desktop app does.
//!
//! Like the app it starts `katad run SCRIPT`, writes `{"type":"start"}` first, sends the whole configuration at each
//! `running` and at each change, answers `process_message` by a policy, and after `stop` waits five seconds, sends
//! SIGTERM and then waits without end. Unlike the app it holds the daemon to the protocol: a line that is not ASCII
//! JSON, an event without its core fields or a `running` after `stopping` fails the test.
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use kata_testkit::{host::{Channel, Config, Home, Policy}, slack::FakeSlack};
//!
//! let slack = FakeSlack::start().await;
//! let home = Home::new();
//! let config = Config::new().channel("ws1", Channel::slack("support").conversations(&["C1"]));
//! let host = home.start(&slack).config(config).policy(Policy::echo()).spawn();
//! host.wait_running().await;
//! slack.wait_connected().await;
//! slack.user_posts("C1", "U1", "hello");
//! slack.wait_text("hello").await;
//! assert_eq!(host.stop().await.code, Some(0));
//! # }
//! ```

mod agent;
mod config;
mod events;
mod home;
mod permissions;
mod policy;
mod process;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

pub use agent::{AcpAgent, fake_acp};
pub use config::{Channel, Config};
pub use home::{Home, Start};
pub use policy::{Answer, Policy, Turn};
pub use process::katad;

use crate::wait::{Changes, PATIENCE};
use events::Log;
use process::Process;

/// The app waits this long after `stop` before it sends SIGTERM.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// How a daemon ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// The time from the request to the end.
    pub took: Duration,
    /// It did not stop in time, and got the app's SIGTERM.
    pub overdue: bool,
}

/// What the pipes' tasks and the test share.
#[derive(Debug)]
pub(crate) struct Shared {
    log: Mutex<Log>,
    changes: Changes,
}

impl Shared {
    fn with<T>(&self, f: impl FnOnce(&mut Log) -> T) -> T {
        let out = f(&mut self.log.lock().unwrap_or_else(PoisonError::into_inner));
        self.changes.notify();
        out
    }

    fn look<T>(&self, f: impl FnOnce(&Log) -> T) -> T {
        f(&self.log.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One daemon process and the host that spawned it.
#[derive(Debug)]
pub struct FakeHost {
    shared: Arc<Shared>,
    process: Process,
}

/// # Commands
impl FakeHost {
    /// Sends a command.
    pub fn send(&self, command: &Value) {
        self.process.write(format!("{command}\n").into_bytes());
    }

    /// Sends bytes as they are.
    pub fn send_bytes(&self, bytes: &[u8]) {
        self.process.write(bytes.to_vec());
    }

    /// Makes `config` the wanted state, and sends it as the app does on every change of a channel.
    pub fn configure(&self, config: Config) {
        let command = config.command();
        self.shared.with(|log| log.config = Some(config));
        self.send(&command);
    }

    /// Sends a query or another command with a `requestId`; gives its `result`.
    pub async fn request(&self, mut command: Value) -> Value {
        let id = self.shared.with(Log::next_request);
        command["requestId"] = id.clone().into();
        self.send(&command);
        self.wait_event(&format!("the result of {command}"), |e| {
            e["type"] == "result" && e["requestId"] == id.as_str()
        })
        .await
    }

    /// The items of a query.
    pub async fn query(&self, what: &str) -> Vec<Value> {
        let result = self.request(json!({"type": "query", "what": what})).await;
        result["data"]["items"]
            .as_array()
            .cloned()
            .unwrap_or_else(|| panic!("no items in {result}"))
    }

    /// Answers a turn that the policy left open.
    pub fn answer(&self, message_id: i64, response: &str) {
        self.send(&policy::succeeded(message_id, response));
    }

    /// Fails a turn that the policy left open.
    pub fn fail(&self, message_id: i64, error: &str) {
        self.send(&policy::failed(message_id, error));
    }

    /// What becomes of turns from now on.
    pub fn set_policy(&self, policy: Policy) {
        self.shared.with(|log| log.policy = policy);
    }

    /// Closes the daemon's stdin, as a host that went away does.
    pub fn close_stdin(&self) {
        self.process.close_stdin();
    }

    /// Closes the daemon's stdout.
    pub fn close_stdout(&self) {
        self.process.close_stdout();
    }
}

/// # Signals and ends
impl FakeHost {
    /// Stops the daemon as the app does.
    pub async fn stop(&self) -> Exit {
        let since = Instant::now();
        self.send(&json!({"type": "stop"}));
        if let Ok((code, signal)) = timeout(STOP_GRACE, self.exited()).await {
            return Exit {
                code,
                signal,
                took: since.elapsed(),
                overdue: false,
            };
        }
        self.signal(Signal::TERM);
        Exit {
            overdue: true,
            ..self.wait_exit_since(since).await
        }
    }

    /// `kill -9`, and waits until the process is gone.
    pub async fn kill9(&self) {
        self.signal(Signal::KILL);
        self.wait_exit().await;
    }

    /// Asks the daemon to end with SIGTERM.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Stops the process in its tracks.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Sends a signal. A process that is gone gets none.
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// The daemon's process id.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.process.pid.as_raw_nonzero().get()
    }

    /// Waits until the process has ended.
    pub async fn wait_exit(&self) -> Exit {
        self.wait_exit_since(Instant::now()).await
    }

    async fn wait_exit_since(&self, since: Instant) -> Exit {
        let (code, signal) = self.exited().await;
        Exit {
            code,
            signal,
            took: since.elapsed(),
            overdue: false,
        }
    }

    /// The exit code and signal, once all that the daemon wrote has been read.
    async fn exited(&self) -> (Option<i32>, Option<i32>) {
        let look = || self.shared.look(Log::exited);
        self.shared
            .changes
            .until(PATIENCE, "the daemon's end", look, || self.dump())
            .await
    }
}

impl Drop for FakeHost {
    fn drop(&mut self) {
        self.process.signal(Signal::KILL);
        let violations = self.shared.look(|log| log.violations.clone());
        if !std::thread::panicking() {
            assert!(
                violations.is_empty(),
                "the daemon broke the protocol: {violations:#?}\n{}",
                self.dump()
            );
        }
    }
}
