//! The threads of a channel and the posts of a forum: what was said in one while we were away, also in one that was archived again
//! before we came back. <https://docs.discord.com/developers/topics/threads>
//!
//! Active threads come all at once, archived ones in pages: public ones the last archived first, so that the list ends where it is
//! too old; private ones that we are in the newest first, whenever they were archived. What matters is when something was last said
//! in a thread: an old one can stir.

use std::sync::Arc;

use kata_channel::{ChannelError, Cursor, Place, ThreadPage, Timestamp};

use super::DiscordAdapter;
use crate::{
    atlas::kind,
    errors::CallError,
    rest::wire::{Channel, Threads},
    snowflake,
};

/// Which page of archived threads is meant; none = that list is at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pages {
    public: Option<Before>,
    private: Option<Before>,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Before {
    /// The first one.
    Nothing,
    /// What follows this time or id.
    This(String),
}

/// One page of the threads of a channel in which something was said since then.
pub(super) async fn list(
    adapter: &DiscordAdapter,
    conversation: &Place,
    since: Timestamp,
    page: Option<String>,
) -> Result<ThreadPage, ChannelError> {
    let Some(spot) = adapter.spot(conversation).await? else {
        return Ok(ThreadPage::default());
    };
    let Some(guild) = spot.guild.as_deref().filter(|_| !kind::is_thread(spot.kind)) else {
        return Ok(ThreadPage::default());
    };
    let parent = conversation.conversation.as_str();
    let mut found = Vec::new();
    let pages = match &page {
        Some(page) => Pages::read(page),
        None => {
            found.extend(active(adapter, guild, parent).await?);
            Pages::first(spot.kind)
        }
    };
    let mut next = Pages::END;
    if let Some(before) = &pages.public {
        let list = public(adapter, parent, before).await?;
        next.public = onward(&list, since);
        found.extend(list.threads);
    }
    if let Some(before) = &pages.private {
        let list = private(adapter, parent, before).await?;
        let last = list.threads.last().filter(|_| list.has_more);
        next.private = last.map(|thread| Before::This(thread.id.clone()));
        found.extend(list.threads);
    }
    found
        .iter()
        .for_each(|thread| adapter.account().atlas.chart(thread));
    let since = snowflake::at(since);
    let stirred = |thread: Channel| {
        let last = thread.last_message_id?;
        let recent = snowflake::compare(&last, &since).is_ge();
        recent.then(|| (Place::thread(parent, thread.id), Cursor(last)))
    };
    Ok(ThreadPage {
        threads: found.into_iter().filter_map(stirred).collect(),
        next: next.write(),
    })
}

/// Discord tells those of a whole server, and each of its channels asks.
async fn active(adapter: &DiscordAdapter, guild: &str, parent: &str) -> Result<Vec<Channel>, ChannelError> {
    let account = adapter.account();
    let all = if let Some(known) = account.active_threads(guild) {
        known
    } else {
        let path = format!("/guilds/{guild}/threads/active");
        let list: Threads = account.rest.get("list threads", path).await?;
        let all = Arc::new(list.threads);
        account.note_active_threads(guild, all.clone());
        all
    };
    let here = all.iter().filter(|t| t.parent_id.as_deref() == Some(parent));
    Ok(here.cloned().collect())
}

async fn public(adapter: &DiscordAdapter, parent: &str, before: &Before) -> Result<Threads, ChannelError> {
    let before = before.query();
    let path = format!("/channels/{parent}/threads/archived/public?limit=100{before}");
    let list = adapter.account().rest.get::<Threads>("list threads", path).await;
    Ok(adapter.unless_hidden(list)?.unwrap_or_default())
}

/// A channel whose private threads are refused to us is read all the same.
async fn private(adapter: &DiscordAdapter, parent: &str, before: &Before) -> Result<Threads, ChannelError> {
    let before = before.query();
    let path = format!("/channels/{parent}/users/@me/threads/archived/private?limit=100{before}");
    match adapter.account().rest.get("list threads", path).await {
        Ok(list) => Ok(list),
        Err(CallError::Refused(refusal)) if refusal.status != 401 => {
            tracing::debug!(code = refusal.code, "private threads cannot be listed");
            Ok(Threads::default())
        }
        Err(error) => Err(error.into()),
    }
}

/// How to go on after a page of public threads; none = what follows was archived too long ago.
fn onward(page: &Threads, since: Timestamp) -> Option<Before> {
    let last = page.threads.last().filter(|_| page.has_more)?;
    let at = last.thread_metadata.as_ref()?.archive_timestamp.as_deref()?;
    let moment: jiff::Timestamp = at.parse().ok()?;
    // As Discord wrote it, but for the plus of its offset, which means a space in a query.
    (moment.as_millisecond() >= since.as_millis()).then(|| Before::This(moment.to_string()))
}

// === impl Pages ===

impl Pages {
    const END: Self = Self {
        public: None,
        private: None,
    };

    /// Private threads are in text channels alone.
    fn first(kind: u64) -> Self {
        Self {
            public: Some(Before::Nothing),
            private: (kind == kind::TEXT).then_some(Before::Nothing),
        }
    }

    /// The page that [`write`](Self::write) wrote.
    fn read(page: &str) -> Self {
        let (public, private) = page.split_once(' ').unwrap_or((page, ""));
        let before = |said: &str| (!said.is_empty()).then(|| Before::This(said.to_owned()));
        Self {
            public: before(public),
            private: before(private),
        }
    }

    /// None = both lists are at their end.
    fn write(&self) -> Option<String> {
        let said = |before: &Option<Before>| match before {
            Some(Before::This(this)) => this.clone(),
            Some(Before::Nothing) | None => String::new(),
        };
        let page = format!("{} {}", said(&self.public), said(&self.private));
        (page != " ").then_some(page)
    }
}

// === impl Before ===

impl Before {
    fn query(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::This(this) => format!("&before={this}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_list_goes_on_where_it_was() {
        let this = |at: &str| Some(Before::This(at.into()));
        for (public, private) in [
            (this("2026-01-01T00:00:00Z"), this("7")),
            (None, this("7")),
            (this("2026-01-01T00:00:00Z"), None),
        ] {
            let pages = Pages { public, private };
            assert_eq!(Pages::read(&pages.write().unwrap()), pages);
        }
        assert_eq!(Pages::END.write(), None);
    }

    #[test]
    fn forums_have_no_private_threads() {
        assert!(Pages::first(kind::FORUM).private.is_none());
        assert!(Pages::first(kind::TEXT).private.is_some());
    }
}
