//! One life of the shared socket, and who sits at it.

use std::{
    fmt, mem,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::{drive::Sink, error::ChannelError};

type Outcome = Result<(), ChannelError>;

/// What a subscriber gets: the run, its seat, and the news that the run is over.
pub(super) type Joined<D> = (Arc<Run<D>>, Arc<Seat<D>>, oneshot::Receiver<Outcome>);

/// A subscriber.
#[derive(Debug)]
pub struct Seat<D> {
    /// How its channel reads.
    pub desk: Arc<D>,
    /// Where its messages go.
    pub sink: Sink,
}

/// One life of a socket, from opening to its end. A run that ended never starts again.
pub struct Run<D> {
    cancel: CancellationToken,
    state: Mutex<State<D>>,
}

struct State<D> {
    seats: Vec<(Arc<Seat<D>>, oneshot::Sender<Outcome>)>,
    /// Events flow.
    ready: bool,
    /// Somebody left: who joins now may know something about this socket that we do not.
    left: bool,
    over: bool,
}

/// Gives a seat back when its subscription is dropped.
pub(super) struct Leave<D> {
    pub(super) run: Arc<Run<D>>,
    pub(super) seat: Arc<Seat<D>>,
}

// === impl Run ===

impl<D> Default for Run<D> {
    fn default() -> Self {
        let state = State {
            seats: Vec::new(),
            ready: false,
            left: false,
            over: false,
        };
        Self {
            cancel: CancellationToken::new(),
            state: Mutex::new(state),
        }
    }
}

impl<D> Run<D> {
    /// Takes a seat; none if this run is over, or a driver has given up on it.
    pub(super) fn join(self: &Arc<Self>, desk: Arc<D>, sink: Sink) -> Option<Joined<D>> {
        let mut state = self.lock();
        if state.over || state.left {
            return None;
        }
        if state.ready {
            sink.ready();
        }
        let seat = Arc::new(Seat { desk, sink });
        let (tell, over) = oneshot::channel();
        state.seats.push((seat.clone(), tell));
        Some((self.clone(), seat, over))
    }

    /// Events flow.
    pub fn ready(&self) {
        let mut state = self.lock();
        state.ready = true;
        state.seats.iter().for_each(|(seat, _)| seat.sink.ready());
    }

    /// The platform gave a sign of life.
    pub fn alive(&self) {
        self.lock().seats.iter().for_each(|(seat, _)| seat.sink.alive());
    }

    /// Who sits here now.
    #[must_use]
    pub fn seats(&self) -> Vec<Arc<Seat<D>>> {
        self.lock().seats.iter().map(|(seat, _)| seat.clone()).collect()
    }

    /// Ends this run for everybody who sits here.
    pub(super) fn end(&self, outcome: Outcome) {
        let seats = {
            let mut state = self.lock();
            state.over = true;
            mem::take(&mut state.seats)
        };
        self.cancel.cancel();
        for (_, tell) in seats {
            // Who is gone already does not want to know.
            let _ = tell.send(outcome.clone());
        }
    }

    pub(super) async fn cancelled(&self) {
        self.cancel.cancelled().await;
    }

    fn leave(&self, seat: &Arc<Seat<D>>) {
        let mut state = self.lock();
        state.seats.retain(|(sitting, _)| !Arc::ptr_eq(sitting, seat));
        state.left = true;
        if state.seats.is_empty() {
            state.over = true;
            self.cancel.cancel();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State<D>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D> fmt::Debug for Run<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("seats", &self.lock().seats.len())
            .finish_non_exhaustive()
    }
}

// === impl Leave ===

impl<D> Drop for Leave<D> {
    fn drop(&mut self) {
        self.run.leave(&self.seat);
    }
}

#[cfg(test)]
mod tests {
    use tower::{service_fn, util::BoxCloneSyncService};

    use super::*;
    use crate::{
        error::Error,
        inbound::{Admitted, Page},
    };

    fn sink() -> (Sink, tokio::sync::watch::Receiver<crate::drive::Pulse>) {
        Sink::new(BoxCloneSyncService::new(service_fn(|_: Page| async {
            Ok::<_, Error>(Admitted::default())
        })))
    }

    #[tokio::test]
    async fn who_comes_late_is_told_that_events_flow() {
        let run = Arc::new(Run::default());
        let (first, second) = (sink(), sink());
        let _a = run.join(Arc::new("a"), first.0).unwrap();
        assert!(!first.1.borrow().ready);
        run.ready();
        assert!(first.1.borrow().ready);
        let _b = run.join(Arc::new("b"), second.0).unwrap();
        assert!(second.1.borrow().ready);
    }

    #[tokio::test]
    async fn the_socket_closes_after_the_last_has_left() {
        let run = Arc::new(Run::default());
        let (run_a, seat_a, _) = run.join(Arc::new("a"), sink().0).unwrap();
        let (run_b, seat_b, _) = run.join(Arc::new("b"), sink().0).unwrap();
        drop(Leave {
            run: run_a,
            seat: seat_a,
        });
        assert!(!run.cancel.is_cancelled());
        assert!(
            run.join(Arc::new("a"), sink().0).is_none(),
            "a socket that a driver gave up on"
        );
        drop(Leave {
            run: run_b,
            seat: seat_b,
        });
        assert!(run.cancel.is_cancelled());
    }

    #[tokio::test]
    async fn everybody_learns_how_it_ended() {
        let run = Arc::new(Run::default());
        let (.., a) = run.join(Arc::new("a"), sink().0).unwrap();
        let (.., b) = run.join(Arc::new("b"), sink().0).unwrap();
        run.end(Err(ChannelError::ConnectionLost("gone".into())));
        assert!(a.await.unwrap().is_err() && b.await.unwrap().is_err());
        assert!(run.join(Arc::new("c"), sink().0).is_none());
    }
}
