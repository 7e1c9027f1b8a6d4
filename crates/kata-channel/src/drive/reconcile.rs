//! One pass over everything that can be read.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

use super::read::{Halt, Reader};
use crate::{
    adapter::Discovered,
    error::ChannelError,
    id::{ConversationId, Place},
};

/// How often the platform is asked for its conversations: a direct conversation that somebody opened is found by then.
const DISCOVER_EVERY: Duration = Duration::from_secs(180);

/// In every so many passes conversations are asked for threads that stirred: where history is polled every ten seconds, one
/// more question a conversation and minute.
const LOOK_BACK_EVERY: u64 = 6;

/// Reads every conversation and every live thread of a channel.
pub(super) struct Reconciler<'d> {
    reader: Reader<'d>,
    discovered: Option<(Instant, Vec<Discovered>)>,
    /// When each place was last tried, as a running number: a pass that was cut short goes on with the others next time.
    tried: HashMap<Place, u64>,
    tries: u64,
    /// Passes that came to their end.
    passes: u64,
}

impl<'d> Reconciler<'d> {
    pub(super) fn new(reader: Reader<'d>) -> Self {
        Self {
            reader,
            discovered: None,
            tried: HashMap::new(),
            tries: 0,
            passes: 0,
        }
    }

    /// Brings every place up to date. A place that the platform refuses never stops the others; any other failure ends
    /// the pass, since it will most likely meet them too.
    pub(super) async fn pass(&mut self) -> Result<(), Halt> {
        let places = self.places().await?;
        let looks_back = self.passes.is_multiple_of(LOOK_BACK_EVERY);
        let outcome = self.read_all(places, looks_back).await;
        self.passes += u64::from(outcome.is_ok());
        let skipped = std::mem::take(&mut self.reader.skipped);
        self.reader.report.skipped(skipped).await;
        outcome
    }

    async fn read_all(&mut self, places: Vec<Discovered>, looks_back: bool) -> Result<(), Halt> {
        let mut known: HashSet<Place> = places.iter().map(|found| found.place.clone()).collect();
        self.tried.retain(|place, _| known.contains(place));
        let mut queue = VecDeque::from(places);
        while let Some(Discovered { place, named }) = queue.pop_front() {
            self.tries += 1;
            self.tried.insert(place.clone(), self.tries);
            match self.read(&place, named, looks_back).await {
                Ok(threads) => {
                    self.reader.report.readable(&place);
                    let new = threads.into_iter().filter(|thread| known.insert(thread.clone()));
                    queue.extend(new.map(|place| Discovered { place, named: false }));
                }
                Err(Halt::Channel(error @ ChannelError::Rejected(_))) => {
                    self.reader.report.unreadable(&place, error).await;
                }
                Err(halt) => return Err(halt),
            }
        }
        Ok(())
    }

    /// Reads one place, and says which threads are worth a read of their own.
    async fn read(&mut self, place: &Place, named: bool, looks_back: bool) -> Result<Vec<Place>, Halt> {
        let mut threads = self.reader.read(place, named).await?;
        if looks_back && place.thread.is_none() {
            threads.extend(self.reader.stirred(place).await?);
        }
        Ok(threads)
    }

    /// What is to be read: those that wait longest first.
    async fn places(&mut self) -> Result<Vec<Discovered>, Halt> {
        let cursors = self.reader.cursors;
        let stored = cursors.conversations().await.map_err(Halt::Store)?;
        let mut places = self.conversations(&stored).await?;
        // A direct conversation that was closed is listed no more and may yet hold something unread. Where the
        // configuration names conversations, only those are read.
        if !places.iter().any(|found| found.named) {
            add(&mut places, stored);
        }
        let served: HashSet<ConversationId> = places
            .iter()
            .map(|found| found.place.conversation.clone())
            .collect();
        let threads = cursors.threads().await.map_err(Halt::Store)?;
        add(
            &mut places,
            threads
                .into_iter()
                .filter(|thread| served.contains(&thread.conversation)),
        );
        places.sort_by_key(|found| self.tried.get(&found.place).copied());
        Ok(places)
    }

    /// Those of the platform's list, and the direct ones of people whom the configuration names.
    async fn conversations(&mut self, stored: &[Place]) -> Result<Vec<Discovered>, Halt> {
        if let Some((at, found)) = &self.discovered
            && at.elapsed() < DISCOVER_EVERY
        {
            return Ok(found.clone());
        }
        let reader = &self.reader;
        let mut found = reader.ask(|| reader.history.conversations()).await?;
        add(&mut found, reader.ask(|| reader.history.directs(stored)).await?);
        self.discovered = Some((Instant::now(), found.clone()));
        Ok(found)
    }
}

fn add(places: &mut Vec<Discovered>, more: impl IntoIterator<Item = Place>) {
    let known: HashSet<Place> = places.iter().map(|found| found.place.clone()).collect();
    let new = more.into_iter().filter(|place| !known.contains(place));
    places.extend(new.map(|place| Discovered { place, named: false }));
}
