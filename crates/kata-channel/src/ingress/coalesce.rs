//! Waiting a moment, so that what somebody says in three messages becomes one turn (D14). Behind the quota: of two
//! reasons to wait the longer one counts.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{
    id::Place,
    inbound::Inbound,
    ingress::Step,
    settings,
    time::{Clock, Timestamp},
};

/// So many places are remembered before those whose window is over are forgotten.
const SWEEP_AT: usize = 1024;

/// Stamps `not_before` on what waits for a turn: the end of the window that the place's first message opened.
///
/// All messages of a window get the same stamp, since only rows that are due share a turn, and the first one waits no longer
/// for those that follow. A message that is older than its window (caught up, delivered late) waits for nothing.
#[derive(Debug)]
pub struct Coalesce {
    window: Duration,
    /// The end of the window that is open, by place.
    open: Mutex<HashMap<Place, Timestamp>>,
    clock: Clock,
}

impl Coalesce {
    /// For one channel; without a window it does nothing.
    #[must_use]
    pub fn new(settings: &settings::Coalesce, clock: Clock) -> Self {
        Self {
            window: settings.window(),
            open: Mutex::default(),
            clock,
        }
    }

    /// When a message that arrives now may have its turn, if not at once.
    fn end_of_window(&self, message: &Inbound) -> Option<Timestamp> {
        let now = self.clock.wall();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // A window that ends later than one opened now was opened before the wall clock was set back.
        let is_open = |end: &Timestamp| *end > now && *end <= now + self.window;
        if let Some(end) = open.get(&message.place).filter(|end| is_open(end)) {
            return Some(*end);
        }
        if open.len() >= SWEEP_AT {
            open.retain(|_, end| is_open(end));
        }
        // The platform's clock may be ahead of ours: nobody waits longer than a window for that.
        let end = message.sent_at.min(now) + self.window;
        (end > now).then(|| {
            open.insert(message.place.clone(), end);
            end
        })
    }
}

impl Step for Coalesce {
    fn step(&self, message: &mut Inbound) {
        if self.window.is_zero() || !message.starts_a_turn() {
            return;
        }
        message.not_before = message.not_before.max(self.end_of_window(message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        inbound::{Kind, OrderKey},
        ingress::sample,
        time::ManualClock,
    };

    const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn window(ms: u64, clock: &ManualClock) -> Coalesce {
        let settings = settings::Coalesce {
            window_ms: ms,
            ..settings::Coalesce::default()
        };
        Coalesce::new(&settings, clock.clock())
    }

    fn sent(at: Timestamp) -> Inbound {
        Inbound {
            sent_at: at,
            ..sample::message("hi")
        }
    }

    fn after(ms: u64) -> Timestamp {
        START + Duration::from_millis(ms)
    }

    fn stamp(coalesce: &Coalesce, mut message: Inbound) -> Option<Timestamp> {
        coalesce.step(&mut message);
        message.not_before
    }

    #[test]
    fn what_follows_within_the_window_waits_for_its_end_with_the_first() {
        let clock = ManualClock::at(START);
        let coalesce = window(3000, &clock);
        assert_eq!(stamp(&coalesce, sent(START)), Some(after(3000)));
        clock.set_wall(after(2900));
        assert_eq!(stamp(&coalesce, sent(after(2900))), Some(after(3000)));
        clock.set_wall(after(3000));
        assert_eq!(
            stamp(&coalesce, sent(after(3000))),
            Some(after(6000)),
            "the window is over: the next one opens"
        );
    }

    #[test]
    fn each_place_has_a_window_of_its_own() {
        let clock = ManualClock::at(START);
        let coalesce = window(3000, &clock);
        stamp(&coalesce, sent(START));
        clock.set_wall(after(1000));
        let elsewhere = Inbound {
            place: Place::conversation("C2"),
            ..sent(after(1000))
        };
        assert_eq!(stamp(&coalesce, elsewhere), Some(after(4000)));
    }

    #[test]
    fn what_comes_late_waits_for_nothing() {
        let coalesce = window(3000, &ManualClock::at(after(60_000)));
        assert_eq!(stamp(&coalesce, sent(START)), None);
    }

    #[test]
    fn a_platform_whose_clock_is_ahead_makes_nobody_wait_longer() {
        let coalesce = window(3000, &ManualClock::at(START));
        assert_eq!(stamp(&coalesce, sent(after(600_000))), Some(after(3000)));
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nobody_up() {
        let clock = ManualClock::at(after(86_400_000));
        let coalesce = window(3000, &clock);
        stamp(&coalesce, sent(after(86_400_000)));
        clock.set_wall(START);
        assert_eq!(stamp(&coalesce, sent(START)), Some(after(3000)));
    }

    #[test]
    fn the_longer_wait_counts() {
        let coalesce = window(3000, &ManualClock::at(START));
        let waits = |until| Inbound {
            not_before: Some(until),
            ..sent(START)
        };
        assert_eq!(stamp(&coalesce, waits(after(9000))), Some(after(9000)));
        assert_eq!(stamp(&coalesce, waits(after(1000))), Some(after(3000)));
    }

    #[test]
    fn edits_and_channels_without_a_window_are_left_alone() {
        let clock = ManualClock::at(START);
        assert_eq!(stamp(&window(0, &clock), sent(START)), None);
        let edit = Inbound {
            kind: Kind::Edit { edited: OrderKey(2) },
            ..sent(START)
        };
        assert_eq!(stamp(&window(3000, &clock), edit), None);
    }
}
