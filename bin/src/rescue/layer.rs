//! Where errors end: above this layer there are outcomes only.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use kata_channel::Error;
use tower::{Layer, Service};

/// Turns what a stack gives, answer or error, into an outcome.
#[derive(Clone, Debug)]
pub(crate) struct RescueLayer<F> {
    outcome: F,
}

/// See [`RescueLayer`].
#[derive(Clone, Debug)]
pub(crate) struct Rescue<F, S> {
    outcome: F,
    inner: S,
}

// === impl RescueLayer ===

impl<F> RescueLayer<F> {
    pub(crate) fn new(outcome: F) -> Self {
        Self { outcome }
    }
}

impl<F: Clone, S> Layer<S> for RescueLayer<F> {
    type Service = Rescue<F, S>;

    fn layer(&self, inner: S) -> Rescue<F, S> {
        Rescue {
            outcome: self.outcome.clone(),
            inner,
        }
    }
}

// === impl Rescue ===

impl<F, S, R, O> Service<R> for Rescue<F, S>
where
    S: Service<R> + Clone + Send + 'static,
    S::Error: Into<Error>,
    S::Future: Send,
    S::Response: Send,
    R: Send + 'static,
    F: Fn(Result<S::Response, Error>) -> O + Clone + Send + 'static,
    O: 'static,
{
    type Response = O;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<O, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Readiness is asked for in the call: an error from it is rescued like any other.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: R) -> Self::Future {
        let (outcome, inner) = (self.outcome.clone(), self.inner.clone());
        Box::pin(async move {
            let ended = tower::ServiceExt::oneshot(inner, request).await;
            Ok(outcome(ended.map_err(Into::into)))
        })
    }
}
