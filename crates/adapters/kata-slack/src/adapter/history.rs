//! Reading what was said: `conversations.history` for a conversation, `conversations.replies` for a thread.
//!
//! Slack serves pages now from the newer end, now from the older one, depending on the arguments and the day
//! (<https://docs.slack.dev/reference/methods/conversations.history#pagination>). So nothing is assumed: a page's
//! token carries the newest `ts` of the page before, and the next page shows by comparison which way it goes.

use std::cmp::Ordering;

use async_trait::async_trait;
use kata_channel::{
    ChannelError, Cursor, History, Place, PollPage, PollRequest, ThreadPage, Timestamp, adapter::Discovered,
};

use super::SlackAdapter;
use crate::{
    ts,
    web::{
        Call, PAGE,
        wire::{self, Message},
    },
};

/// Pages of conversations the bot is in. 10,000 conversations are nobody's.
const MOST_PAGES: usize = 50;

#[async_trait]
impl History for SlackAdapter {
    async fn conversations(&self) -> Result<Vec<Discovered>, ChannelError> {
        let named = &self.desk.named;
        if !named.is_empty() {
            let named = named.iter().map(|id| Discovered {
                place: Place::conversation(id.as_str()),
                named: true,
            });
            return Ok(named.collect());
        }
        let found = self.discover().await?;
        let ours = found
            .into_iter()
            .filter(|id| !self.account().claims.belongs_to_another(id, &self.desk.key));
        Ok(ours
            .map(|id| Discovered {
                place: Place::conversation(id),
                named: false,
            })
            .collect())
    }

    /// A message knows its latest reply, so one page of a conversation tells of 200 threads. Without a lower bound Slack
    /// serves the newest messages first: what matters comes first, whatever is left out.
    async fn threads(
        &self,
        conversation: &Place,
        since: Timestamp,
        page: Option<String>,
    ) -> Result<ThreadPage, ChannelError> {
        let mut arguments = vec![("limit", PAGE)];
        arguments.extend(page.as_deref().map(|cursor| ("cursor", cursor)));
        let answer = self.page(conversation, &arguments).await?;
        let since = ts::at(since);
        let (recent, older): (Vec<Message>, Vec<Message>) = answer.messages().into_iter().partition(|root| {
            root.ts
                .as_deref()
                .is_some_and(|ts| ts::compare(ts, &since).is_ge())
        });
        let replied = |root: Message| Some((thread(conversation, &root)?, Cursor(root.latest_reply?)));
        let next = onward(&answer)?.filter(|_| older.is_empty());
        Ok(ThreadPage {
            threads: recent.into_iter().filter_map(replied).collect(),
            next: next.map(str::to_owned),
        })
    }

    async fn start_from_now(&self, place: &Place) -> Result<Cursor, ChannelError> {
        let page = self.page(place, &[("limit", "1")]).await?;
        // A thread's first message comes first, and knows the latest reply.
        let newest = page
            .messages()
            .into_iter()
            .filter_map(|m| m.latest_reply.filter(|_| place.thread.is_some()).or(m.ts));
        Ok(Cursor(
            newest
                .max_by(|a, b| ts::compare(a, b))
                .unwrap_or_else(|| "0".into()),
        ))
    }

    fn cursor_at(&self, at: Timestamp) -> Cursor {
        Cursor(ts::at(at))
    }

    fn compare(&self, a: &Cursor, b: &Cursor) -> Ordering {
        ts::compare(&a.0, &b.0)
    }

    async fn poll(&self, request: PollRequest) -> Result<PollPage, ChannelError> {
        let PollRequest { place, cursor, page } = &request;
        let token = page.as_deref().and_then(PageToken::read);
        let mut arguments = vec![("limit", PAGE), ("oldest", &*cursor.0), ("inclusive", "false")];
        arguments.extend(token.map(|token| ("cursor", token.cursor)));
        let answer = self.page(place, &arguments).await?;
        let onward = onward(&answer)?;
        let after = |message: &Message| {
            message
                .ts
                .as_deref()
                .is_some_and(|ts| ts::compare(ts, &cursor.0).is_gt())
        };
        // Slack serves a thread's first message with every page of it.
        let mut said: Vec<Message> = answer.messages().into_iter().filter(after).collect();
        said.sort_by(|a, b| {
            ts::compare(
                a.ts.as_deref().unwrap_or_default(),
                b.ts.as_deref().unwrap_or_default(),
            )
        });
        let (oldest, newest) = (
            said.first().and_then(|m| m.ts.clone()),
            said.last().and_then(|m| m.ts.clone()),
        );
        let ascending = token
            .zip(oldest)
            .is_some_and(|(token, oldest)| ts::compare(&oldest, token.newest).is_gt());
        let before = token.map_or(&*cursor.0, |token| token.newest);
        let next = onward.map(|cursor| PageToken {
            newest: newest.as_deref().unwrap_or(before),
            cursor,
        });
        Ok(PollPage {
            contiguous: next.is_none() || ascending,
            next: next.map(|token| token.write()),
            newest: newest.map(Cursor),
            threads: stirred(place, &cursor.0, &said),
            messages: self.desk.read_history(place, &said).await?,
        })
    }
}

/// Where a page ended, for the next one to compare itself with.
#[derive(Clone, Copy, Debug)]
struct PageToken<'a> {
    newest: &'a str,
    cursor: &'a str,
}

// === impl PageToken ===

impl<'a> PageToken<'a> {
    fn read(text: &'a str) -> Option<Self> {
        text.split_once(' ')
            .map(|(newest, cursor)| Self { newest, cursor })
    }

    fn write(self) -> String {
        format!("{} {}", self.newest, self.cursor)
    }
}

// === impl SlackAdapter ===

impl SlackAdapter {
    /// One page of a place.
    pub(super) async fn page(
        &self,
        place: &Place,
        arguments: &[(&str, &str)],
    ) -> Result<wire::History, ChannelError> {
        Ok(self.account().page(place, arguments).await?)
    }

    /// The conversations the bot is in.
    async fn discover(&self) -> Result<Vec<String>, ChannelError> {
        let kinds = self.account().me()?.scopes.kinds();
        let mut found = Vec::new();
        let mut cursor = String::new();
        if kinds.is_empty() {
            return Ok(found);
        }
        for _ in 0..MOST_PAGES {
            let mut arguments = vec![("types", &*kinds), ("exclude_archived", "true"), ("limit", PAGE)];
            if !cursor.is_empty() {
                arguments.push(("cursor", &cursor));
            }
            let page: wire::Conversations = self
                .account()
                .web
                .get(Call::method("users.conversations"), &arguments)
                .await?;
            found.extend(page.channels.iter().map(|conversation| conversation.id.clone()));
            match page.next_cursor() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        Ok(found)
    }
}

/// How to go on after a page; none = it was the last one.
fn onward(answer: &wire::History) -> Result<Option<&str>, ChannelError> {
    match answer.next_cursor() {
        None if answer.has_more => Err(ChannelError::Other(
            "Slack has more history but does not say how to get it".into(),
        )),
        next => Ok(next),
    }
}

fn thread(place: &Place, root: &Message) -> Option<Place> {
    Some(Place::thread(place.conversation.clone(), root.ts.as_deref()?))
}

/// Threads whose first message was read just now and that have replies after `cursor`.
fn stirred(place: &Place, cursor: &str, said: &[Message]) -> Vec<Place> {
    if place.thread.is_some() {
        return Vec::new();
    }
    let replied = said.iter().filter(|root| {
        root.latest_reply
            .as_deref()
            .is_some_and(|ts| ts::compare(ts, cursor).is_gt())
    });
    replied.filter_map(|root| thread(place, root)).collect()
}
