//! Rate limits. <https://docs.discord.com/developers/topics/rate-limits>

use std::{collections::HashMap, time::Duration};

use axum::http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::fault::Scope;

/// How many calls a bucket takes.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Calls taken in `window`.
    pub calls: u32,
    /// The time after which as many are taken again.
    pub window: Duration,
}

#[derive(Debug)]
struct Bucket {
    left: u32,
    ends: Instant,
}

/// A call's place in its bucket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    limit: u32,
    left: u32,
    reset_after: Duration,
    bucket: u64,
}

/// A 429.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limited {
    pub(crate) retry_after: f64,
    pub(crate) scope: Scope,
}

/// A bucket is a route with its channel, guild or webhook.
#[derive(Debug, Default)]
pub(crate) struct Buckets {
    rates: HashMap<String, Rate>,
    global: Option<Rate>,
    all: HashMap<(String, String), Bucket>,
    everything: Option<Bucket>,
}

/// Generous, so that tests of other things do not wait.
const USUAL: Rate = Rate {
    calls: 1000,
    window: Duration::from_secs(1),
};

impl Buckets {
    pub(crate) fn set(&mut self, operation: &str, rate: Rate) {
        self.rates.insert(operation.to_owned(), rate);
        self.all.retain(|(name, _), _| name != operation);
    }

    pub(crate) fn set_global(&mut self, rate: Option<Rate>) {
        self.global = rate;
        self.everything = None;
    }

    /// Counts a call; `major` is its channel, guild or webhook.
    pub(crate) fn count(&mut self, operation: &str, major: &str) -> (Place, Option<Limited>) {
        let now = Instant::now();
        let limited = self.global.and_then(|rate| {
            let bucket = current(self.everything.get_or_insert(full(rate, now)), rate, now);
            take(bucket, now).map(|retry_after| Limited {
                retry_after,
                scope: Scope::Global,
            })
        });
        let rate = self.rates.get(operation).copied().unwrap_or(USUAL);
        let key = (operation.to_owned(), major.to_owned());
        let bucket = current(self.all.entry(key).or_insert(full(rate, now)), rate, now);
        let limited = limited.or_else(|| {
            take(bucket, now).map(|retry_after| Limited {
                retry_after,
                scope: Scope::User,
            })
        });
        let place = Place {
            limit: rate.calls,
            left: bucket.left,
            reset_after: bucket.ends.duration_since(now),
            bucket: operation.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            }),
        };
        (place, limited)
    }
}

fn full(rate: Rate, now: Instant) -> Bucket {
    Bucket {
        left: rate.calls,
        ends: now + rate.window,
    }
}

fn current(bucket: &mut Bucket, rate: Rate, now: Instant) -> &mut Bucket {
    if bucket.ends <= now {
        *bucket = full(rate, now);
    }
    bucket
}

/// Takes one; or says after how many seconds there are more.
fn take(bucket: &mut Bucket, now: Instant) -> Option<f64> {
    match bucket.left.checked_sub(1) {
        Some(left) => {
            bucket.left = left;
            None
        }
        None => Some(bucket.ends.duration_since(now).as_secs_f64()),
    }
}

impl Place {
    pub(crate) fn headers(&self, into: &mut HeaderMap) {
        let after = self.reset_after.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of this century fit")]
        let now = jiff::Timestamp::now().as_millisecond() as f64 / 1000.0;
        for (name, value) in [
            ("x-ratelimit-limit", self.limit.to_string()),
            ("x-ratelimit-remaining", self.left.to_string()),
            ("x-ratelimit-reset", format!("{:.3}", now + after)),
            ("x-ratelimit-reset-after", format!("{after:.3}")),
            ("x-ratelimit-bucket", format!("{:016x}", self.bucket)),
        ] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                into.insert(name, value);
            }
        }
    }
}

impl Limited {
    pub(crate) fn body(&self) -> Value {
        let message = match self.scope {
            Scope::Shared => "The resource is being rate limited.",
            Scope::User | Scope::Global => "You are being rate limited.",
        };
        json!({"message": message, "retry_after": self.retry_after, "global": self.scope == Scope::Global})
    }

    pub(crate) fn headers(&self, into: &mut HeaderMap) {
        let whole = format!("{:.0}", self.retry_after.ceil());
        if let Ok(value) = HeaderValue::from_str(&whole) {
            into.insert("retry-after", value);
        }
        into.insert("x-ratelimit-scope", HeaderValue::from_static(self.scope.name()));
        if self.scope == Scope::Global {
            into.insert("x-ratelimit-global", HeaderValue::from_static("true"));
        }
    }
}
