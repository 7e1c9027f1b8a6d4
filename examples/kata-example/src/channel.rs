//! The board as a channel: what others pin is heard, answers are pinned.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use kata_channel::{
    Adapter, ChannelError, ChannelKey, Clock, Descriptor, Disposition, Identity, Inbound, Kind, Length,
    OrderKey, Outbound, Place, Push, Receipt, Role, SendError, Sender, Text, Unit, drive::Sink,
    markdown::Dialect,
};
use kata_plugin::ChannelContext;

use crate::{Board, Line};

/// Our name on the board.
const US: &str = "kata";
/// The board is never silent because it is broken.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

const DESCRIPTOR: Descriptor = Descriptor {
    platform: "board",
    length: Length {
        unit: Unit::Chars,
        limit: 500,
    },
    dialect: Dialect::PLAIN,
    notices: true,
    approvals: true,
    silence: NEVER,
    reconcile_every: NEVER,
};

/// One channel's view of the board.
#[derive(Debug)]
pub(crate) struct BoardAdapter {
    board: Board,
    key: ChannelKey,
    clock: Clock,
    /// So many of its lines are in the daemon's store.
    stored: AtomicUsize,
}

// === impl BoardAdapter ===

impl BoardAdapter {
    pub(crate) fn new(board: Board, context: ChannelContext) -> Self {
        Self {
            board,
            key: context.key,
            clock: context.clock,
            stored: AtomicUsize::new(0),
        }
    }

    fn message(&self, name: usize, line: &Line) -> Inbound {
        Inbound {
            channel: self.key.clone(),
            place: Place::conversation("board"),
            id: name.to_string().into(),
            order: OrderKey(i64::try_from(name).unwrap_or(i64::MAX)),
            kind: Kind::Message,
            sender: Sender {
                id: line.author.as_str().into(),
                name: Some(line.author.clone()),
                is_bot: false,
                is_self: line.author == US,
            },
            text: Text::plain(line.text.as_str()),
            mentions_us: true,
            is_direct: false,
            sent_at: self.clock.wall(),
            attachments: Vec::new(),
            metadata: serde_json::Map::new(),
            role: Role::Stranger,
            disposition: Disposition::Turn,
            not_before: None,
        }
    }
}

#[async_trait]
impl Adapter for BoardAdapter {
    fn descriptor(&self) -> &Descriptor {
        &DESCRIPTOR
    }

    async fn connect(&self) -> Result<Identity, ChannelError> {
        Ok(Identity {
            id: US.into(),
            name: US.into(),
        })
    }

    async fn disconnect(&self) {}

    async fn send(&self, out: &Outbound) -> Result<Receipt, SendError> {
        let name = self.board.pin(US, &out.text);
        Ok(Receipt {
            id: Some(name.to_string().into()),
        })
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }
}

#[async_trait]
impl Push for BoardAdapter {
    async fn subscribe(&self, sink: Sink) -> Result<(), ChannelError> {
        let mut lines = self.board.watch();
        sink.ready();
        loop {
            let now = lines.borrow_and_update().clone();
            let stored = self.stored.load(Ordering::Acquire);
            for (at, line) in now.iter().enumerate().skip(stored) {
                let pushed = sink.push(vec![self.message(at + 1, line)]).await;
                pushed.map_err(|error| ChannelError::ConnectionLost(error.to_string()))?;
                // D1: after the commit and not before. A line that was not stored comes again.
                self.stored.store(at + 1, Ordering::Release);
            }
            if lines.changed().await.is_err() {
                return Ok(());
            }
        }
    }
}
