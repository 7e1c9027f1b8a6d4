//! Remembers Slack's requests for a pause: per method, and per conversation where the limit is a conversation's
//! (<https://docs.slack.dev/apis/web-api/rate-limits>). Until a pause is over, the answer is given without a call.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::Call;
use crate::errors::CallError;

/// Slack always says how long; should it forget, this is polite.
const UNSAID: Duration = Duration::from_secs(1);

type Key = (&'static str, Option<String>);

/// The pauses that are running, for one token. They are few, and gone ones are swept when one is added.
#[derive(Debug, Default)]
pub(crate) struct Meter(Mutex<HashMap<Key, Instant>>);

// === impl Meter ===

impl Meter {
    /// # Errors
    /// `Limited` while a pause for this call is running, with what is left of it.
    pub(crate) fn check(&self, call: Call<'_>) -> Result<(), CallError> {
        let until = self.lock().get(&key(call)).copied();
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        match left.filter(|left| !left.is_zero()) {
            Some(left) => Err(CallError::Limited {
                what: name(call),
                retry_after: Some(left),
            }),
            None => Ok(()),
        }
    }

    /// Takes note of an error that asks for a pause, and names what is limited.
    pub(crate) fn note(&self, call: Call<'_>, error: CallError) -> CallError {
        let asked = match &error {
            CallError::Limited { retry_after, .. } => *retry_after,
            CallError::Refused(refusal) if matches!(&*refusal.code, "ratelimited" | "rate_limited") => None,
            _ => return error,
        };
        let now = Instant::now();
        let pause = asked.unwrap_or(UNSAID);
        let mut pauses = self.lock();
        pauses.retain(|_, until| *until > now);
        if let Some(until) = now.checked_add(pause) {
            pauses.insert(key(call), until);
        }
        CallError::Limited {
            what: name(call),
            retry_after: Some(pause),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(call: Call<'_>) -> Key {
    (call.method, call.per.map(str::to_owned))
}

fn name(call: Call<'_>) -> String {
    match call.per {
        Some(conversation) => format!("{} in {conversation}", call.method),
        None => call.method.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POST: &str = "chat.postMessage";

    fn limited(seconds: u64) -> CallError {
        CallError::Limited {
            what: POST.into(),
            retry_after: Some(Duration::from_secs(seconds)),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_for_its_method_and_conversation_alone() {
        let meter = Meter::default();
        let here = Call {
            method: POST,
            per: Some("C1"),
        };
        meter.note(here, limited(30));
        assert!(
            matches!(meter.check(here), Err(CallError::Limited { what, .. }) if what == "chat.postMessage in C1")
        );
        assert_eq!(
            meter.check(Call {
                method: POST,
                per: Some("C2")
            }),
            Ok(())
        );
        assert_eq!(meter.check(Call::method("conversations.history")), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_left_of_a_pause_shrinks_and_ends() {
        let meter = Meter::default();
        let call = Call::method("conversations.history");
        meter.note(call, limited(30));
        tokio::time::advance(Duration::from_secs(20)).await;
        let Err(CallError::Limited { retry_after, .. }) = meter.check(call) else {
            panic!("still running")
        };
        assert_eq!(retry_after, Some(Duration::from_secs(10)));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(meter.check(call), Ok(()));
    }
}
