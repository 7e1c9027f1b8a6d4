//! Did a part arrive? Its key stands in the message's metadata (D20).

use std::time::Duration;

use async_trait::async_trait;
use kata_channel::{ChannelError, Finding, Lookup, MessageId, Place, ReadBack, Receipt};

use super::{
    SlackAdapter,
    send::{EVENT_TYPE, KEY, goes_by_response_url, thread},
};
use crate::{ts, web::wire::Message};

/// `Lookup::since` lies this long before the attempt.
const BEFORE_THE_ATTEMPT: Duration = Duration::from_secs(2 * 60);
/// A window of minutes has a page or two. One that never ends is a failed look, not an answer.
const MOST_PAGES: usize = 100;

#[async_trait]
impl ReadBack for SlackAdapter {
    async fn find(&self, lookup: &Lookup) -> Result<Finding, ChannelError> {
        let out = &lookup.outbound;
        let place = Place {
            conversation: out.place.conversation.clone(),
            thread: thread(self, out).cloned(),
        };
        let key = &*out.key.0;
        if let Some(found) = self.search(&place, &ts::at(lookup.since), key).await? {
            return Ok(Finding::Sent(Receipt {
                id: Some(MessageId::new(found)),
            }));
        }
        // What went by response_url carries no key: not found means nothing.
        let unknowable = goes_by_response_url(out, lookup.since + BEFORE_THE_ATTEMPT);
        Ok(if unknowable {
            Finding::Unknowable
        } else {
            Finding::Absent
        })
    }
}

// === impl SlackAdapter ===

impl SlackAdapter {
    /// The `ts` of the message with this key, after the whole window was read.
    async fn search(&self, place: &Place, since: &str, key: &str) -> Result<Option<String>, ChannelError> {
        let mut cursor = String::new();
        for _ in 0..MOST_PAGES {
            let mut arguments = vec![
                ("oldest", since),
                ("limit", "200"),
                ("include_all_metadata", "true"),
            ];
            if !cursor.is_empty() {
                arguments.push(("cursor", &cursor));
            }
            let page = self.page(place, &arguments).await?;
            if let Some(found) = page.messages().into_iter().find(|message| carries(message, key)) {
                return Ok(found.ts);
            }
            match page.next_cursor() {
                Some(next) => cursor = next.to_owned(),
                None if page.has_more => break,
                None => return Ok(None),
            }
        }
        Err(ChannelError::Other(
            "Slack's history has no end: whether the answer arrived is looked up again later".into(),
        ))
    }
}

fn carries(message: &Message, key: &str) -> bool {
    message.metadata.as_ref().is_some_and(|metadata| {
        metadata.event_type.as_deref() == Some(EVENT_TYPE)
            && metadata.event_payload.get(KEY).and_then(|value| value.as_str()) == Some(key)
    })
}
