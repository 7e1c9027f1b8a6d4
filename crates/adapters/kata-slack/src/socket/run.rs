//! One life of the shared socket, and who sits at it.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use kata_channel::{ChannelError, drive::Sink};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::Desk;

type Outcome = Result<(), ChannelError>;

/// What a subscriber gets: the run, its seat, and the news that the run is over.
pub(super) type Joined = (Arc<Run>, Arc<Seat>, oneshot::Receiver<Outcome>);

/// A subscriber.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) desk: Arc<Desk>,
    pub(super) sink: Sink,
}

/// One life of a socket, from opening to its end. A run that ended never starts again.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub(super) cancel: CancellationToken,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    seats: Vec<(Arc<Seat>, oneshot::Sender<Outcome>)>,
    /// Slack said hello.
    ready: bool,
    /// Somebody left: who joins now may know something about this socket that we do not.
    left: bool,
    over: bool,
}

/// Gives a seat back when its subscription is dropped.
pub(super) struct Leave {
    pub(super) run: Arc<Run>,
    pub(super) seat: Arc<Seat>,
}

// === impl Run ===

impl Run {
    /// Takes a seat; none if this run is over, or a driver has given up on it.
    pub(super) fn join(self: &Arc<Self>, desk: Arc<Desk>, sink: Sink) -> Option<Joined> {
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
    pub(super) fn ready(&self) {
        let mut state = self.lock();
        state.ready = true;
        state.seats.iter().for_each(|(seat, _)| seat.sink.ready());
    }

    /// Slack gave a sign of life.
    pub(super) fn alive(&self) {
        self.lock().seats.iter().for_each(|(seat, _)| seat.sink.alive());
    }

    /// Who sits here now.
    pub(super) fn seats(&self) -> Vec<Arc<Seat>> {
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

    fn leave(&self, seat: &Arc<Seat>) {
        let mut state = self.lock();
        state.seats.retain(|(sitting, _)| !Arc::ptr_eq(sitting, seat));
        state.left = true;
        if state.seats.is_empty() {
            state.over = true;
            self.cancel.cancel();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Leave ===

impl Drop for Leave {
    fn drop(&mut self) {
        self.run.leave(&self.seat);
    }
}

#[cfg(test)]
mod tests {
    use kata_channel::{Admitted, Error, inbound::Page};
    use tower::{service_fn, util::BoxCloneSyncService};

    use super::*;

    fn sink() -> (Sink, tokio::sync::watch::Receiver<kata_channel::drive::Pulse>) {
        Sink::new(BoxCloneSyncService::new(service_fn(|_: Page| async {
            Ok::<_, Error>(Admitted::default())
        })))
    }

    #[tokio::test]
    async fn who_comes_late_is_told_that_events_flow() {
        let run = Arc::new(Run::default());
        let (first, second) = (sink(), sink());
        let _a = run.join(Desk::for_test("a", &[]), first.0).unwrap();
        assert!(!first.1.borrow().ready);
        run.ready();
        assert!(first.1.borrow().ready);
        let _b = run.join(Desk::for_test("b", &[]), second.0).unwrap();
        assert!(second.1.borrow().ready);
    }

    #[tokio::test]
    async fn the_socket_closes_after_the_last_has_left() {
        let run = Arc::new(Run::default());
        let (run_a, seat_a, _) = run.join(Desk::for_test("a", &[]), sink().0).unwrap();
        let (run_b, seat_b, _) = run.join(Desk::for_test("b", &[]), sink().0).unwrap();
        drop(Leave {
            run: run_a,
            seat: seat_a,
        });
        assert!(!run.cancel.is_cancelled());
        assert!(
            run.join(Desk::for_test("a", &[]), sink().0).is_none(),
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
        let (.., a) = run.join(Desk::for_test("a", &[]), sink().0).unwrap();
        let (.., b) = run.join(Desk::for_test("b", &[]), sink().0).unwrap();
        run.end(Err(ChannelError::ConnectionLost("gone".into())));
        assert!(a.await.unwrap().is_err() && b.await.unwrap().is_err());
        assert!(run.join(Desk::for_test("c", &[]), sink().0).is_none());
    }
}
