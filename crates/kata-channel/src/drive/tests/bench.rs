//! A driver at work, with the store's part played by a ledger.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tower::{Layer as _, service_fn};

use super::platform::{NOW, Platform};
use crate::{
    drive::{Cursors, DriveSettings, Driver, DriverEvent, Ingress, Jitter},
    error::Error,
    id::{MessageId, Place},
    inbound::{Admitted, Advance, Consumed, Cursor, Disposition, Inbound, Page},
    ingress::CatchUpLayer,
    settings,
    time::{ManualClock, Timestamp},
};

/// What the store would hold.
#[derive(Default)]
pub(super) struct Book {
    pub(super) rows: Vec<Inbound>,
    pub(super) ready: Vec<MessageId>,
    waiting: Vec<(Place, MessageId)>,
    pub(super) cursors: BTreeMap<Place, Cursor>,
    pub(super) threads: Vec<Place>,
    pub(super) pages: usize,
    pub(super) full: bool,
    /// Pages are refused, and not for a lack of room.
    pub(super) locked: bool,
}

/// How often the ledger looks whether it has room.
pub(super) const ROOM_EVERY: Duration = Duration::from_secs(60);

#[derive(Clone, Default)]
pub(super) struct Ledger(Arc<Mutex<Book>>);

impl Ledger {
    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().expect("no test panics while it holds the book")
    }

    fn is_full(&self) -> bool {
        self.book().full
    }

    fn admit(&self, page: Page) -> Result<Admitted, Error> {
        let mut book = self.book();
        if book.full {
            return Err("the disk is full".into());
        }
        if book.locked {
            return Err("the database is locked".into());
        }
        book.pages += 1;
        let gap = match &page.advance {
            Some(Advance::Gap { place }) => Some(place.clone()),
            _ => None,
        };
        let mut admitted = Admitted::default();
        for message in page.messages {
            if book.rows.iter().any(|row| row.id == message.id) {
                continue;
            }
            match &gap {
                Some(place) => book.waiting.push((place.clone(), message.id.clone())),
                None => book.ready.push(message.id.clone()),
            }
            admitted.skipped += usize::from(matches!(
                message.disposition,
                Disposition::Consumed(Consumed::Skipped(_))
            ));
            book.rows.push(message);
            admitted.new += 1;
        }
        if let Some(Advance::To { place, to }) = page.advance {
            let (closed, open) = std::mem::take(&mut book.waiting)
                .into_iter()
                .partition(|(of, _)| *of == place);
            book.waiting = open;
            let closed: Vec<(Place, MessageId)> = closed;
            book.ready.extend(closed.into_iter().map(|(_, id)| id));
            book.cursors.insert(place, to);
        }
        Ok(admitted)
    }

    /// The texts of the rows that a turn may have, as they were stored.
    pub(super) fn texts(&self) -> Vec<String> {
        let book = self.book();
        let turns = book
            .rows
            .iter()
            .filter(|row| row.disposition == Disposition::Turn);
        turns
            .filter(|row| book.ready.contains(&row.id))
            .map(|row| row.text.raw.clone())
            .collect()
    }

    fn ingress(&self) -> Ingress {
        let ledger = self.clone();
        let clock = ManualClock::at(Timestamp::from_millis(NOW * 1000)).clock();
        let catch_up = CatchUpLayer::new(&settings::CatchUp::default(), clock);
        Ingress::new(catch_up.layer(service_fn(move |page| {
            let answer = ledger.admit(page);
            async move { answer }
        })))
    }
}

#[async_trait]
impl Cursors for Ledger {
    async fn cursor(&self, place: &Place) -> Result<Option<Cursor>, Error> {
        Ok(self.book().cursors.get(place).cloned())
    }

    async fn threads(&self) -> Result<Vec<Place>, Error> {
        Ok(self.book().threads.clone())
    }

    async fn conversations(&self) -> Result<Vec<Place>, Error> {
        Ok(self
            .book()
            .cursors
            .keys()
            .filter(|place| place.thread.is_none())
            .cloned()
            .collect())
    }

    /// An hour ago.
    async fn first_configured(&self) -> Timestamp {
        Timestamp::from_millis((NOW - 3600) * 1000)
    }

    async fn room(&self) {
        while self.is_full() {
            sleep(ROOM_EVERY).await;
        }
    }
}

pub(super) struct Bench {
    pub(super) platform: Arc<Platform>,
    pub(super) ledger: Ledger,
    thaw: watch::Sender<u64>,
    heard: mpsc::Receiver<DriverEvent>,
    stop: CancellationToken,
    driving: JoinSet<()>,
}

impl Bench {
    /// Starts a driver on an empty store.
    pub(super) fn start(platform: Platform) -> Self {
        Self::start_with(platform, Ledger::default())
    }

    pub(super) fn start_with(platform: Platform, ledger: Ledger) -> Self {
        let platform = platform.shared();
        let (thaw, thawed) = watch::channel(0);
        let (events, heard) = mpsc::channel(64);
        let settings = DriveSettings { poll_interval: None };
        let clock = ManualClock::at(Timestamp::from_millis(NOW * 1000)).clock();
        let driver = Driver::new(
            platform.clone(),
            ledger.ingress(),
            Arc::new(ledger.clone()),
            settings,
            clock,
            thawed,
            events,
        );
        let stop = CancellationToken::new();
        let mut driving = JoinSet::new();
        driving.spawn(driver.with_jitter(Jitter::none()).run(stop.clone()));
        Self {
            platform,
            ledger,
            thaw,
            heard,
            stop,
            driving,
        }
    }

    /// The next event, however long it takes.
    pub(super) async fn next(&mut self) -> DriverEvent {
        self.heard.recv().await.expect("the driver runs")
    }

    /// The next events are these.
    pub(super) async fn expect(&mut self, events: &[&str]) {
        for expected in events {
            let event = self.next().await;
            assert_eq!(name(&event), *expected, "{event:?}");
        }
    }

    /// Nothing is said for this long.
    pub(super) async fn quiet(&mut self, span: Duration) {
        if let Ok(event) = tokio::time::timeout(span, self.heard.recv()).await {
            panic!("not quiet: {event:?}");
        }
    }

    /// The machine was asleep.
    pub(super) fn thaw(&self) {
        self.thaw.send_modify(|count| *count += 1);
    }

    /// Stops the driver and waits for its end.
    pub(super) async fn stop(mut self) -> Vec<DriverEvent> {
        self.stop.cancel();
        while let Some(ended) = self.driving.join_next().await {
            ended.expect("the driver does not panic");
        }
        assert!(
            self.platform.state().disconnected,
            "a driver that stops disconnects"
        );
        let mut rest = Vec::new();
        while let Some(event) = self.heard.recv().await {
            rest.push(event);
        }
        rest
    }
}

fn name(event: &DriverEvent) -> &'static str {
    match event {
        DriverEvent::Connecting => "connecting",
        DriverEvent::Connected(_) => "connected",
        DriverEvent::Recovered => "recovered",
        DriverEvent::Degraded(_) => "degraded",
        DriverEvent::RateLimited(_) => "rate limited",
        DriverEvent::AuthExpired(_) => "auth expired",
        DriverEvent::Refused(_) => "refused",
        DriverEvent::Holding => "holding",
        DriverEvent::Reconciled => "reconciled",
        DriverEvent::Skipped { .. } => "skipped",
        DriverEvent::PlaceUnreadable { .. } => "unreadable",
        DriverEvent::Warning(_) => "warning",
    }
}
