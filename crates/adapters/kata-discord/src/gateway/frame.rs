//! What comes through the socket: <https://docs.discord.com/developers/events/gateway-events>.

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::rest::wire::{Channel, Guild, Interaction, Member, Message, Reaction, Threads};

/// A frame, read.
#[derive(Debug)]
pub(super) enum Frame {
    /// The first one: how often our heart is to beat.
    Hello(Duration),
    /// Our heartbeat was heard.
    Heard,
    /// A heartbeat is wanted now.
    BeatNow,
    /// A new socket is wanted.
    Reconnect,
    /// The session is no good.
    Invalid {
        /// It may be resumed all the same.
        resumable: bool,
    },
    /// Something happened.
    Dispatch {
        /// Its number in the session.
        seq: u64,
        /// What.
        news: News,
    },
    /// Nothing to us.
    Ignored,
    /// It could not be read.
    Unreadable,
}

/// What happened.
#[derive(Debug)]
pub(super) enum News {
    /// A session begins.
    Ready {
        /// Its name.
        session: String,
        /// Where it is to be resumed.
        url: String,
    },
    /// A session goes on.
    Resumed,
    /// Something for a channel.
    Events(Vec<Event>),
    /// Reactions were taken off: one, or all of a message, or all with an emoji.
    Unreacted(Box<Reaction>),
    /// A server is there.
    Guild(Box<Guild>),
    /// Channels or threads are there, or have changed.
    Channels(Vec<Channel>),
    /// Somebody's roles have changed.
    Member {
        /// Where.
        guild: String,
        /// Who.
        member: Box<Member>,
    },
    /// Nothing to us.
    Other,
    /// It could not be read: counted, and passed over, since it would never read better.
    Unreadable,
}

/// Something for a channel, and what is needed to find it.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) seq: u64,
    pub(super) received: Instant,
    /// The channel or thread, as Discord names it.
    pub(super) channel: String,
    /// The server; none = a direct conversation.
    pub(super) guild: Option<String>,
    pub(super) what: What,
}

/// What happened in a channel.
#[derive(Debug)]
pub(super) enum What {
    Said(Box<Message>),
    Changed(Box<Message>),
    Deleted(String),
    Interaction(Box<Interaction>),
    /// With its name, by which it is known when it is told again; the reader of frames gives none.
    Reacted(Box<Reaction>, String),
}

#[derive(Deserialize)]
struct Payload<'a> {
    op: u8,
    s: Option<u64>,
    t: Option<String>,
    #[serde(borrow)]
    d: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Hello {
    heartbeat_interval: u64,
}

#[derive(Deserialize)]
struct Ready {
    session_id: String,
    resume_gateway_url: String,
}

#[derive(Deserialize)]
struct Deleted {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    ids: Vec<String>,
    channel_id: String,
    guild_id: Option<String>,
}

#[derive(Deserialize)]
struct InGuild {
    guild_id: String,
}

/// Reads a frame that came in at `received`.
pub(super) fn read(text: &str, received: Instant) -> Frame {
    let Ok(payload) = serde_json::from_str::<Payload<'_>>(text) else {
        return Frame::Unreadable;
    };
    let d = payload.d.map_or("null", RawValue::get);
    match (payload.op, payload.s) {
        (0, Some(seq)) => {
            let kind = payload.t.unwrap_or_default();
            let news = news(&kind, d, seq, received).unwrap_or(News::Unreadable);
            Frame::Dispatch { seq, news }
        }
        (1, _) => Frame::BeatNow,
        (7, _) => Frame::Reconnect,
        (9, _) => Frame::Invalid {
            resumable: d.trim() == "true",
        },
        (10, _) => match serde_json::from_str::<Hello>(d) {
            Ok(hello) => Frame::Hello(Duration::from_millis(hello.heartbeat_interval)),
            Err(_) => Frame::Unreadable,
        },
        (11, _) => Frame::Heard,
        // Operations of tomorrow.
        _ => Frame::Ignored,
    }
}

fn news(kind: &str, d: &str, seq: u64, received: Instant) -> serde_json::Result<News> {
    let event = |channel, guild, what| Event {
        seq,
        received,
        channel,
        guild,
        what,
    };
    let message = |what: fn(Box<Message>) -> What| {
        let message: Box<Message> = serde_json::from_str(d)?;
        let (channel, guild) = (message.channel_id.clone(), message.guild_id.clone());
        Ok(News::Events(vec![event(channel, guild, what(message))]))
    };
    Ok(match kind {
        "READY" => {
            let ready: Ready = serde_json::from_str(d)?;
            News::Ready {
                session: ready.session_id,
                url: ready.resume_gateway_url,
            }
        }
        "RESUMED" => News::Resumed,
        "MESSAGE_CREATE" => return message(What::Said),
        "MESSAGE_UPDATE" => return message(What::Changed),
        "MESSAGE_DELETE" | "MESSAGE_DELETE_BULK" => {
            let gone: Deleted = serde_json::from_str(d)?;
            let ids = gone.id.into_iter().chain(gone.ids);
            let events =
                ids.map(|id| event(gone.channel_id.clone(), gone.guild_id.clone(), What::Deleted(id)));
            News::Events(events.collect())
        }
        "INTERACTION_CREATE" => {
            let interaction: Box<Interaction> = serde_json::from_str(d)?;
            match interaction.channel_id.clone() {
                Some(channel) => {
                    let guild = interaction.guild_id.clone();
                    News::Events(vec![event(channel, guild, What::Interaction(interaction))])
                }
                None => News::Other,
            }
        }
        "MESSAGE_REACTION_ADD" => {
            let reaction: Box<Reaction> = serde_json::from_str(d)?;
            let (channel, guild) = (reaction.channel_id.clone(), reaction.guild_id.clone());
            News::Events(vec![event(
                channel,
                guild,
                What::Reacted(reaction, String::new()),
            )])
        }
        "MESSAGE_REACTION_REMOVE" | "MESSAGE_REACTION_REMOVE_ALL" | "MESSAGE_REACTION_REMOVE_EMOJI" => {
            News::Unreacted(serde_json::from_str(d)?)
        }
        "GUILD_CREATE" => News::Guild(serde_json::from_str(d)?),
        "CHANNEL_CREATE" | "CHANNEL_UPDATE" | "THREAD_CREATE" | "THREAD_UPDATE" => {
            News::Channels(vec![serde_json::from_str(d)?])
        }
        "THREAD_LIST_SYNC" => {
            let InGuild { guild_id } = serde_json::from_str(d)?;
            let list: Threads = serde_json::from_str(d)?;
            let with_guild = |thread: Channel| Channel {
                guild_id: Some(guild_id.clone()),
                ..thread
            };
            News::Channels(list.threads.into_iter().map(with_guild).collect())
        }
        "GUILD_MEMBER_UPDATE" => {
            let InGuild { guild_id } = serde_json::from_str(d)?;
            News::Member {
                guild: guild_id,
                member: serde_json::from_str(d)?,
            }
        }
        _ => News::Other,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn dispatch(kind: &str, d: Value) -> News {
        let text = json!({"op": 0, "s": 7, "t": kind, "d": d}).to_string();
        match read(&text, Instant::now()) {
            Frame::Dispatch { seq: 7, news } => news,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn every_operation_is_known() {
        // <https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway-gateway-opcodes>
        let frame = |text: &str| read(text, Instant::now());
        assert!(matches!(
            frame(r#"{"op":10,"d":{"heartbeat_interval":41250}}"#),
            Frame::Hello(every) if every == Duration::from_millis(41_250)
        ));
        assert!(matches!(frame(r#"{"op":11}"#), Frame::Heard));
        assert!(matches!(frame(r#"{"op":1,"d":251}"#), Frame::BeatNow));
        assert!(matches!(frame(r#"{"op":7,"d":null}"#), Frame::Reconnect));
        assert!(matches!(
            frame(r#"{"op":9,"d":false}"#),
            Frame::Invalid { resumable: false }
        ));
        assert!(matches!(
            frame(r#"{"op":9,"d":true}"#),
            Frame::Invalid { resumable: true }
        ));
        assert!(matches!(frame(r#"{"op":99,"d":{}}"#), Frame::Ignored));
        assert!(matches!(frame("not json"), Frame::Unreadable));
    }

    #[tokio::test]
    async fn many_deletions_are_one_each() {
        let gone = json!({"ids": ["1", "2"], "channel_id": "9", "guild_id": "8"});
        let News::Events(events) = dispatch("MESSAGE_DELETE_BULK", gone) else {
            panic!()
        };
        assert_eq!(events.len(), 2);
        assert!(
            events
                .iter()
                .all(|e| e.channel == "9" && matches!(e.what, What::Deleted(_)))
        );
    }

    #[tokio::test]
    async fn what_cannot_be_read_and_what_is_new_harm_nobody() {
        assert!(matches!(
            dispatch("MESSAGE_CREATE", json!({"id": 7, "content": ["odd"]})),
            News::Unreadable
        ));
        assert!(matches!(dispatch("A_KIND_OF_TOMORROW", json!({})), News::Other));
    }
}
