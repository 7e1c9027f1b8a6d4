//! What a driver must know about what has been read.

use async_trait::async_trait;

use crate::{error::Error, id::Place, inbound::Cursor, time::Timestamp};

/// The driver's view of a channel's stored state. It only reads: cursors move with the pages that the ingress stack
/// commits (D3).
#[async_trait]
pub trait Cursors: Send + Sync + 'static {
    /// How far a place has been read; none = never.
    ///
    /// # Errors
    /// The store's.
    async fn cursor(&self, place: &Place) -> Result<Option<Cursor>, Error>;

    /// Threads with a session or a reply within seven days, the newest 50 of a conversation (D4).
    ///
    /// # Errors
    /// The store's.
    async fn threads(&self) -> Result<Vec<Place>, Error>;

    /// Conversations that have a cursor.
    ///
    /// # Errors
    /// The store's.
    async fn conversations(&self) -> Result<Vec<Place>, Error>;

    /// When this channel was first configured: what was said before is not old work.
    async fn first_configured(&self) -> Timestamp;

    /// Waits until a page may be taken again, after one was refused (D6). Where this is not known there is room at once,
    /// and backoff alone spaces the tries.
    ///
    /// # Cancel safety
    /// Cancel safe, and to be so: a stop ends the wait, and after a thaw it is asked anew.
    async fn room(&self) {}
}
