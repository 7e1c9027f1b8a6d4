//! Did a part arrive? Its key stands in the message's metadata (D20).

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use kata_channel::{ChannelError, Finding, Lookup, MessageId, Place, ReadBack, Receipt};

use super::{
    SlackAdapter,
    send::{EVENT_TYPE, KEY, goes_by_response_url, thread},
};
use crate::{account::Me, ts, web::wire::Message};

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
        let unknowable = goes_by_response_url(out, lookup.since + BEFORE_THE_ATTEMPT);
        let wanted = Wanted {
            key: &out.key.0,
            // What went by response_url is not looked for by its words: it may be shown to one person alone.
            words: (!unknowable).then_some(&*out.text),
            me: self.account().me()?,
        };
        if let Some(found) = self.search(&place, &ts::at(lookup.since), &wanted).await? {
            return Ok(Finding::Sent(Receipt {
                id: Some(MessageId::new(found)),
            }));
        }
        // What went by response_url carries no key: not found means nothing.
        Ok(if unknowable {
            Finding::Unknowable
        } else {
            Finding::Absent
        })
    }
}

// === impl SlackAdapter ===

impl SlackAdapter {
    /// The `ts` of the message that is wanted, after the whole window was read.
    async fn search(
        &self,
        place: &Place,
        since: &str,
        wanted: &Wanted<'_>,
    ) -> Result<Option<String>, ChannelError> {
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
            if let Some(found) = page.messages().into_iter().find(|message| wanted.is(message)) {
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

/// The message that is looked for.
struct Wanted<'a> {
    key: &'a str,
    words: Option<&'a str>,
    me: Arc<Me>,
}

impl Wanted<'_> {
    fn is(&self, message: &Message) -> bool {
        match &message.metadata {
            Some(metadata) => {
                metadata.event_type.as_deref() == Some(EVENT_TYPE)
                    && metadata.event_payload.get(KEY).and_then(|value| value.as_str()) == Some(self.key)
            }
            // What Kata 0.7 sent carries no key, and a token may not be shown metadata: then the same words from our
            // own bot, in the same place and minutes, are the message. Better said once too little than twice.
            None => {
                let told = message.text.as_deref().unwrap_or_default();
                self.words
                    .is_some_and(|words| self.is_ours(message) && same_words(told, words))
            }
        }
    }

    fn is_ours(&self, message: &Message) -> bool {
        message.user.as_deref() == Some(&self.me.user)
            || message.bot_id.is_some() && message.bot_id == self.me.bot
    }
}

/// Slack gives a text back escaped, and trimmed.
fn same_words(told: &str, sent: &str) -> bool {
    let plain = |text: &str| {
        let text = text
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&");
        text.trim().to_owned()
    };
    plain(told) == plain(sent)
}
