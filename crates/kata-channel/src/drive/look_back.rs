//! Looking back for replies under messages that were read long ago (D4, promise 7).
//!
//! Such a reply shows on no page after the conversation's cursor. So the platform is asked how far each thread of the last
//! seven days has got, and the answer is compared with *that thread's* cursor and with nothing else. Two things hold:
//!
//! - A thread's cursor moves in the transaction of its replies and in no other. The conversation's cursor may long have
//!   passed the thread, and the process may have died before it read the thread: the thread is behind all the same, and is
//!   read by the next look.
//! - A thread without a cursor had no replies when we came to its conversation. All that it holds is news, as far back
//!   as the channel goes; what a socket pushed meanwhile is known (D2).

use std::time::Duration;

use super::read::{Halt, Reader, endless};
use crate::{id::Place, inbound::Cursor};

/// D4: threads that began within seven days are looked at.
const REACH: Duration = Duration::from_secs(7 * 24 * 3600);
/// D4: so many of a conversation are read after one look. The others stay behind, and come with the next.
const MOST_THREADS: usize = 50;
/// A conversation with more messages in seven days is looked at as far as this: the newest of them.
const MOST_PAGES: usize = 5;

impl Reader<'_> {
    /// Threads of a conversation that have got further than we have read.
    pub(super) async fn stirred(&self, conversation: &Place) -> Result<Vec<Place>, Halt> {
        let unread = self.unread(conversation).await?;
        Ok(unread
            .into_iter()
            .map(|(thread, _)| thread)
            .take(MOST_THREADS)
            .collect())
    }

    /// At the first contact with a conversation: the replies that are there now are not old work. The channel may be much
    /// older than our interest in this conversation.
    pub(super) async fn pass_over_threads(&self, conversation: &Place) -> Result<(), Halt> {
        for (thread, newest) in self.unread(conversation).await? {
            let from = self.until_we_came(conversation, newest);
            self.stand_at(thread, from).await?;
        }
        Ok(())
    }

    async fn unread(&self, conversation: &Place) -> Result<Vec<(Place, Cursor)>, Halt> {
        let mut unread = Vec::new();
        for (thread, newest) in self.recent(conversation).await? {
            let read = match self.cursors.cursor(&thread).await.map_err(Halt::Store)? {
                Some(read) => read,
                None => self.first_contact(&thread).await,
            };
            if self.history.compare(&read, &newest).is_lt() {
                unread.push((thread, newest));
            }
        }
        Ok(unread)
    }

    /// Threads within reach. A page is asked for until it is there: a pause that the platform asks for costs no page twice.
    async fn recent(&self, conversation: &Place) -> Result<Vec<(Place, Cursor)>, Halt> {
        let since = self.clock.wall() - REACH;
        let mut recent = Vec::new();
        let mut page = None;
        for _ in 0..MOST_PAGES {
            let found = self
                .ask(|| self.history.threads(conversation, since, page.clone()))
                .await?;
            recent.extend(found.threads);
            if found.next.is_none() {
                break;
            }
            if found.next == page {
                return Err(endless(conversation));
            }
            page = found.next;
        }
        Ok(recent)
    }
}
