//! A small delay, so that what is scheduled for the full hour does not begin all at once.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::Schedule;

// === impl Schedule ===

impl Schedule {
    /// When a run of this task begins: at its slot or later, by less than `max`, and before the next slot.
    ///
    /// The same task and slot have the same delay, also after a restart. It is not random, and needs not be: it only has to
    /// differ from task to task.
    #[must_use]
    pub fn jittered(&self, slot: Timestamp, task: i64, max: Duration) -> Timestamp {
        let max = SignedDuration::try_from(max).unwrap_or(SignedDuration::MAX);
        let room = self
            .next(slot)
            .map_or(max, |next| max.min(next.duration_since(slot)));
        let Some(room) = u64::try_from(room.as_millis()).ok().filter(|&room| room > 0) else {
            return slot;
        };
        let delay = scatter(task, slot.as_millisecond()) % room;
        i64::try_from(delay)
            .ok()
            .and_then(|delay| slot.checked_add(SignedDuration::from_millis(delay)).ok())
            .unwrap_or(slot)
    }
}

/// Two numbers to one that looks random: the finalizer of
/// [SplitMix64](https://docs.oracle.com/javase/8/docs/api/java/util/SplittableRandom.html), once for each. A hasher of the
/// standard library may change with the compiler, and with it every delay.
fn scatter(task: i64, slot: i64) -> u64 {
    mix(mix(task.cast_unsigned()) ^ slot.cast_unsigned())
}

fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
