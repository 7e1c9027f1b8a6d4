//! One Gmail channel behind the adapter contract.

mod history;
mod late;
mod pages;
mod read;
mod read_back;
mod send;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use kata_channel::{
    Adapter, ChannelError, Descriptor, History, Identity, Length, MessageId, Outbound, ReadBack, Receipt,
    SendError, Unit,
};
use serde_json::{Map, Value};

use self::{late::Unmatched, pages::Resync};
use crate::{desk::Desk, mailbox::Registration, markup::COMMONMARK, tools};

pub(crate) use self::{
    read::fetch,
    read_back::{by_key, key_by_leave},
    send::within_the_day,
};

const DESCRIPTOR: Descriptor = Descriptor {
    platform: "gmail",
    // A mail has no length; an answer beyond this one would be a book.
    length: Length {
        unit: Unit::Bytes,
        limit: 1 << 20,
    },
    dialect: COMMONMARK,
    // Anybody writes any name behind From: what a notice says, or a "yes" decides, is not for mail.
    notices: false,
    approvals: false,
    silence: Duration::MAX,
    reconcile_every: Duration::from_secs(60),
};

/// A Gmail channel: its desk, its part of the mailbox, and how far a reading by date has come.
#[derive(Debug)]
pub(crate) struct GmailAdapter {
    desk: Arc<Desk>,
    _registration: Registration,
    resync: Mutex<Option<Resync>>,
    unmatched: Unmatched,
}

// === impl GmailAdapter ===

impl GmailAdapter {
    pub(crate) fn new(desk: Arc<Desk>, registration: Registration) -> Self {
        Self {
            desk,
            _registration: registration,
            resync: Mutex::default(),
            unmatched: Unmatched::default(),
        }
    }
}

#[async_trait]
impl Adapter for GmailAdapter {
    fn descriptor(&self) -> &Descriptor {
        &DESCRIPTOR
    }

    async fn connect(&self) -> Result<Identity, ChannelError> {
        let identity = self.desk.mailbox.introduce().await?;
        self.desk.find_label().await?;
        Ok(identity)
    }

    fn warning(&self) -> Option<String> {
        self.desk.mailbox.api.tokens().warning()
    }

    /// Nothing is open.
    async fn disconnect(&self) {}

    async fn send(&self, out: &Outbound) -> Result<Receipt, SendError> {
        send::send(&self.desk, out).await
    }

    fn by_leave(
        &self,
        answered: &MessageId,
        metadata: &Map<String, Value>,
    ) -> Option<(&'static str, Map<String, Value>)> {
        let mut input = Map::new();
        input.insert(
            "to".into(),
            Value::from(vec![metadata.get(read::ANSWER_TO)?.clone()]),
        );
        input.insert("reply_to".into(), answered.as_str().into());
        Some((tools::SEND, input))
    }

    async fn left(
        &self,
        answered: &MessageId,
        metadata: &Map<String, Value>,
    ) -> Result<Option<String>, ChannelError> {
        let key = key_by_leave(answered.as_str());
        let thread = metadata.get(read::THREAD).and_then(Value::as_str);
        let Some(id) = by_key(&self.desk, &key, thread).await? else {
            return Ok(None);
        };
        let (_, mail) = fetch(&self.desk, &id).await?;
        Ok(Some(mail.map(|mail| mail.text).unwrap_or_default()))
    }

    fn history(&self) -> Option<&dyn History> {
        Some(self)
    }

    fn read_back(&self) -> Option<&dyn ReadBack> {
        Some(self)
    }
}
