//! The driver's view of what has been read: cursors and threads, from the store.

use std::time::Duration;

use async_trait::async_trait;
use kata_channel::{Clock, Cursor, Error, Place, Timestamp, drive::Cursors};
use kata_store::{ChannelId, Store, UnixMs};

/// D4: threads with a session or a reply within this long are read on their own.
const THREADS_LIVE: Duration = Duration::from_secs(7 * 24 * 3600);
/// D4: the newest of them in a conversation.
const THREADS_PER_CONVERSATION: usize = 50;

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
}
