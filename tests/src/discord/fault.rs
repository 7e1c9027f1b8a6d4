//! What can go wrong, by script.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

/// Whose limit a 429 is about.
/// <https://docs.discord.com/developers/topics/rate-limits>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The app's own limit of a route.
    User,
    /// The app's limit over all routes.
    Global,
    /// The resource's limit, whoever calls.
    Shared,
}

impl Scope {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Global => "global",
            Self::Shared => "shared",
        }
    }
}

/// What happens to a call instead of its answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// HTTP 429; no effect.
    RateLimited {
        /// Seconds, with fractions.
        retry_after: f64,
        /// Whose limit.
        scope: Scope,
    },
    /// This HTTP status with a page of text, as from the proxy in front; no effect.
    Http(u16),
    /// This HTTP status after the effect.
    HttpAfter(u16),
    /// This status with Discord's error body of this code; no effect.
    Refused(u16, u32),
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

/// Scripted faults, by operation.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    next: HashMap<String, VecDeque<Fault>>,
    always: HashMap<String, Fault>,
}

impl Faults {
    pub(crate) fn script(&mut self, operation: &str, fault: Fault) {
        self.next
            .entry(operation.to_owned())
            .or_default()
            .push_back(fault);
    }

    pub(crate) fn set_always(&mut self, operation: &str, fault: Option<Fault>) {
        match fault {
            Some(fault) => self.always.insert(operation.to_owned(), fault),
            None => self.always.remove(operation),
        };
    }

    /// The fault for the next call of `operation`.
    pub(crate) fn take(&mut self, operation: &str) -> Option<Fault> {
        let scripted = self.next.get_mut(operation).and_then(VecDeque::pop_front);
        scripted.or_else(|| self.always.get(operation).cloned())
    }
}
