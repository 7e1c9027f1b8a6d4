//! Whether lanes wait for history (D3).

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

/// The longest that lanes wait for history (D3).
const LONGEST: Duration = Duration::from_secs(30);

/// Lanes wait after a connect or a thaw until history has been read, 30 s at most.
#[derive(Debug)]
pub(super) struct Hold(watch::Sender<State>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Lanes run.
    Free,
    /// Lanes wait, until then at most.
    Held(Instant),
    /// Lanes run although history has not been read: the time was up. A connection that comes and goes must not hold
    /// them again and again.
    Overdue,
}

impl Hold {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(State::Free))
    }

    /// A connection begins. `true` = lanes wait from now on.
    pub(super) fn begin(&self) -> bool {
        self.0.send_if_modified(|state| {
            let begins = *state == State::Free;
            if begins {
                *state = State::Held(Instant::now() + LONGEST);
            }
            begins
        })
    }

    /// The machine was asleep: from any state, lanes wait anew.
    pub(super) fn begin_anew(&self) {
        self.0.send_replace(State::Held(Instant::now() + LONGEST));
    }

    /// History has been read. `true` = lanes were waiting.
    pub(super) fn end(&self) -> bool {
        let before = self.0.send_replace(State::Free);
        matches!(before, State::Held(_))
    }

    /// Returns each time lanes have waited long enough: they run from then on.
    ///
    /// # Cancel safety
    /// Cancel safe: the deadline stands in the state, not in the wait.
    pub(super) async fn expired(&self) {
        let mut state = self.0.subscribe();
        loop {
            let now = *state.borrow_and_update();
            let State::Held(until) = now else {
                // The sender is our own: it does not go away.
                let _ = state.changed().await;
                continue;
            };
            tokio::select! {
                biased;
                _ = state.changed() => {}
                () = sleep_until(until) => {
                    self.0.send_replace(State::Overdue);
                    return;
                }
            }
        }
    }
}
