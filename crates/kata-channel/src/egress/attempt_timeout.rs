//! Ends an attempt that the platform does not answer. Innermost, so that waiting for a slot is no part of it.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tower::{Layer, Service};

use crate::{
    error::{ChannelError, Error, SendError},
    outbound::{Outbound, Receipt},
};

/// Puts an [`AttemptTimeout`] around a service.
#[derive(Clone, Copy, Debug)]
pub struct AttemptTimeoutLayer {
    after: Duration,
}

/// Gives each attempt the same time. What is dropped at its end may have arrived (D19): the error says `Effect::Maybe`, and no
/// layer above repeats it.
#[derive(Clone, Copy, Debug)]
pub struct AttemptTimeout<S> {
    inner: S,
    after: Duration,
}

// === impl AttemptTimeoutLayer ===

impl AttemptTimeoutLayer {
    /// An attempt ends `after` its call at the latest.
    #[must_use]
    pub fn new(after: Duration) -> Self {
        Self { after }
    }
}

impl<S> Layer<S> for AttemptTimeoutLayer {
    type Service = AttemptTimeout<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AttemptTimeout {
            inner,
            after: self.after,
        }
    }
}

// === impl AttemptTimeout ===

impl<S> Service<Outbound> for AttemptTimeout<S>
where
    S: Service<Outbound, Response = Receipt>,
    S::Error: Into<Error>,
    S::Future: Send + 'static,
{
    type Response = Receipt;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Receipt, Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, out: Outbound) -> Self::Future {
        let after = self.after;
        let attempt = tokio::time::timeout(after, self.inner.call(out));
        Box::pin(async move {
            match attempt.await {
                Ok(answered) => answered.map_err(Into::into),
                Err(_) => {
                    let sentence = format!("the platform did not answer a message within {after:?}");
                    Err(SendError::maybe(ChannelError::ConnectionLost(sentence)).into())
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt;
    use tower_test::mock::{self, Mock};

    use super::*;
    use crate::{
        egress::sample::{failed, out, receipt},
        error::Effect,
    };

    fn layered() -> (
        AttemptTimeout<Mock<Outbound, Receipt>>,
        mock::Handle<Outbound, Receipt>,
    ) {
        let (inner, handle) = mock::pair();
        (
            AttemptTimeoutLayer::new(Duration::from_secs(30)).layer(inner),
            handle,
        )
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_without_an_answer_may_have_arrived() {
        let (service, mut handle) = layered();
        let (answer, _asked) = tokio::join!(service.oneshot(out("C1")), handle.next_request());
        assert_eq!(failed(&answer.unwrap_err()).effect, Effect::Maybe);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_in_time_passes_as_it_is() {
        let (service, mut handle) = layered();
        let (answer, ()) = tokio::join!(service.oneshot(out("C1")), async {
            let (_, respond) = handle.next_request().await.unwrap();
            tokio::time::sleep(Duration::from_secs(29)).await;
            respond.send_response(receipt());
        });
        assert_eq!(answer.unwrap(), receipt());
    }
}
