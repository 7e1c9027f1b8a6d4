//! The driver's view of what has been read: cursors and threads, from the store.

use std::{future::pending, time::Duration};

use async_trait::async_trait;
use kata_channel::{Clock, Cursor, Error, Place, Timestamp, drive::Cursors};
use kata_store::{Admit, ChannelId, Room, Store, UnixMs};

/// D4: threads with a session or a reply within this long are read on their own.
const THREADS_LIVE: Duration = Duration::from_secs(7 * 24 * 3600);
/// D4: the newest of them in a conversation.
const THREADS_PER_CONVERSATION: usize = 50;
/// How often a channel whose queue is full asks whether something of it has ended. Nothing tells.
const BACKLOG_EVERY: Duration = Duration::from_secs(5);

/// One channel's cursors.
#[derive(Clone, Debug)]
pub(super) struct StoreCursors {
    store: Store,
    channel: ChannelId,
    first_configured: UnixMs,
    clock: Clock,
}

// === impl StoreCursors ===

impl StoreCursors {
    pub(super) fn new(store: Store, channel: ChannelId, first_configured: UnixMs, clock: Clock) -> Self {
        Self {
            store,
            channel,
            first_configured,
            clock,
        }
    }

    /// Whether the store takes a page of this channel: an empty one, which changes nothing.
    async fn is_refused(&self) -> bool {
        let nothing = Admit {
            channel: self.channel,
            arrivals: Vec::new(),
            cursor: None,
        };
        self.store.admit(nothing).await.is_err()
    }
}

#[async_trait]
impl Cursors for StoreCursors {
    async fn cursor(&self, place: &Place) -> Result<Option<Cursor>, Error> {
        let thread = place.thread.as_ref().map(kata_channel::ThreadId::as_str);
        Ok(self
            .store
            .cursor(self.channel, place.conversation.as_str(), thread)
            .await?
            .map(Cursor))
    }

    async fn threads(&self) -> Result<Vec<Place>, Error> {
        let since = UnixMs((self.clock.wall() - THREADS_LIVE).as_millis());
        let threads = self
            .store
            .threads(self.channel, since, THREADS_PER_CONVERSATION)
            .await?;
        Ok(threads
            .into_iter()
            .map(|(conversation, thread)| Place::thread(conversation, thread))
            .collect())
    }

    async fn conversations(&self) -> Result<Vec<Place>, Error> {
        let conversations = self.store.conversations(self.channel).await?;
        Ok(conversations.into_iter().map(Place::conversation).collect())
    }

    async fn first_configured(&self) -> Timestamp {
        Timestamp::from_millis(self.first_configured.0)
    }

    async fn room(&self) {
        let mut room = self.store.room();
        loop {
            // The disk first: that there is room on it is found by a write (`upkeep`), which an empty page is not.
            if room.wait_for(|room| *room == Room::Enough).await.is_err() {
                // The store is closed: a stop is on its way.
                return pending().await;
            }
            if !self.is_refused().await {
                return;
            }
            tokio::time::sleep(BACKLOG_EVERY).await;
        }
    }
}
