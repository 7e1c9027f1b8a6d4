//! Reading what was said: <https://docs.discord.com/developers/resources/message#get-channel-messages>. A thread is a channel like any
//! other, and read like one; a forum has nothing but threads.

use std::cmp::Ordering;

use async_trait::async_trait;
use kata_channel::{
    ChannelError, Cursor, History, Place, PollPage, PollRequest, ThreadId, ThreadPage, Timestamp,
    adapter::Discovered,
};

use super::{DiscordAdapter, directs, threads};
use crate::{
    atlas::{Spot, kind},
    errors::{CallError, code},
    read::channel,
    rest::wire::{self, Channel, Guild, Page},
    snowflake,
};

/// Pages of servers the bot is in, two hundred each. Beyond them Discord asks for more than one socket.
const MOST_PAGES: usize = 13;

#[async_trait]
impl History for DiscordAdapter {
    async fn conversations(&self) -> Result<Vec<Discovered>, ChannelError> {
        self.account().forget_active_threads();
        let named = &self.desk.named;
        if !named.is_empty() {
            let named = named.iter().map(|id| Discovered {
                place: Place::conversation(id.as_str()),
                named: true,
            });
            return Ok(named.collect());
        }
        let found = match &self.desk.guild {
            Some(guild) => self.channels_of(guild).await?,
            None => {
                let mut found = self.discover().await?;
                found.extend(self.account().atlas.directs());
                found
            }
        };
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

    async fn directs(&self, known: &[Place]) -> Result<Vec<Place>, ChannelError> {
        match self.desk.guild {
            Some(_) => Ok(Vec::new()),
            None => directs::open(self, known).await,
        }
    }

    async fn threads(
        &self,
        conversation: &Place,
        since: Timestamp,
        page: Option<String>,
    ) -> Result<ThreadPage, ChannelError> {
        threads::list(self, conversation, since, page).await
    }

    /// The first message of a forum's post has the post's own id.
    fn thread_begins(&self, thread: &ThreadId) -> Cursor {
        Cursor(snowflake::before(thread.as_str()).unwrap_or_else(|| "0".into()))
    }

    async fn start_from_now(&self, place: &Place) -> Result<Cursor, ChannelError> {
        let now = Cursor("0".into());
        match self.spot(place).await? {
            Some(spot) if !kind::is_forum(spot.kind) => {}
            _ => return Ok(now),
        }
        let path = format!("/channels/{}/messages?limit=1", channel(place));
        let Page(page) = self.account().rest.get("read history", path).await?;
        match page.into_iter().next() {
            Some(newest) => Ok(Cursor(newest.id)),
            None => self.check_readable(channel(place)).await.map(|()| now),
        }
    }

    fn cursor_at(&self, at: Timestamp) -> Cursor {
        Cursor(snowflake::at(at))
    }

    fn compare(&self, a: &Cursor, b: &Cursor) -> Ordering {
        snowflake::compare(&a.0, &b.0)
    }

    /// Discord serves what comes next after an id, newest first within the page. A page that is not full may have a successor all the
    /// same: the last one is empty.
    async fn poll(&self, request: PollRequest) -> Result<PollPage, ChannelError> {
        let PollRequest { place, cursor, page } = &request;
        match self.spot(place).await? {
            Some(spot) if !kind::is_forum(spot.kind) => {}
            _ => return Ok(nothing()),
        }
        let after = page.as_deref().unwrap_or(&cursor.0);
        let after = snowflake::number(after).unwrap_or_default();
        let path = format!("/channels/{}/messages?limit=100&after={after}", channel(place));
        let answer = self.account().rest.get::<Page>("read history", path).await;
        let Some(Page(mut said)) = self.unless_hidden(answer)? else {
            return Ok(nothing());
        };
        said.sort_by(|a, b| snowflake::compare(&a.id, &b.id));
        let newest = said.last().map(|message| message.id.clone());
        Ok(PollPage {
            messages: self.desk.read_history(place, &said).await?,
            next: newest.clone(),
            newest: newest.map(Cursor),
            contiguous: true,
            threads: Vec::new(),
        })
    }
}

// === impl DiscordAdapter ===

impl DiscordAdapter {
    /// What kind of place it is; none = nobody named it, and the bot cannot see it.
    pub(super) async fn spot(&self, place: &Place) -> Result<Option<Spot>, ChannelError> {
        let found = self
            .account()
            .atlas
            .find(channel(place), &self.account().rest)
            .await;
        self.unless_hidden(found)
    }

    /// A server lists its channels to everybody. That we cannot see one is an error only where it is named.
    pub(super) fn unless_hidden<T>(&self, answer: Result<T, CallError>) -> Result<Option<T>, ChannelError> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(error)
                if self.desk.named.is_empty()
                    && matches!(
                        error.code(),
                        Some(code::MISSING_ACCESS | code::MISSING_PERMISSIONS | code::UNKNOWN_CHANNEL)
                    ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The channels of the servers that the bot is in, as far as they hold messages or posts.
    async fn discover(&self) -> Result<Vec<String>, ChannelError> {
        let rest = &self.account().rest;
        let (mut found, mut after) = (Vec::new(), "0".to_owned());
        for _ in 0..MOST_PAGES {
            let path = format!("/users/@me/guilds?limit=200&after={after}");
            let guilds: Vec<Guild> = rest.get("list servers", path).await?;
            let Some(last) = guilds.last().map(|guild| guild.id.clone()) else {
                break;
            };
            for guild in guilds {
                found.extend(self.channels_of(&guild.id).await?);
            }
            after = last;
        }
        Ok(found)
    }

    /// The channels of a server, as far as they hold messages or posts.
    async fn channels_of(&self, guild: &str) -> Result<Vec<String>, ChannelError> {
        let path = format!("/guilds/{guild}/channels");
        let Listed(channels) = self.account().rest.get("list channels", path).await?;
        let mut found = Vec::new();
        for channel in channels {
            let channel = Channel {
                guild_id: Some(guild.to_owned()),
                ..channel
            };
            self.account().atlas.chart(&channel);
            if matches!(channel.kind, kind::TEXT | kind::ANNOUNCEMENTS) || kind::is_forum(channel.kind) {
                found.push(channel.id);
            }
        }
        Ok(found)
    }

    /// Whether the bot is in the server that is served, and the named channels are too.
    pub(super) async fn look_at_server(&self) -> Result<(), ChannelError> {
        let Some(guild) = &self.desk.guild else {
            return Ok(());
        };
        self.channels_of(guild).await.map_err(|error| match error {
            ChannelError::Rejected(_) => ChannelError::Rejected(format!(
                "the bot is not in the Discord server {guild}: invite it there, or correct the id of the server"
            )),
            other => other,
        })?;
        let account = self.account();
        for id in &self.desk.named {
            match account.atlas.find(id, &account.rest).await {
                Ok(spot) if is_elsewhere(&spot, guild) => {
                    return Err(ChannelError::Rejected(format!(
                        "the Discord channel {id} is not in the server {guild}: correct one of them"
                    )));
                }
                Ok(_) => {}
                Err(error) => match error.into() {
                    // That it cannot be seen is said when it is read, and keeps no other from being served.
                    ChannelError::Rejected(_) => {}
                    other => return Err(other),
                },
            }
        }
        Ok(())
    }
}

fn is_elsewhere(spot: &Spot, guild: &str) -> bool {
    spot.kind == kind::DIRECT || spot.guild.as_deref().is_some_and(|known| known != guild)
}

#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Listed(#[serde(deserialize_with = "wire::readable")] Vec<Channel>);

fn nothing() -> PollPage {
    PollPage {
        messages: Vec::new(),
        newest: None,
        next: None,
        contiguous: true,
        threads: Vec::new(),
    }
}
