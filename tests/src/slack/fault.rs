//! What can go wrong, by script.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

/// What happens to a call instead of its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// HTTP 429 with `Retry-After`, in seconds; no effect.
    RateLimited {
        /// Seconds.
        retry_after: u64,
    },
    /// This HTTP status; no effect.
    Http(u16),
    /// This HTTP status after the effect.
    HttpAfter(u16),
    /// `ok: false` with this code; no effect.
    OkFalse(&'static str),
    /// `ok: false` with this code after the effect (Slack's `internal_error` may be such a case).
    OkFalseAfter(&'static str),
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

/// How many calls a method takes before it answers 429.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Calls taken in `window`.
    pub calls: usize,
    /// The time they count for.
    pub window: Duration,
    /// The `Retry-After` of a refused call, in seconds.
    pub retry_after: u64,
}

/// Scripted faults and rate models, by method.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    next: HashMap<String, VecDeque<Fault>>,
    always: HashMap<String, Fault>,
    rates: HashMap<String, Rate>,
    /// Recent calls by method and, where Slack limits each conversation, channel.
    recent: HashMap<(String, String), VecDeque<Instant>>,
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

    pub(crate) fn set_rate(&mut self, method: &str, rate: Rate) {
        self.rates.insert(method.to_owned(), rate);
    }

    /// The fault for the next call of `method`.
    pub(crate) fn take(&mut self, method: &str, channel: Option<&str>) -> Option<Fault> {
        let scripted = self.next.get_mut(method).and_then(VecDeque::pop_front);
        scripted
            .or_else(|| self.always.get(method).cloned())
            .or_else(|| self.over_rate(method, channel))
    }

    fn over_rate(&mut self, method: &str, channel: Option<&str>) -> Option<Fault> {
        let rate = *self.rates.get(method)?;
        // Posting is limited per conversation, everything else per method:
        // https://docs.slack.dev/apis/web-api/rate-limits
        let per = channel
            .filter(|_| method.starts_with("chat."))
            .unwrap_or_default();
        let recent = self
            .recent
            .entry((method.to_owned(), per.to_owned()))
            .or_default();
        let now = Instant::now();
        recent.retain(|at| now.duration_since(*at) < rate.window);
        if recent.len() >= rate.calls {
            return Some(Fault::RateLimited {
                retry_after: rate.retry_after,
            });
        }
        recent.push_back(now);
        None
    }
}
