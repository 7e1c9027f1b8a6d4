//! The innermost service of an egress stack: the adapter itself.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use tower::Service;

use crate::{
    adapter::Adapter,
    error::Error,
    outbound::{Outbound, Receipt},
};

/// An adapter's `send` as a service. Always ready; a failure is a boxed [`SendError`](crate::SendError).
#[derive(Clone)]
pub struct AdapterService {
    adapter: Arc<dyn Adapter>,
}

// === impl AdapterService ===

impl AdapterService {
    /// Sends through `adapter`.
    pub fn new(adapter: Arc<dyn Adapter>) -> Self {
        Self { adapter }
    }
}

impl Service<Outbound> for AdapterService {
    type Response = Receipt;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Receipt, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, out: Outbound) -> Self::Future {
        let adapter = self.adapter.clone();
        Box::pin(async move { Ok(adapter.send(&out).await?) })
    }
}

impl fmt::Debug for AdapterService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AdapterService")
            .field(&self.adapter.descriptor().platform)
            .finish()
    }
}
