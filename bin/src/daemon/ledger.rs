//! How many slots each channel holds right now.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use kata_store::ChannelId;
use tokio::sync::watch;

/// Counts per channel. Cloning gives another handle on the same counts.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    counts: Arc<Mutex<HashMap<ChannelId, usize>>>,
    freed: watch::Sender<()>,
}

/// One count, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    ledger: Ledger,
    channel: ChannelId,
}

// === impl Ledger ===

impl Default for Ledger {
    fn default() -> Self {
        Self {
            counts: Arc::default(),
            freed: watch::Sender::new(()),
        }
    }
}

impl Ledger {
    /// One more for this channel.
    pub(crate) fn take(&self, channel: ChannelId) -> Held {
        *self.lock().entry(channel).or_default() += 1;
        Held {
            ledger: self.clone(),
            channel,
        }
    }

    /// One more for this channel, if it holds fewer than `share`.
    pub(crate) fn take_below(&self, channel: ChannelId, share: usize) -> Option<Held> {
        let mut counts = self.lock();
        let count = counts.entry(channel).or_default();
        (*count < share).then(|| {
            *count += 1;
            Held {
                ledger: self.clone(),
                channel,
            }
        })
    }

    /// How many this channel holds.
    pub(crate) fn held(&self, channel: ChannelId) -> usize {
        self.lock().get(&channel).copied().unwrap_or(0)
    }

    /// Changes whenever a count goes down: a channel that was at its share may be served again.
    pub(crate) fn freed(&self) -> watch::Receiver<()> {
        self.freed.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ChannelId, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Held ===

impl Drop for Held {
    fn drop(&mut self) {
        {
            let mut counts = self.ledger.lock();
            if let Some(count) = counts.get_mut(&self.channel) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(&self.channel);
                }
            }
        }
        self.ledger.freed.send_replace(());
    }
}
