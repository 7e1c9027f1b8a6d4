//! Which events wait to be stored. Discord is not told when one is (there is no acknowledgement), but a session that is resumed
//! says from where on it wants them again: from the first one that was not stored (D1).

use std::collections::BTreeMap;

/// Sequence numbers that are on their way to the store.
#[derive(Debug, Default)]
pub(super) struct Pending {
    waiting: BTreeMap<u64, usize>,
    last: u64,
}

// === impl Pending ===

impl Pending {
    pub(super) fn new(stored: u64) -> Self {
        Self {
            waiting: BTreeMap::new(),
            last: stored,
        }
    }

    /// The last one that was received: what a heartbeat says.
    pub(super) fn received(&self) -> u64 {
        self.last
    }

    /// An event came in, of which so many parts go to the store.
    pub(super) fn came(&mut self, seq: u64, parts: usize) {
        self.last = self.last.max(seq);
        if parts > 0 {
            *self.waiting.entry(seq).or_default() += parts;
        }
    }

    /// A part of it is stored.
    pub(super) fn stored(&mut self, seq: u64) {
        if let Some(parts) = self.waiting.get_mut(&seq) {
            *parts -= 1;
            if *parts == 0 {
                self.waiting.remove(&seq);
            }
        }
    }

    /// Everything up to here is stored.
    pub(super) fn all_until(&self) -> u64 {
        self.waiting
            .first_key_value()
            .map_or(self.last, |(first, _)| first.saturating_sub(1).min(self.last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_behind_an_event_that_waits_counts_as_stored() {
        let mut pending = Pending::new(4);
        pending.came(5, 1);
        pending.came(6, 0);
        pending.came(7, 2);
        assert_eq!((pending.received(), pending.all_until()), (7, 4));
        pending.stored(7);
        pending.stored(5);
        assert_eq!(pending.all_until(), 6, "half of 7 is missing");
        pending.stored(7);
        assert_eq!(pending.all_until(), 7);
    }
}
