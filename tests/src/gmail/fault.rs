//! What can go wrong, by script.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

/// What happens to a call instead of its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// HTTP 429 with `Retry-After`, in seconds; no effect.
    RateLimited {
        /// Seconds.
        retry_after: u64,
    },
    /// This status with this `reason`; no effect.
    Refuse(u16, &'static str),
    /// This status after the effect.
    RefuseAfter(u16, &'static str),
    /// The connection is cut before the effect.
    CutBefore,
    /// The effect happens, the connection is cut before the reply.
    CutAfter,
    /// Nothing happens and nothing is answered.
    Hang,
    /// The effect happens and nothing is answered.
    HangAfter,
    /// HTTP 200 with a page of HTML (a captive portal); no effect.
    Html,
    /// The call is answered this much later.
    SlowBy(Duration),
}

/// Scripted faults, by method.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    next: HashMap<String, VecDeque<Fault>>,
    always: HashMap<String, Fault>,
}

impl Faults {
    pub(crate) fn script(&mut self, method: &str, fault: Fault) {
        self.next.entry(method.to_owned()).or_default().push_back(fault);
    }

    pub(crate) fn set_always(&mut self, method: &str, fault: Option<Fault>) {
        match fault {
            Some(fault) => self.always.insert(method.to_owned(), fault),
            None => self.always.remove(method),
        };
    }

    /// The fault for the next call of `method`.
    pub(crate) fn take(&mut self, method: &str) -> Option<Fault> {
        let scripted = self.next.get_mut(method).and_then(VecDeque::pop_front);
        scripted.or_else(|| self.always.get(method).cloned())
    }
}
