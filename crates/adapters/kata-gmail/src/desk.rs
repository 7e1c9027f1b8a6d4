//! One Gmail channel: which part of which mailbox it serves, and how.

use std::sync::{Arc, PoisonError, RwLock};

use google_gmail1::api::Message;
use kata_channel::{
    ChannelError, ChannelKey, Clock, Place,
    settings::{MailSettings, ReplyMode},
};

use crate::{errors::CallError, mailbox::Mailbox};

/// The conversation of a channel that names no label. Mail threads are threads in it.
pub(crate) const MAILBOX: &str = "mailbox";
/// Mail that is nobody's message to us.
const NOT_SERVED: [&str; 4] = ["DRAFT", "SPAM", "TRASH", "CHAT"];

/// A channel, as its adapter and its tools know it.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) key: ChannelKey,
    pub(crate) mailbox: Arc<Mailbox>,
    /// As the configuration says: a label's name or id.
    pub(crate) label: Option<String>,
    pub(crate) mail: MailSettings,
    pub(crate) max_age: std::time::Duration,
    pub(crate) clock: Clock,
    /// What Gmail calls the label.
    pub(crate) label_id: RwLock<Option<String>>,
}

// === impl Desk ===

impl Desk {
    /// The conversation of this channel.
    pub(crate) fn place(&self) -> Place {
        Place::conversation(self.label.as_deref().unwrap_or(MAILBOX))
    }

    /// The query of the configuration, in brackets, so that more may be added.
    pub(crate) fn query(&self) -> Option<String> {
        let query = self.mail.query.as_deref()?.trim();
        (!query.is_empty()).then(|| format!("({query})"))
    }

    /// A search within what this channel serves.
    pub(crate) fn search(&self, more: &str) -> String {
        match self.query() {
            Some(query) => format!("{query} {more}"),
            None => more.to_owned(),
        }
    }

    /// The id of its label.
    ///
    /// # Errors
    /// `connect` has not found it yet.
    pub(crate) fn label_id(&self) -> Result<Option<String>, ChannelError> {
        let found = self
            .label_id
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        match (&self.label, found) {
            (None, _) => Ok(None),
            (Some(_), Some(id)) => Ok(Some(id)),
            (Some(_), None) => Err(ChannelError::ConnectionLost(
                "Gmail has not yet said which labels there are".into(),
            )),
        }
    }

    /// Finds the label that the configuration names.
    ///
    /// # Errors
    /// There is none, or Gmail cannot be asked.
    pub(crate) async fn find_label(&self) -> Result<(), ChannelError> {
        let Some(wanted) = &self.label else { return Ok(()) };
        let labels = self.mailbox.api.labels().await?;
        let is_it = |label: &&google_gmail1::api::Label| {
            label.id.as_deref() == Some(wanted)
                || label
                    .name
                    .as_deref()
                    .is_some_and(|name| name.eq_ignore_ascii_case(wanted))
        };
        let Some(id) = labels.iter().find(is_it).and_then(|label| label.id.clone()) else {
            let known: Vec<_> = labels
                .iter()
                .filter(|label| label.type_.as_deref() == Some("user"))
                .filter_map(|label| label.name.as_deref())
                .take(20)
                .collect();
            return Err(ChannelError::Rejected(format!(
                "the mailbox has no label {wanted:?} (its own labels: {}): make it in Gmail, or name another one in \
                 filter.channelIds",
                known.join(", ")
            )));
        };
        *self.label_id.write().unwrap_or_else(PoisonError::into_inner) = Some(id);
        Ok(())
    }

    /// Whether a mail may be for this channel: it came in, and carries the label. The query is Gmail's to judge.
    pub(crate) fn may_serve(&self, message: &Message) -> bool {
        let labels = message.label_ids.as_deref().unwrap_or_default();
        let has = |wanted: &str| labels.iter().any(|label| label == wanted);
        let came_in = !NOT_SERVED.iter().any(|label| has(label)) && (!has("SENT") || has("INBOX"));
        came_in && self.is_labelled(message)
    }

    /// Whether a mail is shown to an agent that asks for it. What Gmail calls spam, and what was thrown away, is not.
    pub(crate) fn shows(&self, message: &Message) -> bool {
        let labels = message.label_ids.as_deref().unwrap_or_default();
        !labels.iter().any(|label| label == "SPAM" || label == "TRASH") && self.is_labelled(message)
    }

    /// Whether a mail that may have been for this channel was put into the bin, or called spam: if it waits for its turn, it gets
    /// none (D7).
    pub(crate) fn is_taken_back(&self, message: &Message) -> bool {
        let labels = message.label_ids.iter().flatten();
        labels
            .into_iter()
            .any(|label| label == "TRASH" || label == "SPAM")
            && self.is_labelled(message)
    }

    fn is_labelled(&self, message: &Message) -> bool {
        let labels = message.label_ids.as_deref().unwrap_or_default();
        match self.label_id() {
            Ok(Some(id)) => labels.contains(&id),
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// Whether a mail is one of those that this channel serves.
    ///
    /// # Errors
    /// Gmail cannot be asked.
    pub(crate) async fn serves(
        &self,
        message: &Message,
        message_id: Option<&str>,
    ) -> Result<bool, CallError> {
        if !self.shows(message) {
            return Ok(false);
        }
        if self.query().is_none() {
            return Ok(true);
        }
        let at = message.internal_date.unwrap_or_default().div_euclid(1000);
        let which = match message_id {
            Some(id) => format!("rfc822msgid:{id}"),
            // It has no id, or none that a search can name.
            None => format!("after:{} before:{}", at - 1, at + 2),
        };
        let found = self
            .mailbox
            .api
            .search(&self.search(&which), None, 100, None)
            .await?;
        Ok(found
            .messages
            .unwrap_or_default()
            .iter()
            .any(|one| one.id == message.id))
    }

    /// Whether an answer to these people is sent, and not put among the drafts.
    pub(crate) fn sends_to<'a>(&self, people: impl IntoIterator<Item = &'a str>) -> bool {
        let is_named = |address: &str| {
            let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
            self.mail.send_to.iter().any(|named| {
                let named = named.trim().to_lowercase();
                named == address
                    || named
                        .strip_prefix('@')
                        .is_some_and(|named| !named.is_empty() && named == domain)
            })
        };
        let mut people = people.into_iter().peekable();
        self.mail.reply_mode == ReplyMode::Send && people.peek().is_some() && people.all(is_named)
    }
}
