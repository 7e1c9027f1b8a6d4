//! The adapter contract, for Discord.

mod cards;
mod directs;
mod files;
mod history;
mod read_back;
mod send;
mod signs;
mod threads;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use kata_channel::{
    Adapter, Cards, ChannelError, Descriptor, Files, History, Identity, Length, Outbound, Push, ReadBack,
    Receipt, SendError, Signs, Unit, drive::Sink, shared::Registration,
};
use tokio_util::task::TaskTracker;

use crate::{
    account::Account,
    gateway::{self, Desk},
    markup::DISCORD,
};

pub(crate) use send::quiet;

const DESCRIPTOR: Descriptor = Descriptor {
    platform: "discord",
    // Discord counts code points: its API is written in a language whose strings are made of them
    // (<https://github.com/discord/discord-api-docs/issues/1315>).
    length: Length {
        unit: Unit::Chars,
        limit: 2_000,
    },
    dialect: DISCORD,
    notices: true,
    approvals: true,
    // Our heart beats every 41 seconds, and Discord answers each beat.
    silence: Duration::from_secs(2 * 60),
    reconcile_every: Duration::from_secs(5 * 60),
};

/// A Discord channel: its account, its part of the shared socket, and how it behaves.
#[derive(Debug)]
pub(crate) struct DiscordAdapter {
    desk: Arc<Desk>,
    _registration: Registration,
    signs: bool,
    typing: signs::Typing,
    tasks: TaskTracker,
}

// === impl DiscordAdapter ===

impl DiscordAdapter {
    pub(crate) fn new(desk: Arc<Desk>, registration: Registration, signs: bool, tasks: TaskTracker) -> Self {
        Self {
            desk,
            _registration: registration,
            signs,
            typing: signs::Typing::default(),
            tasks,
        }
    }

    fn account(&self) -> &Arc<Account> {
        &self.desk.account
    }
}

#[async_trait]
impl Adapter for DiscordAdapter {
    fn descriptor(&self) -> &Descriptor {
        &DESCRIPTOR
    }

    async fn connect(&self) -> Result<Identity, ChannelError> {
        let me = self.account().introduce().await?;
        self.look_at_server().await?;
        Ok(me)
    }

    /// The subscription is the driver's to drop; what types is ours.
    async fn disconnect(&self) {
        self.typing.stop_all();
    }

    async fn send(&self, out: &Outbound) -> Result<Receipt, SendError> {
        send::send(self, out).await
    }

    fn nonce_holds(&self, out: &Outbound) -> Option<Duration> {
        send::nonce_holds(out)
    }

    fn history(&self) -> Option<&dyn History> {
        Some(self)
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
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
impl Push for DiscordAdapter {
    async fn subscribe(&self, sink: Sink) -> Result<(), ChannelError> {
        gateway::subscribe(self.account(), self.desk.clone(), sink, &self.tasks).await
    }

    async fn probe(&self) -> Result<(), ChannelError> {
        gateway::probe(self.account()).await
    }
}
