//! What is said to the outside, each thing once.

use std::{
    collections::HashSet,
    convert::Infallible,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::mpsc;

use super::{event::DriverEvent, hold::Hold};
use crate::{adapter::Identity, error::ChannelError, id::Place};

/// Knows what has been said, so that every change is one event and no event repeats.
#[derive(Debug)]
pub(super) struct Report {
    /// Weak: whoever listens learns from the end of the channel that the driver is done, and a sink that an adapter
    /// still holds must not hide that.
    events: mpsc::WeakSender<DriverEvent>,
    said: Mutex<Said>,
    hold: Hold,
}

#[derive(Debug)]
struct Said {
    status: Status,
    /// What is true again once the platform's pause is over.
    before_pause: Option<Status>,
    introduced: bool,
    warning: Option<String>,
    unreadable: HashSet<Place>,
}

#[derive(Clone, Debug, PartialEq)]
enum Status {
    Nothing,
    Connecting,
    Works,
    Degraded(ChannelError),
    Limited,
}

/// Why a channel is not tried again.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Final {
    AuthExpired(ChannelError),
    Refused(ChannelError),
}

impl Report {
    pub(super) fn new(events: &mpsc::Sender<DriverEvent>) -> Self {
        let said = Said {
            status: Status::Nothing,
            before_pause: None,
            introduced: false,
            warning: None,
            unreadable: HashSet::new(),
        };
        Self {
            events: events.downgrade(),
            said: Mutex::new(said),
            hold: Hold::new(),
        }
    }

    /// The platform is asked who we are. Said at first, not at every try.
    pub(super) async fn connecting(&self) {
        let first = self.said().status == Status::Nothing;
        if first {
            self.change_to(Status::Connecting, DriverEvent::Connecting).await;
        }
    }

    /// The channel works.
    pub(super) async fn works(&self, identity: &Identity) {
        let introduced = std::mem::replace(&mut self.said().introduced, true);
        let event = if introduced {
            DriverEvent::Recovered
        } else {
            DriverEvent::Connected(identity.clone())
        };
        self.change_to(Status::Works, event).await;
    }

    /// The channel does not work, or not wholly.
    pub(super) async fn degraded(&self, error: ChannelError) {
        self.change_to(Status::Degraded(error.clone()), DriverEvent::Degraded(error))
            .await;
    }

    /// The platform asked for a pause.
    pub(super) async fn limited(&self, error: ChannelError) {
        let before = self.said().status.clone();
        if before != Status::Limited {
            self.change_to(Status::Limited, DriverEvent::RateLimited(error))
                .await;
            self.said().before_pause = Some(before);
        }
    }

    /// The pause is over: what was true before it is true again.
    pub(super) async fn pause_over(&self) {
        let before = self.said().before_pause.take();
        match before {
            Some(Status::Works) => self.change_to(Status::Works, DriverEvent::Recovered).await,
            Some(Status::Degraded(error)) => self.degraded(error).await,
            Some(Status::Connecting) => self.change_to(Status::Connecting, DriverEvent::Connecting).await,
            Some(Status::Nothing | Status::Limited) | None => {}
        }
    }

    /// Nothing more is tried.
    pub(super) async fn final_word(&self, last: Final) {
        self.tell(match last {
            Final::AuthExpired(error) => DriverEvent::AuthExpired(error),
            Final::Refused(error) => DriverEvent::Refused(error),
        })
        .await;
    }

    /// A place could not be read.
    pub(super) async fn unreadable(&self, place: &Place, error: ChannelError) {
        let new = self.said().unreadable.insert(place.clone());
        if new {
            self.tell(DriverEvent::PlaceUnreadable {
                place: place.clone(),
                error,
            })
            .await;
        }
    }

    /// Whether a place could not be read when it was tried last.
    pub(super) fn is_unreadable(&self, place: &Place) -> bool {
        self.said().unreadable.contains(place)
    }

    /// A place was read.
    pub(super) fn readable(&self, place: &Place) {
        self.said().unreadable.remove(place);
    }

    /// The adapter warns, or does so no more.
    pub(super) async fn warned(&self, warning: Option<String>) {
        let before = std::mem::replace(&mut self.said().warning, warning.clone());
        if let Some(said) = warning.filter(|said| before.as_ref() != Some(said)) {
            self.tell(DriverEvent::Warning(said)).await;
        }
    }

    /// Messages were too old for a turn.
    pub(super) async fn skipped(&self, count: usize) {
        if count > 0 {
            self.tell(DriverEvent::Skipped { count }).await;
        }
    }

    /// A connection begins: lanes wait for history (D3).
    pub(super) async fn hold(&self) {
        if self.hold.begin() {
            self.tell(DriverEvent::Holding).await;
        }
    }

    /// The machine was asleep: lanes wait for history anew.
    pub(super) async fn hold_anew(&self) {
        self.hold.begin_anew();
        self.tell(DriverEvent::Holding).await;
    }

    /// History has been read: lanes go on.
    pub(super) async fn reconciled(&self) {
        if self.hold.end() {
            self.tell(DriverEvent::Reconciled).await;
        }
    }

    /// Lets lanes go on when history takes too long.
    pub(super) async fn expiries(&self) -> Infallible {
        loop {
            self.hold.expired().await;
            self.tell(DriverEvent::Reconciled).await;
        }
    }

    async fn change_to(&self, status: Status, event: DriverEvent) {
        let changed = {
            let mut said = self.said();
            said.before_pause = None;
            std::mem::replace(&mut said.status, status.clone()) != status
        };
        if changed {
            self.tell(event).await;
        }
    }

    async fn tell(&self, event: DriverEvent) {
        if let Some(events) = self.events.upgrade() {
            // Nobody listens: there is nobody to tell.
            let _ = events.send(event).await;
        }
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
