//! Makes a tower layer of a synchronous look at each message of a page.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use tower::{Layer, Service};

use crate::{
    error::Error,
    inbound::{Admitted, Disposition, Inbound, Page},
};

/// One decision about one message. It does not wait and does no I/O (D1).
pub trait Step: fmt::Debug + Send + Sync + 'static {
    /// Looks at a message and may decide what becomes of it.
    fn step(&self, message: &mut Inbound);

    /// Whether a message is shown: one that nothing has decided yet, unless the step asks for more.
    fn concerns(&self, disposition: &Disposition) -> bool {
        *disposition == Disposition::Turn
    }
}

/// Applies a [`Step`] to each message of a page before the wrapped service sees the page.
#[derive(Debug)]
pub struct EachLayer<T> {
    step: Arc<T>,
}

/// See [`EachLayer`].
#[derive(Debug)]
pub struct Each<T, S> {
    step: Arc<T>,
    inner: S,
}

// === impl EachLayer ===

impl<T> EachLayer<T> {
    /// A layer of `step`. Clones share the step and whatever it remembers.
    pub fn new(step: T) -> Self {
        Self { step: Arc::new(step) }
    }
}

impl<T> Clone for EachLayer<T> {
    fn clone(&self) -> Self {
        Self {
            step: self.step.clone(),
        }
    }
}

impl<T, S> Layer<S> for EachLayer<T> {
    type Service = Each<T, S>;

    fn layer(&self, inner: S) -> Self::Service {
        Each {
            step: self.step.clone(),
            inner,
        }
    }
}

// === impl Each ===

impl<T, S: Clone> Clone for Each<T, S> {
    fn clone(&self) -> Self {
        Self {
            step: self.step.clone(),
            inner: self.inner.clone(),
        }
    }
}

impl<T, S> Service<Page> for Each<T, S>
where
    T: Step,
    S: Service<Page, Response = Admitted, Error = Error>,
{
    type Response = Admitted;
    type Error = Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut page: Page) -> Self::Future {
        for message in &mut page.messages {
            if self.step.concerns(&message.disposition) {
                self.step.step(message);
            }
        }
        self.inner.call(page)
    }
}

#[cfg(test)]
mod tests {
    use tower_test::mock;

    use super::*;
    use crate::ingress::sample;

    #[derive(Debug)]
    struct RefuseNo;

    impl Step for RefuseNo {
        fn step(&self, message: &mut Inbound) {
            assert_eq!(
                message.disposition,
                Disposition::Turn,
                "only undecided messages are shown"
            );
            if message.text.raw == "no" {
                message.disposition = Disposition::Refused("no");
            }
        }
    }

    #[tokio::test]
    async fn a_decided_message_is_shown_to_no_later_layer() {
        let layer = tower::layer::util::Stack::new(EachLayer::new(RefuseNo), EachLayer::new(RefuseNo));
        let (mut each, mut handle) = mock::spawn_layer::<Page, Admitted, _>(layer);
        handle.allow(1);
        assert!(each.poll_ready().is_ready());
        let answer = each.call(Page::pushed(vec![sample::message("yes"), sample::message("no")]));
        let (page, reply) = handle.next_request().await.expect("the page is passed on whole");
        reply.send_response(Admitted {
            new: 1,
            known: 0,
            refused: 1,
            skipped: 0,
        });
        let dispositions: Vec<_> = page.messages.iter().map(|m| m.disposition.clone()).collect();
        assert_eq!(dispositions, [Disposition::Turn, Disposition::Refused("no")]);
        assert_eq!(answer.await.expect("the answer is the wrapped service's").new, 1);
    }

    #[tokio::test]
    async fn a_busy_store_is_felt_by_the_caller() {
        let (mut each, mut handle) = mock::spawn_layer::<Page, Admitted, _>(EachLayer::new(RefuseNo));
        handle.allow(0);
        assert!(each.poll_ready().is_pending());
    }
}
