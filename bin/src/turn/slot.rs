//! Capacity for turns: at most N at once, over all channels (D9).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kata_store::ChannelId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::daemon::ledger::{Held, Ledger};

/// All slots.
#[derive(Clone, Debug)]
pub(crate) struct Slots {
    semaphore: Arc<Semaphore>,
    ledger: Ledger,
    max: usize,
}

/// One turn's slot. It can be given back before the turn ends (D12); the lane stays held by the claim.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    state: Arc<Mutex<State>>,
    channel: ChannelId,
}

/// Where a turn's slot is.
#[derive(Debug)]
enum State {
    /// The turn has it.
    Held {
        _permit: OwnedSemaphorePermit,
        _counted: Held,
    },
    /// Others have it while the turn waits for a person. From `Held`; back to it before the turn goes on.
    Lent,
    /// Given back for good: the turn used up its share, or is over. The last state.
    GivenBack,
}

// === impl Slots ===

impl Slots {
    pub(crate) fn new(semaphore: Arc<Semaphore>, max: usize) -> Self {
        Self {
            semaphore,
            ledger: Ledger::default(),
            max,
        }
    }

    pub(crate) fn max(&self) -> usize {
        self.max
    }

    pub(crate) fn ledger(&self) -> Ledger {
        self.ledger.clone()
    }

    /// Waits for a free slot.
    ///
    /// # Cancel safety
    /// Cancel safe: the place in the queue is lost, nothing else.
    pub(crate) async fn acquire(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.semaphore)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed")
    }

    /// A slot if one is free.
    pub(crate) fn try_acquire(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.semaphore).try_acquire_owned().ok()
    }
}

// === impl Slot ===

impl Slot {
    pub(crate) fn new(permit: OwnedSemaphorePermit, channel: ChannelId, ledger: &Ledger) -> Self {
        Self {
            state: Arc::new(Mutex::new(State::Held {
                _permit: permit,
                _counted: ledger.take(channel),
            })),
            channel,
        }
    }

    /// Lets another turn start, for good. A second call does nothing.
    pub(crate) fn give_back(&self) {
        *self.lock() = State::GivenBack;
    }

    /// Lets another turn start while this one waits for a person (D12).
    pub(crate) fn lend(&self) {
        let mut state = self.lock();
        if matches!(*state, State::Held { .. }) {
            *state = State::Lent;
        }
    }

    /// Waits for a slot again, if it was lent. D9: a channel at its `share` waits until one of its turns ends.
    ///
    /// # Cancel safety
    /// Cancel safe: the slot stays lent.
    pub(crate) async fn take_again(&self, slots: &Slots, share: usize) {
        let ledger = slots.ledger();
        let mut freed = ledger.freed();
        while matches!(*self.lock(), State::Lent) {
            freed.mark_unchanged();
            let permit = slots.acquire().await;
            if let Some(held) = ledger.take_below(self.channel, share) {
                let mut state = self.lock();
                if matches!(*state, State::Lent) {
                    *state = State::Held {
                        _permit: permit,
                        _counted: held,
                    };
                }
                return;
            }
            drop(permit);
            // The ledger's sender lives in `ledger`.
            let _ = freed.changed().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    const A: ChannelId = ChannelId(1);

    fn slots(max: usize) -> Slots {
        Slots::new(Arc::new(Semaphore::new(max)), max)
    }

    async fn take(slots: &Slots) -> Slot {
        Slot::new(slots.acquire().await, A, &slots.ledger())
    }

    #[tokio::test]
    async fn a_turn_that_waits_for_a_person_lets_another_one_start_and_waits_for_a_slot_before_it_goes_on() {
        let slots = slots(1);
        let waiting = take(&slots).await;
        waiting.lend();
        let other = take(&slots).await;
        assert!(waiting.take_again(&slots, 1).now_or_never().is_none());
        other.give_back();
        waiting.take_again(&slots, 1).await;
        assert!(slots.try_acquire().is_none(), "it has its slot again");
        assert_eq!(slots.ledger().held(A), 1);
    }

    #[tokio::test]
    async fn a_channel_at_its_share_gets_no_slot_back_although_one_is_free() {
        let slots = slots(3);
        let waiting = take(&slots).await;
        waiting.lend();
        let (one, two) = (take(&slots).await, take(&slots).await);
        let mut again = Box::pin(waiting.take_again(&slots, 2));
        assert!(again.as_mut().now_or_never().is_none(), "N-1 of its turns run");
        one.give_back();
        again.await;
        drop(two);
    }

    #[tokio::test]
    async fn what_was_given_back_for_good_is_not_taken_again() {
        let slots = slots(1);
        let slot = take(&slots).await;
        slot.give_back();
        slot.lend();
        slot.take_again(&slots, 1).await;
        assert!(slots.try_acquire().is_some());
    }
}
