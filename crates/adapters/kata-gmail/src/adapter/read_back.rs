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
        if let Some(id) = by_message_id(&self.desk, &out.key.0).await? {
            return Ok(sent(id));
        }
        let Some(thread) = &out.place.thread else {
            return Ok(Finding::Absent);
        };
        let known = match self.desk.mailbox.api.thread(thread.as_str()).await {
            Ok(known) => known,
            // A thread that is gone holds nothing of ours.
            Err(error) if error.status() == Some(404) => return Ok(Finding::Absent),
            Err(error) => return Err(error.into()),
        };
        Ok(send::find(&known, &out.key.0).map_or(Finding::Absent, sent))
    }
}

/// The mail with the Message-ID that belongs to this key, draft or sent.
pub(crate) async fn by_message_id(desk: &Desk, key: &str) -> Result<Option<String>, CallError> {
    let me = desk.mailbox.address().map_err(|_| CallError::Unreached)?;
    let query = format!("rfc822msgid:{}", message_id(key, &me));
    let found = desk.mailbox.api.search(&query, None, 10, None).await?;
    Ok(found
        .messages
        .into_iter()
        .flatten()
        .find_map(|message| message.id))
}

fn sent(id: String) -> Finding {
    Finding::Sent(Receipt {
        id: Some(MessageId::new(id)),
    })
}
