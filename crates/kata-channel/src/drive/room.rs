//! While the store takes nothing, nothing is called (D6).

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio::time::sleep;

use super::driver::Parts;
use crate::error::ChannelError;

/// Whether the store has refused something, and has not been known to have room since. It outlives a thaw: a night makes
/// no room.
#[derive(Debug, Default)]
pub(super) struct Refused(AtomicBool);

impl Parts {
    /// The store refused: the channel is degraded, and [`room`](Self::room) waits from now on.
    pub(super) async fn refused(&self, error: ChannelError) {
        self.refused.0.store(true, Ordering::Relaxed);
        self.report.degraded(error).await;
    }

    /// Returns once the store may take something: at once unless it has refused.
    pub(super) async fn room(&self) {
        if self.refused.0.load(Ordering::Relaxed) {
            self.cursors.room().await;
            self.refused.0.store(false, Ordering::Relaxed);
        }
    }

    /// The pause between two tries; longer while there is no room. It is over before a long lack of room is, so what is
    /// again possible is done at once; and at the edge, where room comes and goes, the pauses grow.
    pub(super) async fn rest(&self, pause: Duration) {
        tokio::join!(sleep(pause), self.room());
    }
}
