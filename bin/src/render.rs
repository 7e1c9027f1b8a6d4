//! The bottom of the prepare stack: an answer becomes the parts that its platform takes.

use std::{
    convert::Infallible,
    future::{self, Ready},
    sync::Arc,
    task::{Context, Poll},
};

use kata_plugin::Draft;
use tower::Service;

use crate::daemon::Channel;

/// Renders the answers of one channel.
#[derive(Clone, Debug)]
pub(crate) struct Render(Arc<Channel>);

// === impl Render ===

impl Render {
    pub(crate) fn new(channel: &Arc<Channel>) -> Self {
        Self(Arc::clone(channel))
    }
}

impl Service<Draft> for Render {
    type Response = Vec<String>;
    type Error = Infallible;
    type Future = Ready<Result<Vec<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, draft: Draft) -> Self::Future {
        future::ready(Ok(self.0.render(&draft.text)))
    }
}
