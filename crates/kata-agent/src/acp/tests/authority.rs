//! Says yes or no to everything, or what the rules say, and remembers what it was asked.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use kata_perm::{
    Context, Decision, Policy, Role, ToolCall, Verdict,
    gate::{Authority, Error, Resolution, Situation},
};
use tokio::sync::Notify;

use crate::Stopwatch;

pub(in crate::acp) struct Judge {
    /// None = what the rules of the base say.
    decision: Option<Decision>,
    can_write: bool,
    becomes: Resolution,
    verdicts: Mutex<Vec<Verdict>>,
    calls: Mutex<Vec<ToolCall>>,
    meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    /// Held while a person is asked.
    pub(super) watch: Stopwatch,
    pub(super) asked: Notify,
    pub(super) answer: Notify,
}

impl Judge {
    pub(in crate::acp) fn yes() -> Self {
        Self::new(Some(Decision::Allow))
    }

    pub(in crate::acp) fn no() -> Self {
        Self::new(Some(Decision::Deny))
    }

    /// Asks a person first, who says yes when [`answer`](Self::answer) is notified.
    pub(super) fn asking() -> Self {
        Self::new(Some(Decision::Ask))
    }

    /// Asks, and nobody answers before [`answer`](Self::answer) is notified.
    pub(super) fn asking_in_vain(after: Duration) -> Self {
        Self {
            becomes: Resolution::Expired { after },
            ..Self::asking()
        }
    }

    /// Goes by the rules of the base.
    pub(super) fn by_the_rules() -> Self {
        Self::new(None)
    }

    /// Can write nothing down.
    pub(super) fn unable_to_write() -> Self {
        Self {
            can_write: false,
            ..Self::by_the_rules()
        }
    }

    fn new(decision: Option<Decision>) -> Self {
        Self {
            decision,
            can_write: true,
            becomes: Resolution::Allowed,
            verdicts: Mutex::default(),
            calls: Mutex::default(),
            meanwhile: Mutex::default(),
            watch: Stopwatch::new(),
            asked: Notify::new(),
            answer: Notify::new(),
        }
    }

    /// What it was asked, in order.
    pub(in crate::acp) fn calls(&self) -> Vec<ToolCall> {
        self.calls.lock().unwrap().clone()
    }

    /// What was written down, in order.
    pub(super) fn verdicts(&self) -> Vec<Verdict> {
        self.verdicts.lock().unwrap().clone()
    }

    /// Something that happens while it thinks.
    pub(in crate::acp) fn meanwhile(&self, happens: impl FnOnce() + Send + 'static) {
        *self.meanwhile.lock().unwrap() = Some(Box::new(happens));
    }
}

#[async_trait]
impl Authority for Judge {
    async fn situation(&self) -> Result<Situation, Error> {
        Ok(Situation {
            policy: Arc::new(Policy::base()),
            context: Context::new(Role::Owner),
        })
    }

    async fn record(&self, call: &ToolCall, verdict: Verdict) -> Result<Verdict, Error> {
        if !self.can_write {
            return Err("the disk is full".into());
        }
        self.verdicts.lock().unwrap().push(verdict.clone());
        let mut calls = self.calls.lock().unwrap();
        // After a "yes" the same call is looked at once more.
        let is_granted = self.decision == Some(Decision::Ask) && calls.last() == Some(call);
        calls.push(call.clone());
        if let Some(happens) = self.meanwhile.lock().unwrap().take() {
            happens();
        }
        let decision = if is_granted {
            Decision::Allow
        } else {
            self.decision.unwrap_or(verdict.decision)
        };
        Ok(Verdict { decision, ..verdict })
    }

    async fn ask(&self, _: &ToolCall, _: &Verdict) -> Result<Resolution, Error> {
        let _hold = self.watch.hold();
        self.asked.notify_one();
        self.answer.notified().await;
        Ok(self.becomes.clone())
    }
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judge")
            .field("decision", &self.decision)
            .finish_non_exhaustive()
    }
}
