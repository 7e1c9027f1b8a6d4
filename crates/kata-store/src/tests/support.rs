//! A store in a temporary folder with a clock that moves only when it is told to.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use crate::{
    Admit, Arrival, ChannelId, Claim, ClaimedTurn, CursorMove, Effect, Failure, NewMessage, OpenOptions,
    Opened, Outcome, Store, StoreError, UnixMs,
};

pub(super) const START: i64 = 1_700_000_000_000;

pub(super) struct Fixture {
    folder: tempfile::TempDir,
    now: Arc<AtomicI64>,
    pub(super) options: OpenOptions,
}

impl Fixture {
    pub(super) fn new() -> Self {
        let now = Arc::new(AtomicI64::new(START));
        let clock = now.clone();
        let options = OpenOptions {
            session_key: |slug, workspace, thread_key, generation| {
                format!("{slug}:{workspace}:{thread_key}:r{generation}")
            },
            lane: |conversation, thread| format!("{conversation}/{}", thread.unwrap_or_default()),
            now: Arc::new(move || UnixMs(clock.load(Ordering::SeqCst))),
            min_free_bytes: 0,
            max_waiting_rows: 1_000_000,
            max_attempts: 5,
            max_lease_attempts: 2,
            audit_head: None,
        };
        Self {
            folder: tempfile::tempdir().unwrap(),
            now,
            options,
        }
    }

    pub(super) fn with(change: impl FnOnce(&mut OpenOptions)) -> Self {
        let mut fixture = Self::new();
        change(&mut fixture.options);
        fixture
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("daemon.db")
    }

    pub(super) fn open(&self) -> Store {
        self.opened().store
    }

    pub(super) fn opened(&self) -> Opened {
        Store::open(&self.path(), self.options.clone()).unwrap()
    }

    pub(super) fn now(&self) -> UnixMs {
        UnixMs(self.now.load(Ordering::SeqCst))
    }

    pub(super) fn advance(&self, by: Duration) {
        self.now
            .fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// A connection of somebody else, for what only another program would do.
    pub(super) fn raw(&self) -> rusqlite::Connection {
        let conn = rusqlite::Connection::open(self.path()).unwrap();
        conn.pragma_update(None, "busy_timeout", 5_000).unwrap();
        conn
    }
}

pub(super) async fn channel(store: &Store) -> ChannelId {
    store.channel("w", "s").await.unwrap().id
}

/// A message `id` of conversation `place`, whose order is its id.
pub(super) fn message(place: &str, id: i64) -> NewMessage {
    NewMessage {
        conversation: place.to_owned(),
        thread: None,
        platform_id: id.to_string(),
        order: id,
        lane: format!("{place}/"),
        thread_key: place.to_owned(),
        sender: "U1".to_owned(),
        role: "member".to_owned(),
        content: format!("text {id}"),
        prompt: format!("text {id}"),
        source: "slack".to_owned(),
        sent_at: UnixMs(START),
        reply_thread: None,
        metadata: serde_json::Map::new(),
        not_before: None,
        ready: true,
        has_files: false,
        alone: false,
        secret_until: None,
    }
}

pub(super) async fn push(store: &Store, channel: ChannelId, message: NewMessage) -> Outcome {
    admit(store, channel, vec![Arrival::Turn(message)], None)
        .await
        .unwrap()
        .remove(0)
}

pub(super) async fn command(
    store: &Store,
    channel: ChannelId,
    message: NewMessage,
    effect: Effect,
) -> Outcome {
    admit(store, channel, vec![Arrival::Consumed { message, effect }], None)
        .await
        .unwrap()
        .remove(0)
}

pub(super) async fn admit(
    store: &Store,
    channel: ChannelId,
    arrivals: Vec<Arrival>,
    cursor: Option<CursorMove>,
) -> Result<Vec<Outcome>, StoreError> {
    store
        .admit(Admit {
            channel,
            arrivals,
            cursor,
        })
        .await
}

pub(super) fn row(outcome: &Outcome) -> i64 {
    match outcome {
        Outcome::New { row, .. } | Outcome::Consumed { row, .. } => *row,
        other => panic!("no row: {other:?}"),
    }
}

pub(super) async fn claim(store: &Store, channel: ChannelId) -> Option<ClaimedTurn> {
    claim_rows(store, channel, 1).await
}

pub(super) async fn claim_rows(store: &Store, channel: ChannelId, max: usize) -> Option<ClaimedTurn> {
    match store.claim(vec![(channel, max)]).await.unwrap() {
        Claim::Turn(turn) => Some(*turn),
        Claim::Nothing { .. } => None,
    }
}

pub(super) fn failure(error: &str) -> Failure {
    Failure {
        error: error.to_owned(),
        lease: false,
        notice: None,
    }
}
