//! Reading a mailbox. It has one history for all its threads, so the whole channel is one conversation with one cursor, and
//! mail threads are threads in it: whoever may speak, and where, is said of the label and not of each thread.

use std::cmp::Ordering;

use async_trait::async_trait;
use kata_channel::{
    ChannelError, Cursor, History, Place, PollPage, PollRequest, Timestamp, adapter::Discovered,
};

use super::GmailAdapter;
use crate::cursor::Mark;

#[async_trait]
impl History for GmailAdapter {
    async fn conversations(&self) -> Result<Vec<Discovered>, ChannelError> {
        Ok(vec![Discovered {
            place: self.desk.place(),
            named: true,
        }])
    }

    async fn start_from_now(&self, _: &Place) -> Result<Cursor, ChannelError> {
        let now = self.desk.clock.wall();
        let profile = self.desk.mailbox.api.profile().await?;
        let mark = Mark {
            history: profile.history_id,
            at: now,
            again: None,
        };
        Ok(mark.cursor())
    }

    fn cursor_at(&self, at: Timestamp) -> Cursor {
        Mark::at(at).cursor()
    }

    fn compare(&self, a: &Cursor, b: &Cursor) -> Ordering {
        Mark::read(a).compare(Mark::read(b))
    }

    async fn poll(&self, request: PollRequest) -> Result<PollPage, ChannelError> {
        // What is new in a thread stands in the mailbox's history.
        if request.place.thread.is_some() {
            return Ok(PollPage {
                messages: Vec::new(),
                newest: None,
                next: None,
                contiguous: true,
                threads: Vec::new(),
            });
        }
        let page = self.page(Mark::read(&request.cursor), request.page.as_deref());
        match page.await {
            // A label that was deleted is said by its name, with those that there are.
            Err(error @ ChannelError::Rejected(_)) => {
                self.desk.find_label().await?;
                Err(error)
            }
            page => page,
        }
    }
}
