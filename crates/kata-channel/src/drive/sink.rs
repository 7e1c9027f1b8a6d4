//! Where a socket puts what it is told.

use std::fmt;

use tokio::sync::watch;
use tower::{ServiceExt, util::BoxCloneSyncService};

use crate::{
    error::Error,
    inbound::{Admitted, Inbound, Page},
};

/// The ingress stack of one channel, as the drivers hold it.
pub type Ingress = BoxCloneSyncService<Page, Admitted, Error>;

/// What a subscription has said about itself so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    /// Events flow.
    pub ready: bool,
    /// Grows with every sign of life.
    pub beats: u64,
}

/// Handed to [`Push::subscribe`](crate::Push::subscribe): messages go in, and a commit comes back.
#[derive(Clone)]
pub struct Sink {
    ingress: Ingress,
    pulse: watch::Sender<Pulse>,
}

impl Sink {
    /// A sink into `ingress`; the receiver hears [`ready`](Self::ready) and [`alive`](Self::alive).
    #[must_use]
    pub fn new(ingress: Ingress) -> (Self, watch::Receiver<Pulse>) {
        let (pulse, heard) = watch::channel(Pulse::default());
        (Self { ingress, pulse }, heard)
    }

    /// The platform said that events flow from now on.
    pub fn ready(&self) {
        self.pulse.send_modify(|p| {
            p.ready = true;
            p.beats += 1;
        });
    }

    /// The platform gave a sign of life.
    pub fn alive(&self) {
        self.pulse.send_modify(|p| p.beats += 1);
    }

    /// Hands messages over. `Ok` means that they are durable: now, and not before, the platform may be told (D1).
    ///
    /// # Cancel safety
    /// Not cancel safe in the sense of "nothing happened": the rows may be written although the caller no longer
    /// waits. Pushing the same messages again is harmless (D2).
    ///
    /// # Errors
    /// The store could not take them: do not acknowledge, close the socket.
    pub async fn push(&self, messages: Vec<Inbound>) -> Result<Admitted, Error> {
        self.alive();
        self.ingress.clone().oneshot(Page::pushed(messages)).await
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink")
            .field("pulse", &*self.pulse.borrow())
            .finish_non_exhaustive()
    }
}
