//! The claim loop: takes capacity first, then the next ready lane, fair over channels (D9).

use std::{collections::HashMap, sync::Arc};

use futures_util::future;
use kata_channel::Timestamp;
use kata_store::{ChannelId, Claim, ClaimedTurn, UnixMs};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::{Daemon, channels::Eligible, ledger::Ledger};
use crate::turn::{self, Slot, Slots};

/// Runs until `stop`. Turns that are open then go on; the drain waits for them.
pub(super) async fn claim_loop(daemon: Arc<Daemon>, stop: CancellationToken) {
    let slots = daemon.slots.clone();
    let mut work = daemon.store.work();
    let mut channels = daemon.channels.changed();
    let mut freed = slots.ledger().freed();
    let mut fairness = Fairness::new(slots.max());
    loop {
        let permits = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            permits = free_slots(&slots) => permits,
        };
        // Marked as seen before the look, so that what comes during it wakes the wait below.
        work.mark_unchanged();
        channels.mark_unchanged();
        freed.mark_unchanged();
        let wanted = permits.len();
        let (claimed, next_due) = claim(&daemon, &slots, &mut fairness, permits).await;
        if claimed == wanted {
            continue;
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            _ = work.changed() => {}
            _ = channels.changed() => {}
            _ = freed.changed() => {}
            () = daemon.due(earliest(next_due, &daemon)) => {}
        }
    }
}

/// The next time at which a row is due, or a hold ends by itself.
fn earliest(row: Option<UnixMs>, daemon: &Daemon) -> Option<Timestamp> {
    let row = row.map(|at| Timestamp::from_millis(at.0));
    [row, daemon.channels.next_release()].into_iter().flatten().min()
}

/// At least one slot, and all that are free at this moment: claims made together share a commit.
async fn free_slots(slots: &Slots) -> Vec<OwnedSemaphorePermit> {
    let mut permits = vec![slots.acquire().await];
    while let Some(more) = slots.try_acquire() {
        permits.push(more);
    }
    permits
}

/// Claims up to one turn a permit. Says how many were claimed, and when to look again if nothing else happens.
async fn claim(
    daemon: &Arc<Daemon>,
    slots: &Slots,
    fairness: &mut Fairness,
    permits: Vec<OwnedSemaphorePermit>,
) -> (usize, Option<UnixMs>) {
    let eligible = daemon.channels.claimable();
    let plans = fairness.plan(&eligible, &slots.ledger(), permits.len());
    let claims = plans
        .into_iter()
        .map(|order| daemon.store.claim(daemon.coalesced(order)));
    let mut claimed = 0;
    let mut spare = Vec::new();
    let mut next_due: Option<UnixMs> = None;
    for (result, permit) in future::join_all(claims).await.into_iter().zip(permits) {
        match result {
            Ok(Claim::Turn(turn)) => {
                claimed += 1;
                fairness.served(turn.channel);
                open(daemon, slots, *turn, permit);
            }
            Ok(Claim::Nothing { next_due: due }) => {
                next_due = [next_due, due].into_iter().flatten().min();
                spare.push(permit);
            }
            Err(error) => {
                daemon.store_failed("claiming a turn", &error);
                // The store is not able to write; it says when it is again. Looking once a second is enough.
                next_due = Some(UnixMs(daemon.clock.wall().as_millis() + 1000));
            }
        }
    }
    claimed += claim_tasks(daemon, slots, spare).await;
    (claimed, next_due)
}

/// D10: turns of tasks need no channel. Where there are channels, a slot is left to them.
async fn claim_tasks(daemon: &Arc<Daemon>, slots: &Slots, mut spare: Vec<OwnedSemaphorePermit>) -> usize {
    let Some(configured) = daemon.channels.configured() else {
        return 0;
    };
    let left = usize::from(!configured.is_empty() && slots.max() > 1);
    let mut claimed = 0;
    while spare.len() > left
        && let Some(permit) = spare.pop()
    {
        match daemon.store.claim_task(configured.clone()).await {
            Ok(Claim::Turn(turn)) => {
                claimed += 1;
                open(daemon, slots, *turn, permit);
            }
            Ok(Claim::Nothing { .. }) => break,
            Err(error) => {
                daemon.store_failed("claiming a task's turn", &error);
                break;
            }
        }
    }
    claimed
}

fn open(daemon: &Arc<Daemon>, slots: &Slots, claimed: ClaimedTurn, permit: OwnedSemaphorePermit) {
    let slot = Slot::new(permit, claimed.channel, &slots.ledger());
    let daemon = Arc::clone(daemon);
    daemon
        .turning
        .clone()
        .spawn(async move { turn::run(&daemon, claimed, slot).await });
}

/// Which channel is asked first: the one served longest ago; and no channel may hold every slot while there is
/// another one.
#[derive(Debug)]
struct Fairness {
    max: usize,
    round: u64,
    served: HashMap<ChannelId, u64>,
}

// === impl Fairness ===

impl Fairness {
    fn new(max: usize) -> Self {
        Self {
            max,
            round: 0,
            served: HashMap::new(),
        }
    }

    fn served(&mut self, channel: ChannelId) {
        self.round += 1;
        self.served.insert(channel, self.round);
    }

    /// One order of channels for each of `claims` claims that are made together, so that even if all of them fell on
    /// one channel it would not hold more than its share.
    fn plan(&self, eligible: &Eligible, open: &Ledger, claims: usize) -> Vec<Vec<ChannelId>> {
        let share = share(self.max, eligible.configured);
        let mut order: Vec<ChannelId> = eligible.channels.clone();
        order.sort_by_key(|c| self.served.get(c).copied().unwrap_or(0));
        (0..claims)
            .map(|n| {
                let mut rotated = order.clone();
                // Claims made together start at different channels: each is then the one served longest ago.
                let first = n.min(rotated.len().saturating_sub(1));
                rotated.rotate_left(first);
                rotated.retain(|c| open.held(*c) + n < share);
                rotated
            })
            .collect()
    }
}

/// How many slots one channel may hold. D9: with more than one channel configured no channel holds more than N−1.
pub(crate) fn share(slots: usize, configured: usize) -> usize {
    if configured > 1 { (slots - 1).max(1) } else { slots }
}

/// Slots for turns, over all channels.
pub(super) fn slots(max: usize) -> Slots {
    Slots::new(Arc::new(Semaphore::new(max)), max)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ChannelId = ChannelId(1);
    const B: ChannelId = ChannelId(2);

    fn eligible(channels: &[ChannelId], configured: usize) -> Eligible {
        Eligible {
            channels: channels.to_vec(),
            configured,
        }
    }

    #[test]
    fn the_channel_served_longest_ago_is_asked_first() {
        let mut fairness = Fairness::new(3);
        fairness.served(A);
        assert_eq!(
            fairness.plan(&eligible(&[A, B], 2), &Ledger::default(), 1),
            [[B, A]]
        );
        fairness.served(B);
        assert_eq!(
            fairness.plan(&eligible(&[A, B], 2), &Ledger::default(), 1),
            [[A, B]]
        );
    }

    #[test]
    fn a_channel_that_is_not_alone_cannot_hold_every_slot() {
        let fairness = Fairness::new(3);
        let ledger = Ledger::default();
        let _two = (ledger.take(A), ledger.take(A));
        assert_eq!(fairness.plan(&eligible(&[A, B], 2), &ledger, 1), [[B]]);
        assert_eq!(fairness.plan(&eligible(&[A], 1), &ledger, 1), [[A]]);
    }

    #[test]
    fn claims_made_together_cannot_overfill_a_channel_either() {
        let fairness = Fairness::new(3);
        let plans = fairness.plan(&eligible(&[A, B], 2), &Ledger::default(), 3);
        let times_a = plans.iter().filter(|order| order.contains(&A)).count();
        assert_eq!(times_a, 2, "{plans:?}");
    }

    #[test]
    fn with_a_single_slot_every_channel_may_use_it() {
        let fairness = Fairness::new(1);
        assert_eq!(
            fairness.plan(&eligible(&[A, B], 2), &Ledger::default(), 1),
            [[A, B]]
        );
    }
}
