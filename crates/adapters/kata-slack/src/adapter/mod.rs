//! One Slack channel behind the adapter contract.

mod cards;
mod files;
mod history;
mod read_back;
mod send;
mod signs;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use kata_channel::{
    Adapter, Cards, ChannelError, Descriptor, Files, History, Identity, Length, Outbound, Push, ReadBack,
    Receipt, SendError, Signs, Unit, drive::Sink, shared::Registration,
};
use tokio_util::task::TaskTracker;

use crate::{
    account::Account,
    mrkdwn::MRKDWN,
    socket::{Desk, Hub},
};

const DESCRIPTOR: Descriptor = Descriptor {
    platform: "slack",
    // Longer texts are taken, but shown behind a fold: <https://docs.slack.dev/reference/methods/chat.postMessage#truncating>.
    length: Length {
        unit: Unit::Chars,
        limit: 4_000,
    },
    dialect: MRKDWN,
    // Slack takes no nonce; the key in the message's metadata is read back instead.
    notices: true,
    approvals: true,
    // Three of our own pings without an answer.
    silence: Duration::from_secs(60),
    reconcile_every: Duration::from_secs(5 * 60),
};

/// A Slack channel: its account, its part of the shared socket, and how it behaves.
#[derive(Debug)]
pub(crate) struct SlackAdapter {
    desk: Arc<Desk>,
    _registration: Registration,
    hub: Option<Arc<Hub>>,
    signs: bool,
    tasks: TaskTracker,
}

// === impl SlackAdapter ===

impl SlackAdapter {
    pub(crate) fn new(
        desk: Arc<Desk>,
        registration: Registration,
        hub: Option<Arc<Hub>>,
        signs: bool,
        tasks: TaskTracker,
    ) -> Self {
        Self {
            desk,
            _registration: registration,
            hub,
            signs,
            tasks,
        }
    }

    fn account(&self) -> &Account {
        &self.desk.account
    }
}

#[async_trait]
impl Adapter for SlackAdapter {
    fn descriptor(&self) -> &Descriptor {
        &DESCRIPTOR
    }

    async fn connect(&self) -> Result<Identity, ChannelError> {
        self.account().introduce().await
    }

    /// Nothing is open but the subscription, and that is the driver's to drop.
    async fn disconnect(&self) {}

    async fn send(&self, out: &Outbound) -> Result<Receipt, SendError> {
        send::send(self, out).await
    }

    fn history(&self) -> Option<&dyn History> {
        Some(self)
    }

    fn push(&self) -> Option<&dyn Push> {
        self.hub.is_some().then_some(self)
    }

    fn read_back(&self) -> Option<&dyn ReadBack> {
        Some(self)
    }

    fn signs(&self) -> Option<&dyn Signs> {
        self.signs.then_some(self)
    }

    fn cards(&self) -> Option<&dyn Cards> {
        Some(self)
    }

    fn files(&self) -> Option<&dyn Files> {
        Some(self)
    }
}

#[async_trait]
impl Push for SlackAdapter {
    async fn subscribe(&self, sink: Sink) -> Result<(), ChannelError> {
        let Some(hub) = &self.hub else {
            return Err(ChannelError::Rejected(
                "this channel has no app-level token for Socket Mode".into(),
            ));
        };
        hub.clone().subscribe(self.desk.clone(), sink, &self.tasks).await
    }

    async fn probe(&self) -> Result<(), ChannelError> {
        match &self.hub {
            Some(hub) => hub.probe().await,
            None => Ok(()),
        }
    }
}
