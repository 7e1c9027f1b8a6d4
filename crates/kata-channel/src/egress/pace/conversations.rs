//! What the platform has taught us about its conversations: which must rest until when, and how far apart to send.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use crate::id::ConversationId;

/// The first gap after a rate limit: most platforms take about one message a second in a conversation.
const FIRST_GAP: Duration = Duration::from_secs(1);
const LONGEST_GAP: Duration = Duration::from_secs(30);
/// A gap below this is none.
const SHORTEST_GAP: Duration = Duration::from_millis(200);
/// A platform that asks for more is asked again after this.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3600);
/// An experience this old says nothing about now.
const FORGET_AFTER: Duration = Duration::from_secs(600);
/// Only conversations that were limited of late are remembered. Beyond this many the one that rests least is forgotten: at worst the
/// platform says it again.
const REMEMBERED: usize = 1024;

#[derive(Clone, Copy, Debug)]
struct Experience {
    /// Nothing leaves before this.
    not_before: Instant,
    /// The least time between two sends: doubled by each limit, a quarter shorter with each success.
    gap: Duration,
}

/// The conversations that were limited of late.
#[derive(Debug, Default)]
pub(super) struct Conversations {
    limited: HashMap<ConversationId, Experience>,
}

// === impl Conversations ===

impl Conversations {
    /// How long this conversation must still rest; none = not at all.
    pub(super) fn wait(&mut self, conversation: &ConversationId, now: Instant) -> Option<Duration> {
        let known = self.limited.get(conversation)?;
        if known.is_forgotten(now) {
            self.limited.remove(conversation);
            return None;
        }
        Some(known.not_before.saturating_duration_since(now)).filter(|wait| !wait.is_zero())
    }

    /// Something leaves for this conversation now.
    pub(super) fn sent(&mut self, conversation: &ConversationId, now: Instant) {
        if let Some(known) = self.limited.get_mut(conversation) {
            known.not_before = now + known.gap;
        }
    }

    /// The platform took it.
    pub(super) fn passed(&mut self, conversation: &ConversationId) {
        if let Some(known) = self.limited.get_mut(conversation) {
            known.gap = known.gap * 3 / 4;
            if known.gap < SHORTEST_GAP {
                self.limited.remove(conversation);
            }
        }
    }

    /// The platform asked for a pause.
    pub(super) fn limited(&mut self, conversation: &ConversationId, pause: Option<Duration>, now: Instant) {
        let gap = self
            .limited
            .get(conversation)
            .map_or(FIRST_GAP, |known| known.gap * 2)
            .min(LONGEST_GAP);
        let not_before = now + pause.unwrap_or(gap).min(LONGEST_PAUSE);
        self.make_room(conversation, now);
        let known = self
            .limited
            .entry(conversation.clone())
            .or_insert(Experience { not_before, gap });
        known.gap = gap;
        known.not_before = known.not_before.max(not_before);
    }

    fn make_room(&mut self, for_conversation: &ConversationId, now: Instant) {
        if self.limited.len() < REMEMBERED || self.limited.contains_key(for_conversation) {
            return;
        }
        self.limited.retain(|_, known| !known.is_forgotten(now));
        if self.limited.len() < REMEMBERED {
            return;
        }
        let rests_least = self
            .limited
            .iter()
            .min_by_key(|(_, known)| known.not_before)
            .map(|(id, _)| id.clone());
        if let Some(id) = rests_least {
            self.limited.remove(&id);
        }
    }
}

// === impl Experience ===

impl Experience {
    fn is_forgotten(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.not_before) > FORGET_AFTER
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn c(name: &str) -> ConversationId {
        ConversationId::new(name)
    }

    #[test]
    fn an_old_experience_is_forgotten() {
        let (mut seen, now) = (Conversations::default(), Instant::now());
        seen.limited(&c("C1"), None, now);
        assert_eq!(seen.wait(&c("C1"), now), Some(FIRST_GAP));
        assert_eq!(
            seen.wait(
                &c("C1"),
                now + FIRST_GAP + FORGET_AFTER + Duration::from_millis(1)
            ),
            None
        );
        assert!(seen.limited.is_empty());
    }

    #[test]
    fn memory_is_bounded_and_the_longest_pauses_stay() {
        let (mut seen, now) = (Conversations::default(), Instant::now());
        for i in 0..u32::try_from(REMEMBERED).unwrap() + 50 {
            let pause = Duration::from_secs(u64::from(i) + 1);
            seen.limited(&c(&i.to_string()), Some(pause), now);
        }
        assert_eq!(seen.limited.len(), REMEMBERED);
        assert_eq!(seen.wait(&c("49"), now), None);
        assert!(seen.wait(&c("50"), now).is_some());
    }

    #[test]
    fn a_pause_without_end_is_asked_about_again() {
        let (mut seen, now) = (Conversations::default(), Instant::now());
        seen.limited(&c("C1"), Some(Duration::MAX), now);
        assert_eq!(seen.wait(&c("C1"), now), Some(LONGEST_PAUSE));
    }

    proptest! {
        /// Whatever happens, a gap stays in its bounds, and enough successes in a row forget the limits.
        #[test]
        fn the_pace_recovers(limits in 1..40usize, mixed in prop::collection::vec(any::<bool>(), 0..40)) {
            let (mut seen, now) = (Conversations::default(), Instant::now());
            let only = c("C1");
            for limited in std::iter::repeat_n(true, limits).chain(mixed) {
                if limited { seen.limited(&only, None, now) } else { seen.passed(&only) }
                for known in seen.limited.values() {
                    prop_assert!((SHORTEST_GAP..=LONGEST_GAP).contains(&known.gap));
                }
            }
            for _ in 0..20 {
                seen.passed(&only);
            }
            prop_assert_eq!(seen.wait(&only, now), None);
        }
    }
}
