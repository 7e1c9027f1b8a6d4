//! Gmail's search knows a new mail a moment later than the mailbox's history does, and nobody says how much later. What it
//! does not find is not decided until that moment has surely passed.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use kata_channel::Timestamp;

/// The search knows a mail within this time. Seconds are usual.
pub(super) const KNOWN_WITHIN: Duration = Duration::from_secs(3 * 60);
/// A mail is remembered for so long: the cursor has passed it by then.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// Mails that a query did not find, with the time of the first asking. A restart begins anew, which costs time and no mail.
#[derive(Debug, Default)]
pub(super) struct Unmatched(Mutex<HashMap<String, Timestamp>>);

// === impl Unmatched ===

impl Unmatched {
    /// Whether a mail that was not found now may still be found later.
    pub(super) fn may_be_late(&self, id: &str, now: Timestamp) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was put back would let a mail wait for long.
        all.retain(|_, first| *first <= now && now.since(*first) < REMEMBERED);
        let first = *all.entry(id.to_owned()).or_insert(now);
        now.since(first) < KNOWN_WITHIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_found_is_decided_after_a_while_and_forgotten_after_a_longer_one() {
        let unmatched = Unmatched::default();
        let at = |seconds: i64| Timestamp::from_millis(1_800_000_000_000 + seconds * 1000);
        for (seconds, late) in [(0, true), (179, true), (180, false), (240, false), (3600, true)] {
            assert_eq!(unmatched.may_be_late("a", at(seconds)), late, "{seconds}");
        }
        assert!(unmatched.may_be_late("b", at(3601)), "each has its own time");
        assert!(unmatched.may_be_late("a", at(60)), "whatever the clock does");
        assert!(!unmatched.may_be_late("a", at(240)));
    }
}
