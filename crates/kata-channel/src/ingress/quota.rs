//! Turn quotas: they delay, they never drop. Behind all that decides, so that only what waits for a turn is metered.

use std::{
    collections::{HashMap, VecDeque},
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
};

use crate::{
    control::Control,
    id::{ConversationId, MessageId, SenderId},
    inbound::{Consumed, Disposition, Inbound, Kind},
    ingress::{Step, meter::Meter},
    settings::{self, CatchUp, Edits},
    time::{Clock, Timestamp},
};

/// So many messages are remembered with their stamp.
const REMEMBERED: usize = 4096;

/// Stamps `not_before` on what comes faster than the channel's quota (D1). The claim honours it.
///
/// A message takes its slot of the sender's quota and of the channel's at once, and waits for the later one: a sender who
/// floods spends the channel's quota too, but nobody waits for another sender's own. Whoever asks the same again, by a
/// reaction or by an edit that becomes a turn, asks for a turn and pays for it.
#[derive(Debug)]
pub struct Quota {
    meters: Option<Mutex<Meters>>,
    /// What comes in a digest is one turn, however many it is: it is not metered.
    catch_up: CatchUp,
    edits: Edits,
    clock: Clock,
}

#[derive(Debug)]
struct Meters {
    settings: settings::Quota,
    per_sender: Option<Meter<SenderId>>,
    channel: Option<Meter<()>>,
    stamped: Stamped,
    latest: Timestamp,
}

/// History brings every pushed message once more: it must not pay twice.
#[derive(Debug, Default)]
struct Stamped {
    stamps: HashMap<(ConversationId, MessageId), Option<Timestamp>>,
    order: VecDeque<(ConversationId, MessageId)>,
}

impl Quota {
    /// A meter for one channel; without a quota in `settings` it does nothing. A quota of zero is none.
    #[must_use]
    pub fn new(settings: &settings::Quota, clock: Clock) -> Self {
        let meters = Meters::new(*settings, clock.wall());
        let metered = meters.per_sender.is_some() || meters.channel.is_some();
        Self {
            meters: metered.then(|| Mutex::new(meters)),
            catch_up: CatchUp::default(),
            edits: Edits::Ignore,
            clock,
        }
    }

    /// Of a channel that catches up like this.
    #[must_use]
    pub fn catching_up(mut self, settings: &CatchUp) -> Self {
        self.catch_up = settings.clone();
        self
    }

    /// With what an edit does that comes too late: one that may become a turn pays like a message. Which one will is known
    /// behind us alone, so that one in time pays too.
    #[must_use]
    pub fn edits(self, edits: Edits) -> Self {
        Self { edits, ..self }
    }

    fn meters(&self, message: &Inbound) -> bool {
        match (&message.disposition, &message.kind) {
            (Disposition::Turn, Kind::Edit { .. }) => self.edits == Edits::FollowUp,
            (Disposition::Turn, _) => {
                let age = self.clock.wall().since(message.sent_at);
                message.starts_a_turn() && !self.catch_up.digests(age)
            }
            (Disposition::Consumed(Consumed::Control { what, .. }), _) => *what == Control::Retry,
            (Disposition::Consumed(_) | Disposition::Refused(_), _) => false,
        }
    }
}

impl Step for Quota {
    fn step(&self, message: &mut Inbound) {
        let Some(meters) = &self.meters else { return };
        if !self.meters(message) {
            return;
        }
        let mut meters = meters.lock().unwrap_or_else(PoisonError::into_inner);
        message.not_before = meters.stamp(message, self.clock.wall());
    }

    /// Also a reaction that is consumed, and asks for a turn.
    fn concerns(&self, disposition: &Disposition) -> bool {
        matches!(
            disposition,
            Disposition::Turn | Disposition::Consumed(Consumed::Control { .. })
        )
    }
}

impl Meters {
    fn new(settings: settings::Quota, now: Timestamp) -> Self {
        let rate = |per_minute: Option<u32>| per_minute.and_then(NonZeroU32::new);
        Self {
            settings,
            per_sender: rate(settings.turns_per_minute_per_sender).map(|rate| Meter::new(rate, now)),
            channel: rate(settings.turns_per_minute).map(|rate| Meter::new(rate, now)),
            stamped: Stamped::default(),
            latest: now,
        }
    }

    fn stamp(&mut self, message: &Inbound, now: Timestamp) -> Option<Timestamp> {
        if now < self.latest {
            // The wall clock was set back: slots that were reserved on the old time would hold everyone up.
            *self = Self::new(self.settings, now);
        }
        self.latest = now;
        let id = match &message.kind {
            // An edit has its message's id.
            Kind::Edit { edited } => format!("{}:edit:{}", message.id, edited.0).into(),
            _ => message.id.clone(),
        };
        let id = (message.place.conversation.clone(), id);
        if let Some(stamp) = self.stamped.stamps.get(&id) {
            return *stamp;
        }
        let of_sender = self
            .per_sender
            .as_mut()
            .map(|meter| meter.reserve(&message.sender.id, now));
        let of_channel = self.channel.as_mut().map(|meter| meter.reserve(&(), now));
        let stamp = of_sender.max(of_channel).filter(|slot| *slot > now);
        self.stamped.remember(id, stamp);
        stamp
    }
}

impl Stamped {
    fn remember(&mut self, id: (ConversationId, MessageId), stamp: Option<Timestamp>) {
        if self.order.len() == REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.stamps.remove(&oldest);
        }
        self.order.push_back(id.clone());
        self.stamps.insert(id, stamp);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{control::Emoji, inbound::OrderKey, ingress::sample, time::ManualClock};

    const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn quota(per_sender: Option<u32>, channel: Option<u32>, clock: &ManualClock) -> Quota {
        let settings = settings::Quota {
            turns_per_minute_per_sender: per_sender,
            turns_per_minute: channel,
            ..settings::Quota::default()
        };
        Quota::new(&settings, clock.clock())
    }

    /// Seconds from `START` until the message may have its turn; none = at once.
    fn stamp(quota: &Quota, by: &str, id: usize) -> Option<u64> {
        let mut message = Inbound {
            sender: sample::sender(by),
            id: id.to_string().into(),
            ..sample::message("hi")
        };
        quota.step(&mut message);
        message.not_before.map(|at| at.since(START).as_secs())
    }

    #[test]
    fn ten_messages_at_one_a_minute_get_ten_minutes() {
        let quota = quota(None, Some(1), &ManualClock::at(START));
        let stamps: Vec<_> = (0..10).map(|id| stamp(&quota, "U1", id)).collect();
        assert_eq!(stamps[0], None);
        assert_eq!(
            stamps[1..],
            (1..10).map(|minute| Some(minute * 60)).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_sender_waits_for_the_own_quota_alone() {
        let quota = quota(Some(1), None, &ManualClock::at(START));
        assert_eq!(stamp(&quota, "U1", 1), None);
        assert_eq!(stamp(&quota, "U1", 2), Some(60));
        assert_eq!(stamp(&quota, "U2", 3), None);
    }

    #[test]
    fn the_later_of_both_slots_counts() {
        let quota = quota(Some(1), Some(2), &ManualClock::at(START));
        assert_eq!(stamp(&quota, "U1", 1), None);
        assert_eq!(stamp(&quota, "U1", 2), Some(60));
        assert_eq!(
            stamp(&quota, "U2", 3),
            Some(30),
            "both slots of the channel are taken"
        );
    }

    #[test]
    fn a_message_seen_again_pays_once_and_keeps_its_stamp() {
        let quota = quota(None, Some(1), &ManualClock::at(START));
        for _ in 0..3 {
            assert_eq!(stamp(&quota, "U1", 1), None);
            assert_eq!(stamp(&quota, "U1", 2), Some(60));
        }
    }

    fn stamped(quota: &Quota, mut message: Inbound) -> Option<u64> {
        assert!(quota.concerns(&message.disposition));
        quota.step(&mut message);
        message.not_before.map(|at| at.since(START).as_secs())
    }

    #[test]
    fn whoever_asks_again_by_a_reaction_pays_and_whoever_stops_does_not() {
        let quota = quota(Some(1), None, &ManualClock::at(START));
        let reaction = |what, id: &str| Inbound {
            sender: sample::sender("U1"),
            id: id.into(),
            kind: Kind::Reaction {
                on: "1".into(),
                emoji: Emoji::new("x"),
            },
            disposition: Disposition::Consumed(Consumed::Control { on: "1".into(), what }),
            ..sample::message("x")
        };
        assert_eq!(stamp(&quota, "U1", 1), None);
        assert_eq!(stamped(&quota, reaction(Control::Retry, "r1")), Some(60));
        assert_eq!(
            stamped(&quota, reaction(Control::Retry, "r1")),
            Some(60),
            "seen again"
        );
        assert_eq!(stamped(&quota, reaction(Control::Stop, "r2")), None);
        assert_eq!(stamped(&quota, reaction(Control::Retry, "r3")), Some(120));
        assert_eq!(stamp(&quota, "U2", 2), None);
    }

    #[test]
    fn an_edit_that_may_become_a_turn_pays_once_for_each_text() {
        let clock = ManualClock::at(START);
        let edit = |edited| Inbound {
            sender: sample::sender("U1"),
            id: "1".into(),
            kind: Kind::Edit {
                edited: OrderKey(edited),
            },
            ..sample::message("better")
        };
        let follow = quota(Some(1), None, &clock).edits(Edits::FollowUp);
        assert_eq!(stamp(&follow, "U1", 1), None);
        assert_eq!(stamped(&follow, edit(7)), Some(60));
        assert_eq!(stamped(&follow, edit(7)), Some(60), "seen again");
        assert_eq!(stamped(&follow, edit(8)), Some(120));
        let ignore = quota(Some(1), None, &clock);
        assert_eq!(stamp(&ignore, "U1", 1), None);
        assert_eq!(stamped(&ignore, edit(7)), None);
        assert_eq!(stamp(&ignore, "U1", 2), Some(60));
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nobody_up() {
        let clock = ManualClock::at(START + Duration::from_secs(86_400));
        let quota = quota(None, Some(1), &clock);
        stamp(&quota, "U1", 1);
        clock.set_wall(START);
        assert_eq!(stamp(&quota, "U1", 2), None);
        assert_eq!(stamp(&quota, "U1", 3), Some(60));
    }

    #[test]
    fn what_comes_in_a_digest_is_one_turn_and_holds_nobody_up() {
        let digest = CatchUp {
            mode: settings::CatchUpMode::Digest,
            ..CatchUp::default()
        };
        let quota = quota(None, Some(1), &ManualClock::at(START)).catching_up(&digest);
        let stamp = |id: usize, ago: u64| {
            let mut message = Inbound {
                id: id.to_string().into(),
                sent_at: START - Duration::from_secs(ago),
                ..sample::message("hi")
            };
            quota.step(&mut message);
            message.not_before
        };
        assert!((0..10).all(|id| stamp(id, 3600).is_none()));
        assert_eq!(stamp(10, 0), None, "the first that is news");
        assert!(stamp(11, 0).is_some());
    }

    #[test]
    fn without_a_quota_nothing_is_stamped() {
        let quota = quota(None, Some(0), &ManualClock::at(START));
        assert!((0..100).all(|id| stamp(&quota, "U1", id).is_none()));
    }
}
