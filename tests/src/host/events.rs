//! What the daemon said, in order, and waits for it.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Config, FakeHost, Policy, policy::Turn};
use crate::wait::PATIENCE;

/// All that the host knows of one daemon.
#[derive(Debug)]
pub(crate) struct Log {
    pub(super) events: Vec<Value>,
    pub(super) turns: Vec<Turn>,
    pub(super) stderr: String,
    /// Mistakes of the daemon against the protocol.
    pub(super) violations: Vec<String>,
    pub(super) config: Option<Config>,
    pub(super) policy: Policy,
    /// `stopping` was said: `running` must not be said any more.
    stopping: bool,
    pub(super) stdout_ended: bool,
    pub(super) status: Option<(Option<i32>, Option<i32>)>,
    requests: u64,
}

impl Log {
    pub(super) fn new(config: Option<Config>, policy: Policy) -> Self {
        Self {
            events: Vec::new(),
            turns: Vec::new(),
            stderr: String::new(),
            violations: Vec::new(),
            config,
            policy,
            stopping: false,
            stdout_ended: false,
            status: None,
            requests: 0,
        }
    }

    pub(super) fn next_request(&mut self) -> String {
        self.requests += 1;
        format!("req-{}", self.requests)
    }

    /// How the daemon ended, once nothing more can come from it.
    pub(super) fn exited(&self) -> Option<(Option<i32>, Option<i32>)> {
        self.status.filter(|_| self.stdout_ended)
    }

    /// Takes a line of stdout; gives the commands that the app sends in answer.
    pub(super) fn line(&mut self, line: &[u8]) -> Vec<Value> {
        if !line.is_ascii() {
            self.violations
                .push(format!("not ASCII: {}", String::from_utf8_lossy(line)));
        }
        let event = match serde_json::from_slice::<Value>(line) {
            Ok(event) if event["type"].is_string() => event,
            _ => {
                self.violations
                    .push(format!("no event: {}", String::from_utf8_lossy(line)));
                return Vec::new();
            }
        };
        let commands = match event["type"].as_str() {
            Some("status_changed") => self.status_changed(&event),
            Some("process_message") => self.process_message(&event),
            _ => Vec::new(),
        };
        self.events.push(event);
        commands
    }

    fn status_changed(&mut self, event: &Value) -> Vec<Value> {
        self.stopping |= event["status"] == "stopping";
        if event["status"] != "running" {
            return Vec::new();
        }
        if self.stopping {
            self.violations.push("running was said after stopping".into());
        }
        // The app sends the whole state at every `running`, not at the first one alone.
        self.config.as_ref().map(Config::command).into_iter().collect()
    }

    fn process_message(&mut self, event: &Value) -> Vec<Value> {
        match Turn::read(event) {
            Ok(turn) => {
                let answer = self.policy.decide(&turn).command(&turn);
                self.turns.push(turn);
                answer.into_iter().collect()
            }
            Err(violation) => {
                self.violations.push(violation);
                Vec::new()
            }
        }
    }
}

/// # What it said
impl FakeHost {
    /// Every event so far.
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        self.shared.look(|log| log.events.clone())
    }

    /// Every event of a type so far.
    #[must_use]
    pub fn events_of(&self, kind: &str) -> Vec<Value> {
        self.shared
            .look(|log| log.events.iter().filter(|e| e["type"] == kind).cloned().collect())
    }

    /// How many events there are: a mark for [`wait_event_since`](Self::wait_event_since).
    #[must_use]
    pub fn mark(&self) -> usize {
        self.shared.look(|log| log.events.len())
    }

    /// Every turn that was asked for so far.
    #[must_use]
    pub fn turns(&self) -> Vec<Turn> {
        self.shared.look(|log| log.turns.clone())
    }

    /// The statuses that were said, in order.
    #[must_use]
    pub fn statuses(&self) -> Vec<String> {
        let events = self.events_of("status_changed");
        events
            .iter()
            .map(|e| e["status"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// What the daemon wrote to stderr.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.shared.look(|log| log.stderr.clone())
    }

    /// All of it, for a failure's message.
    #[must_use]
    pub fn dump(&self) -> String {
        self.shared.look(|log| {
            let mut out = format!("--- host: {} events, status {:?}\n", log.events.len(), log.status);
            for event in &log.events[log.events.len().saturating_sub(150)..] {
                let _ = writeln!(out, "{:.400}", event.to_string());
            }
            let tail = log.stderr.lines().rev().take(100).collect::<Vec<_>>();
            let _ = write!(
                out,
                "--- stderr\n{}",
                tail.into_iter().rev().collect::<Vec<_>>().join("\n")
            );
            out
        })
    }
}

/// # Waits
///
/// All panic with a dump after [`PATIENCE`], and at once when the daemon breaks the protocol or ends.
impl FakeHost {
    /// Waits for an event, which may have come already.
    pub async fn wait_event(&self, what: &str, matches: impl Fn(&Value) -> bool) -> Value {
        self.wait_event_since(0, what, matches).await
    }

    /// Waits for an event after a [`mark`](Self::mark).
    pub async fn wait_event_since(&self, mark: usize, what: &str, matches: impl Fn(&Value) -> bool) -> Value {
        self.until(what, |log| {
            log.events[mark.min(log.events.len())..]
                .iter()
                .find(|e| matches(e))
                .cloned()
        })
        .await
    }

    /// Waits for the first event of a type.
    pub async fn wait_for(&self, kind: &str) -> Value {
        self.wait_event(kind, |e| e["type"] == kind).await
    }

    /// Waits until the daemon has said this status at least once.
    pub async fn wait_status(&self, status: &str) -> Value {
        self.wait_event(status, |e| e["type"] == "status_changed" && e["status"] == status)
            .await
    }

    /// Waits until commands are served.
    pub async fn wait_running(&self) {
        self.wait_status("running").await;
    }

    /// Waits until a channel has this status (`connected`, `auth_expired`, …) at least once.
    pub async fn wait_channel(&self, slug: &str, status: &str) -> Value {
        self.wait_event(&format!("{slug} {status}"), |e| {
            e["type"] == "channel_status" && e["channelId"] == slug && e["status"] == status
        })
        .await
    }

    /// Waits until at least `n` turns were asked for; gives all of them.
    pub async fn wait_turns(&self, n: usize) -> Vec<Turn> {
        self.until(&format!("{n} turns"), |log| {
            (log.turns.len() >= n).then(|| log.turns.clone())
        })
        .await
    }

    /// Waits for a turn with exactly this content.
    pub async fn wait_turn(&self, content: &str) -> Turn {
        self.until(&format!("the turn {content:?}"), |log| {
            log.turns.iter().find(|t| t.content == content).cloned()
        })
        .await
    }

    /// Waits until the daemon wrote something to stderr.
    pub async fn wait_stderr(&self, part: &str) {
        self.until(&format!("{part:?} on stderr"), |log| {
            log.stderr.contains(part).then_some(())
        })
        .await;
    }

    async fn until<T>(&self, what: &str, mut probe: impl FnMut(&Log) -> Option<T>) -> T {
        let look = || {
            self.shared.look(|log| {
                if let Some(found) = probe(log) {
                    return Some(Ok(found));
                }
                let over = log
                    .exited()
                    .map(|status| format!("the daemon ended with {status:?}"));
                log.violations.first().cloned().or(over).map(Err)
            })
        };
        let found = self
            .shared
            .changes
            .until(PATIENCE, what, look, || self.dump())
            .await;
        found.unwrap_or_else(|why| panic!("waiting for {what}: {why}\n{}", self.dump()))
    }
}
