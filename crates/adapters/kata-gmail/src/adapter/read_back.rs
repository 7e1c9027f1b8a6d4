//! Did an answer arrive? It is looked for by its Message-ID in the whole mailbox, and by its key in its thread: Gmail may put
//! an id of its own in place of ours, and its search knows a new mail a moment later than its threads do (D20).

use async_trait::async_trait;
use kata_channel::{ChannelError, Finding, Lookup, MessageId, ReadBack, Receipt};

use super::{GmailAdapter, send};
use crate::{desk::Desk, errors::CallError, mail::message_id};

#[async_trait]
impl ReadBack for GmailAdapter {
    async fn find(&self, lookup: &Lookup) -> Result<Finding, ChannelError> {
        let out = &lookup.outbound;
        let thread = out.place.thread.as_ref().map(|thread| thread.as_str());
        let found = by_key(&self.desk, &out.key.0, thread).await?;
        Ok(found.map_or(Finding::Absent, |id| {
            Finding::Sent(Receipt {
                id: Some(MessageId::new(id)),
            })
        }))
    }
}

/// The mail of ours that belongs to this key, draft or sent.
pub(crate) async fn by_key(
    desk: &Desk,
    key: &str,
    thread: Option<&str>,
) -> Result<Option<String>, CallError> {
    if let Some(id) = by_message_id(desk, key).await? {
        return Ok(Some(id));
    }
    let Some(thread) = thread else { return Ok(None) };
    match desk.mailbox.api.thread(thread).await {
        Ok(known) => Ok(send::find(&known, key)),
        // A thread that is gone holds nothing of ours.
        Err(error) if error.status() == Some(404) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The key of the mail that answers this one with a person's leave. It does not depend on what is kept here.
pub(crate) fn key_by_leave(answered: &str) -> String {
    format!("leave:{answered}")
}

async fn by_message_id(desk: &Desk, key: &str) -> Result<Option<String>, CallError> {
    let me = desk.mailbox.address().map_err(|_| CallError::Unreached)?;
    let query = format!("rfc822msgid:{}", message_id(key, &me));
    let found = desk.mailbox.api.search(&query, None, 10, None).await?;
    for id in found
        .messages
        .into_iter()
        .flatten()
        .filter_map(|message| message.id)
    {
        match desk.mailbox.api.message(&id, "minimal").await {
            Ok(message) if send::is_ours(&message) => return Ok(Some(id)),
            // Anybody may give a mail the id of one of ours.
            Ok(_) => {}
            Err(error) if error.status() == Some(404) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}
