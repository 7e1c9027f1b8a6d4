//! The one socket of a token: opened for the first channel, closed after the last.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use tokio_util::task::TaskTracker;

use super::run::{Joined, Leave, Run};
use crate::{drive::Sink, error::ChannelError};

/// The current life of a shared socket, if there is one.
pub struct SharedSocket<D>(Mutex<Option<Arc<Run<D>>>>);

// === impl SharedSocket ===

impl<D> Default for SharedSocket<D> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<D: Send + Sync + 'static> SharedSocket<D> {
    /// Takes a seat at the socket and stays until the socket ends. The first one to come has `serve` run on `tasks`: it opens
    /// the socket and works for whoever sits there.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping it gives the seat back.
    ///
    /// # Errors
    /// How the socket ended. `Ok` = the platform asked for a new one, or a sibling did.
    pub async fn subscribe<S, F>(
        &self,
        desk: Arc<D>,
        sink: Sink,
        tasks: &TaskTracker,
        serve: S,
    ) -> Result<(), ChannelError>
    where
        S: FnOnce(Arc<Run<D>>) -> F,
        F: Future<Output = Result<(), ChannelError>> + Send + 'static,
    {
        let (run, seat, over) = self.join(desk, sink, tasks, serve);
        let _leave = Leave { run, seat };
        over.await
            .unwrap_or_else(|_| Err(ChannelError::ConnectionLost("the shared socket is gone".into())))
    }

    fn join<S, F>(&self, desk: Arc<D>, sink: Sink, tasks: &TaskTracker, serve: S) -> Joined<D>
    where
        S: FnOnce(Arc<Run<D>>) -> F,
        F: Future<Output = Result<(), ChannelError>> + Send + 'static,
    {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(run) = current.as_ref()
            && let Some(joined) = run.join(desk.clone(), sink.clone())
        {
            return joined;
        }
        // A driver that left and comes back found the old socket dead, or slept: everybody moves to a new one.
        if let Some(old) = current.take() {
            old.end(Ok(()));
        }
        let run = Arc::new(Run::default());
        *current = Some(run.clone());
        let joined = run
            .join(desk, sink)
            .expect("a run that nobody has left takes everybody");
        let serving = serve(run.clone());
        tasks.spawn(async move {
            let outcome = tokio::select! {
                biased;
                () = run.cancelled() => Ok(()),
                outcome = serving => outcome,
            };
            run.end(outcome);
        });
        joined
    }
}

impl<D> fmt::Debug for SharedSocket<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSocket").finish_non_exhaustive()
    }
}
