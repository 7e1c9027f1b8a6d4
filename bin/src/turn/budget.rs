//! Gives a turn's slot back when the turn takes very long: its lane stays held, others may start (D12). Over the
//! deadline, since a turn that has used up its share of the capacity is still allowed to end.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use kata_agent::Error;
use tower::{Layer, Service};

use super::Claimed;

/// Gives the slot back after `share`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BudgetLayer {
    share: Duration,
}

/// See [`BudgetLayer`].
#[derive(Clone, Debug)]
pub(crate) struct Budget<S> {
    inner: S,
    share: Duration,
}

// === impl BudgetLayer ===

impl BudgetLayer {
    pub(crate) fn new(share: Duration) -> Self {
        Self { share }
    }
}

impl<S> Layer<S> for BudgetLayer {
    type Service = Budget<S>;

    fn layer(&self, inner: S) -> Budget<S> {
        Budget {
            inner,
            share: self.share,
        }
    }
}

// === impl Budget ===

impl<S> Service<Claimed> for Budget<S>
where
    S: Service<Claimed, Error = Error>,
    S::Future: Send + 'static,
    S::Response: Send,
{
    type Response = S::Response;
    type Error = Error;
    type Future = BoxFuture<'static, Result<S::Response, Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, claimed: Claimed) -> Self::Future {
        let (slot, watch) = (claimed.slot.clone(), claimed.watch.clone());
        let share = self.share;
        let mut run = Box::pin(self.inner.call(claimed));
        Box::pin(async move {
            tokio::select! {
                biased;
                ended = &mut run => return ended,
                () = watch.passed(share) => slot.give_back(),
            }
            run.await
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kata_agent::Stopwatch;
    use kata_channel::Timestamp;
    use kata_store::{ChannelId, ClaimedTurn};
    use tokio::sync::Semaphore;
    use tokio_util::sync::CancellationToken;
    use tower_test::mock;

    use super::*;
    use crate::turn::{Slot, Slots};

    const SHARE: Duration = Duration::from_secs(15 * 60);

    async fn claimed(slots: &Slots) -> Claimed {
        let channel = ChannelId(1);
        let turn = ClaimedTurn {
            id: 1,
            channel,
            workspace: "w1".into(),
            slug: "team".into(),
            session_key: "daemon-team-1".into(),
            conversation: "C1".into(),
            thread: None,
            attempt: 1,
            is_digest: false,
            rows: Vec::new(),
        };
        let slot = Slot::new(slots.acquire().await, channel, &slots.ledger());
        Claimed {
            turn,
            slot,
            cancel: CancellationToken::new(),
            watch: Stopwatch::new(),
            deadline: Timestamp::from_millis(0),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_takes_very_long_lets_another_one_start_and_still_ends() {
        let slots = Slots::new(Arc::new(Semaphore::new(1)), 1);
        let (service, mut handle) = mock::pair::<Claimed, &'static str>();
        let mut budget = BudgetLayer::new(SHARE).layer(service);
        handle.allow(1);
        std::future::poll_fn(|cx| budget.poll_ready(cx)).await.unwrap();
        let run = budget.call(claimed(&slots).await);
        let (_, respond) = handle.next_request().await.unwrap();
        let mut run = Box::pin(run);

        assert!(futures_util::poll!(run.as_mut()).is_pending());
        assert!(slots.try_acquire().is_none());
        tokio::time::advance(SHARE).await;
        assert!(futures_util::poll!(run.as_mut()).is_pending());
        assert!(slots.try_acquire().is_some(), "the slot is free");
        assert_eq!(slots.ledger().held(ChannelId(1)), 0);

        respond.send_response("late, but here");
        assert_eq!(run.await.unwrap(), "late, but here");
    }
}
