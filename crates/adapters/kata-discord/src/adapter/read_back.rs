//! Did a part arrive? Our own messages come back by the gateway with the nonce they were sent with. Where that was not heard, the place is
//! read: a message of ours with the same words, in reply to the same message (D20). Discord keeps no nonce.

use async_trait::async_trait;
use kata_channel::{ChannelError, Finding, Lookup, MessageId, ReadBack, Receipt};

use super::{DiscordAdapter, send};
use crate::{
    errors::code,
    rest::wire::{Message, Page},
    snowflake,
};

/// A window of minutes has a page or two. One that never ends is a failed look, not an answer.
const MOST_PAGES: usize = 100;

#[async_trait]
impl ReadBack for DiscordAdapter {
    async fn find(&self, lookup: &Lookup) -> Result<Finding, ChannelError> {
        let out = &lookup.outbound;
        if let Some(id) = self.account().sent_with(&out.key.0) {
            return Ok(sent(id));
        }
        let me = self.account().me()?;
        let wanted = Wanted {
            author: &me.user,
            words: &out.text,
            reply_to: send::replies_to(self, out),
        };
        let channel = send::target(self, &out.place);
        let since = snowflake::at(lookup.since);
        // The answer to a command takes the place of "is thinking", which stands there since the command was given.
        let asked = out
            .reply_to
            .as_ref()
            .filter(|_| out.metadata.contains_key("command"));
        let asked = asked.and_then(|id| snowflake::before(id.as_str()));
        let since = asked
            .filter(|asked| snowflake::compare(asked, &since).is_lt())
            .unwrap_or(since);
        match self.search(channel, since, &wanted).await? {
            Search::Found(id) => Ok(sent(id)),
            Search::Absent { saw_any: true } => Ok(Finding::Absent),
            // Without the permission to read history Discord shows an empty one.
            Search::Absent { saw_any: false } => self.check_readable(channel).await.map(|()| Finding::Absent),
        }
    }
}

fn sent(id: String) -> Finding {
    Finding::Sent(Receipt {
        id: Some(MessageId::new(id)),
    })
}

enum Search {
    Found(String),
    Absent { saw_any: bool },
}

// === impl DiscordAdapter ===

impl DiscordAdapter {
    /// The message that is wanted, after the whole window was read.
    async fn search(
        &self,
        channel: &str,
        mut after: String,
        wanted: &Wanted<'_>,
    ) -> Result<Search, ChannelError> {
        let mut saw_any = false;
        for _ in 0..MOST_PAGES {
            let path = format!("/channels/{channel}/messages?limit=100&after={after}");
            let Page(page) = self.account().rest.get("look for an answer", path).await?;
            if let Some(found) = page.iter().find(|message| wanted.is(message)) {
                return Ok(Search::Found(found.id.clone()));
            }
            match page
                .into_iter()
                .map(|m| m.id)
                .max_by(|a, b| snowflake::compare(a, b))
            {
                Some(newest) => after = newest,
                None => return Ok(Search::Absent { saw_any }),
            }
            saw_any = true;
        }
        Err(ChannelError::Other(
            "Discord's history has no end: whether the answer arrived is looked up again later".into(),
        ))
    }

    /// That a place shows no messages means that there are none.
    ///
    /// # Errors
    /// There are some, and the bot may not read them.
    pub(super) async fn check_readable(&self, channel: &str) -> Result<(), ChannelError> {
        let rest = &self.account().rest;
        let told: crate::rest::wire::Channel = rest
            .get("look at a channel", format!("/channels/{channel}"))
            .await?;
        let Some(last) = told.last_message_id else {
            return Ok(());
        };
        let look = rest.get::<Message>(
            "look at a message",
            format!("/channels/{channel}/messages/{last}"),
        );
        match look.await {
            Ok(_) => Ok(()),
            // The last one was deleted: whoever may know that may read.
            Err(error) if error.code() == Some(code::UNKNOWN_MESSAGE) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The message that is looked for.
struct Wanted<'a> {
    author: &'a str,
    words: &'a str,
    reply_to: Option<&'a str>,
}

impl Wanted<'_> {
    fn is(&self, message: &Message) -> bool {
        let is_ours = message
            .author
            .as_ref()
            .is_some_and(|author| author.id == self.author);
        let reference = message.message_reference.as_ref();
        let replies_to = reference.and_then(|reference| reference.message_id.as_deref());
        // A reply to a message that was deleted meanwhile is an ordinary one.
        let same_reply = replies_to == self.reply_to || replies_to.is_none();
        is_ours && same_reply && send::same_words(&message.content, self.words)
    }
}
