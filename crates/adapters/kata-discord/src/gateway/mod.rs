//! The gateway: <https://docs.discord.com/developers/events/gateway>.
//!
//! A loop of our own (see `docs/adr/0008`). Connecting again is the driver's business: a socket that ends ends the subscriptions
//! on it. What outlives a socket is kept here: the session, which the next one resumes, and the count of the sessions that were begun.

mod ack;
mod begin;
mod budget;
mod close;
mod deliver;
mod desk;
mod frame;
mod inflate;
mod link;
mod pending;
mod pump;
mod session;
mod standing;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kata_channel::{
    ChannelError,
    drive::Sink,
    shared::{self, SharedSocket},
};
use tokio::time::{Instant, sleep_until};
use tokio_util::task::TaskTracker;

use crate::account::Account;
use budget::Budget;
pub(crate) use close::NO_CONTENT;
pub(crate) use desk::Desk;
use session::Session;
use standing::Standing;

type Run = shared::Run<Desk>;
type Seat = shared::Seat<Desk>;

/// A bot's one socket and what outlives it (D5).
#[derive(Debug, Default)]
pub(crate) struct Gateway {
    socket: SharedSocket<Desk>,
    session: Mutex<Option<Session>>,
    budget: Mutex<Budget>,
    standing: Mutex<Standing>,
    /// Discord said no to a session: none is begun before.
    begin_at: Mutex<Option<Instant>>,
}

// === impl Gateway ===

impl Gateway {
    fn session(&self) -> MutexGuard<'_, Option<Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After an invalid session Discord wants to wait between one and five seconds before a new one begins:
    /// <https://docs.discord.com/developers/events/gateway#resuming>.
    fn hold_off(&self) {
        let pause = Duration::from_secs(1).mul_f64(rand::random_range(1.0..5.0));
        *self.begin_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + pause);
    }

    /// Waits until a session may begin.
    async fn may_begin(&self) {
        let at = *self.begin_at.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = at {
            sleep_until(at).await;
        }
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a seat at the shared socket, which is opened for the first and closed after the last, and stays until the socket ends.
///
/// # Cancel safety
/// Cancel safe: dropping it gives the seat back.
pub(crate) async fn subscribe(
    account: &Arc<Account>,
    desk: Arc<Desk>,
    sink: Sink,
    tasks: &TaskTracker,
) -> Result<(), ChannelError> {
    let (serving, spawning) = (account.clone(), tasks.clone());
    let serve = |run: Arc<Run>| async move { pump::serve(serving, &run, spawning).await };
    account.gateway.socket.subscribe(desk, sink, tasks, serve).await
}

/// Asks where a session would begin and whether one may, and begins none.
///
/// # Errors
/// As Discord says; `RateLimited` if none is left to begin.
pub(crate) async fn probe(account: &Account) -> Result<(), ChannelError> {
    link::look_up(account).await.map(drop)
}
