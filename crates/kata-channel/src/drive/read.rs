//! Reading one place from its cursor, page by page, until it has caught up (D3, D4).

use tower::ServiceExt;

use super::{backoff::Jitter, call, cursors::Cursors, report::Report, sink::Ingress};
use crate::{
    adapter::{History, PollPage, PollRequest},
    error::{ChannelError, Error},
    id::Place,
    inbound::{Admitted, Advance, Cursor, Page},
    time::{Clock, Timestamp},
};

/// A read that is longer is no read: a platform that serves pages for ever must not keep us for ever.
const MOST_PAGES: usize = 10_000;

/// What stops a read.
#[derive(Debug)]
pub(super) enum Halt {
    /// The platform.
    Channel(ChannelError),
    /// The store: nothing can be read or written (D6).
    Store(Error),
}

/// Reads places of one channel into its ingress stack.
pub(super) struct Reader<'d> {
    pub(super) history: &'d dyn History,
    pub(super) ingress: &'d Ingress,
    pub(super) cursors: &'d dyn Cursors,
    pub(super) report: &'d Report,
    pub(super) clock: &'d Clock,
    /// When the driver began.
    pub(super) begun: Timestamp,
    pub(super) jitter: Jitter,
    /// Messages that were too old for a turn, since somebody asked.
    pub(super) skipped: usize,
}

/// One walk through a place's pages.
struct Walk<'p> {
    place: &'p Place,
    newest: Cursor,
    /// The place has no cursor yet: even an empty walk leaves one.
    first: bool,
    /// A page with a gap before it was stored: until the walk is over, no cursor may pass it.
    gapped: bool,
    threads: Vec<Place>,
}

impl Reader<'_> {
    /// Brings a place up to date, and says in which threads something happened. `named` = the configuration names it.
    ///
    /// An interrupted read starts again from the stored cursor: what it stored is known then (D2).
    pub(super) async fn read(&mut self, place: &Place, named: bool) -> Result<Vec<Place>, Halt> {
        let known = self.cursors.cursor(place).await.map_err(Halt::Store)?;
        let first = known.is_none();
        let cursor = match known {
            Some(cursor) => cursor,
            None if named && place.thread.is_none() => self.start_from_now(place).await?,
            None => self.first_contact(place).await,
        };
        let walk = Walk {
            place,
            newest: cursor.clone(),
            first,
            gapped: false,
            threads: Vec::new(),
        };
        self.walk(
            walk,
            PollRequest {
                place: place.clone(),
                cursor,
                page: None,
            },
        )
        .await
    }

    /// A conversation that was just named: what is there now is not old work.
    async fn start_from_now(&self, place: &Place) -> Result<Cursor, Halt> {
        // The threads come first: once the conversation has a cursor, the first contact is over.
        self.pass_over_threads(place).await?;
        let newest = self.ask(|| self.history.start_from_now(place)).await?;
        Ok(self.until_we_came(place, newest))
    }

    /// Where old work ends in a conversation that has `newest`. What was said since the driver began is news, though the
    /// first look comes late: the channel was said to be connected, and a socket that was closed during that look may have
    /// lost it. Where we were not let in until now, we came now.
    pub(super) fn until_we_came(&self, conversation: &Place, newest: Cursor) -> Cursor {
        if self.report.is_unreadable(conversation) {
            return newest;
        }
        let begun = self.history.cursor_at(self.begun);
        match self.history.compare(&newest, &begun).is_gt() {
            true => begun,
            false => newest,
        }
    }

    /// From here on, whatever came before.
    pub(super) async fn stand_at(&self, place: Place, to: Cursor) -> Result<(), Halt> {
        let advance = Advance::To { place, to };
        self.admit(Page {
            messages: Vec::new(),
            advance: Some(advance),
        })
        .await?;
        Ok(())
    }

    /// Where a place begins that nobody named. A thread begins with its root, which is where its id points; but neither a
    /// thread nor a conversation reaches back to before the channel was configured.
    pub(super) async fn first_contact(&self, place: &Place) -> Cursor {
        let configured = self.history.cursor_at(self.cursors.first_configured().await);
        match &place.thread {
            Some(thread) => self.later(self.history.thread_begins(thread), configured),
            None => configured,
        }
    }

    async fn walk(&mut self, mut walk: Walk<'_>, mut request: PollRequest) -> Result<Vec<Place>, Halt> {
        for _ in 0..MOST_PAGES {
            let page = self.ask(|| self.history.poll(request.clone())).await?;
            let next = page.next.clone();
            self.take(&mut walk, page).await?;
            if next.is_none() {
                return Ok(walk.threads);
            }
            if next == request.page {
                return Err(endless(walk.place));
            }
            request.page = next;
        }
        Err(endless(walk.place))
    }

    /// Commits a page with what it says about the cursor.
    async fn take(&mut self, walk: &mut Walk<'_>, page: PollPage) -> Result<(), Halt> {
        let before = walk.newest.clone();
        if let Some(end) = page.newest {
            walk.newest = self.later(before.clone(), end);
        }
        walk.threads.extend(page.threads);
        let last = page.next.is_none();
        walk.gapped |= !last && !page.contiguous;
        let place = walk.place.clone();
        let advance = match walk.gapped && !last {
            true => Advance::Gap { place },
            false => Advance::To {
                place,
                to: walk.newest.clone(),
            },
        };
        // A place where nothing happened costs no write.
        let moves = last && (walk.first || walk.gapped) || !walk.gapped && walk.newest != before;
        if page.messages.is_empty() && !moves {
            return Ok(());
        }
        let admitted = self
            .admit(Page {
                messages: page.messages,
                advance: Some(advance),
            })
            .await?;
        self.skipped += admitted.skipped;
        Ok(())
    }

    fn later(&self, a: Cursor, b: Cursor) -> Cursor {
        if self.history.compare(&a, &b).is_lt() {
            b
        } else {
            a
        }
    }

    pub(super) async fn ask<T, Q>(&self, question: impl FnMut() -> Q) -> Result<T, Halt>
    where
        Q: Future<Output = Result<T, ChannelError>>,
    {
        call::patiently(self.report, self.jitter, question)
            .await
            .map_err(Halt::Channel)
    }

    async fn admit(&self, page: Page) -> Result<Admitted, Halt> {
        self.ingress.clone().oneshot(page).await.map_err(Halt::Store)
    }
}

pub(super) fn endless(place: &Place) -> Halt {
    Halt::Channel(ChannelError::Other(format!(
        "the history of {} does not come to an end",
        place.conversation
    )))
}
