//! Messages. <https://docs.discord.com/developers/resources/message>

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::{
    super::{
        id::Id,
        record::{Posted, Via},
        state::{Nonce, State},
        world::{BOT, Channel, Message, kind},
    },
    Answer,
    call::Call,
    channels,
    error::{self, Refusal},
    web::string,
    write,
};

/// For how long a nonce is compared: a few minutes.
const REMEMBERED: Duration = Duration::from_secs(180);

pub(super) fn read(state: &State, call: &Call) -> Answer {
    let channel = channels::seen(state, call)?;
    let view = state.view();
    if call.operation.name == "get_message" {
        let id = call.id("message_id")?;
        if !channel.readable {
            return Err(Refusal::missing_access());
        }
        let found = channel
            .messages
            .get(&id)
            .ok_or_else(|| Refusal::unknown(error::MESSAGE, "Message"))?;
        return Ok(Some(view.message(channel, found)));
    }
    let page = page(state, channel, call)?;
    // Always the newest first, whichever way was asked.
    let page = page.into_iter().rev().map(|m| view.message(channel, m));
    Ok(Some(page.collect()))
}

/// A page of history, oldest first. Without the permission to read it there is none, and no error.
/// <https://docs.discord.com/developers/resources/message#get-channel-messages>
fn page<'s>(state: &State, channel: &'s Channel, call: &Call) -> Result<Vec<&'s Message>, Refusal> {
    let limit = call
        .query("limit")
        .map_or(Ok(50), str::parse::<usize>)
        .unwrap_or(0);
    if !(1..=100).contains(&limit) {
        let why = "int value should be between 1 and 100.";
        return Err(Refusal::form("limit", "NUMBER_TYPE_MAX", why));
    }
    let limit = limit.min(state.page_cap);
    let (around, before, after) = (
        call.query_id("around")?,
        call.query_id("before")?,
        call.query_id("after")?,
    );
    if !channel.readable {
        return Ok(Vec::new());
    }
    let messages = &channel.messages;
    Ok(match (around, before, after) {
        (Some(id), ..) => {
            let older = newest(messages.range(..id).map(|(_, m)| m), limit / 2);
            let rest = messages.range(id..).map(|(_, m)| m).take(limit - limit / 2);
            older.into_iter().chain(rest).collect()
        }
        (_, Some(id), _) => newest(messages.range(..id).map(|(_, m)| m), limit),
        // Those that come next after it, not the newest of all.
        (_, _, Some(id)) => messages.range(id + 1..).map(|(_, m)| m).take(limit).collect(),
        (None, None, None) => newest(messages.values(), limit),
    })
}

fn newest<'s>(all: impl DoubleEndedIterator<Item = &'s Message>, limit: usize) -> Vec<&'s Message> {
    let mut found: Vec<_> = all.rev().take(limit).collect();
    found.reverse();
    found
}

/// <https://docs.discord.com/developers/resources/message#create-message>
pub(super) fn create(state: &mut State, call: &Call) -> Answer {
    let channel = channels::writable(state, call)?;
    let body = &call.body;
    let nonce = string(&body["nonce"]);
    if nonce.as_ref().is_some_and(|nonce| nonce.chars().count() > 25) {
        return Err(Refusal::form(
            "nonce",
            "BASE_TYPE_MAX_LENGTH",
            "Must be 25 or fewer in length.",
        ));
    }
    if let Some(nonce) = nonce.as_ref().filter(|_| body["enforce_nonce"] == true)
        && let Some(answer) = said_before(state, nonce)
    {
        return Ok(Some(answer));
    }
    let mut message = Message::new(state.world.clock.next(), BOT, "");
    write::fill(state, call, body, &mut message)?;
    if let Some((to, pings)) = write::reply_to(state, channel, body)? {
        (message.replies_to, message.pings, message.kind) = (Some(to), pings, kind::REPLY);
    }
    message.nonce = Some(body["nonce"].clone()).filter(|n| !n.is_null());
    if let Some(nonce) = nonce {
        let at = Instant::now();
        state.nonces.insert(
            nonce,
            Nonce {
                message: message.id,
                at,
            },
        );
    }
    // A message in an archived thread brings it back.
    revive(state, channel);
    Ok(Some(publish(state, channel, message, Via::Create)))
}

/// The message that this nonce made already.
fn said_before(state: &State, nonce: &str) -> Option<Value> {
    let known = state
        .nonces
        .get(nonce)
        .filter(|known| known.at.elapsed() < REMEMBERED)?;
    let (channel, message) = state.world.find(known.message)?;
    Some(state.view().event(channel, message))
}

fn revive(state: &mut State, channel: Id) {
    let thread = &mut state.world.channel(channel).thread;
    if let Some(thread) = thread.as_mut().filter(|t| t.archived) {
        thread.archived = false;
        thread.turned = jiff::Timestamp::now();
        state.tell_channel("THREAD_UPDATE", channel);
    }
}

/// A message of the bot takes effect; gives it as its author sees it.
pub(super) fn publish(state: &mut State, channel: Id, message: Message, via: Via) -> Value {
    note(state, channel, &message, via);
    let id = state.say(channel, message, true);
    let place = &state.world.channels[&channel];
    let view = state.view();
    let mut answer = view.message(place, &place.messages[&id]);
    if let Some(nonce) = &place.messages[&id].nonce {
        answer["nonce"] = nonce.clone();
    }
    answer
}

/// Records what took effect.
pub(super) fn note(state: &mut State, channel: Id, message: &Message, via: Via) {
    state.record.posted.push(Posted {
        via,
        channel: channel.to_string(),
        text: message.content.clone(),
        reply_to: message.replies_to.map(|id| id.to_string()),
        nonce: message.nonce.as_ref().and_then(string),
        id: message.id.to_string(),
        files: message.files.iter().map(|f| f.name.clone()).collect(),
        at: jiff::Timestamp::now(),
    });
}

/// The message of the call.
fn own(state: &State, call: &Call, wrong: Refusal) -> Result<(Id, Message), Refusal> {
    let channel = channels::seen(state, call)?;
    let id = call.id("message_id")?;
    let message = channel
        .messages
        .get(&id)
        .ok_or_else(|| Refusal::unknown(error::MESSAGE, "Message"))?;
    if message.author != BOT {
        return Err(wrong);
    }
    Ok((channel.id, message.clone()))
}

pub(super) fn update(state: &mut State, call: &Call) -> Answer {
    let wrong = Refusal::new(403, 50005, "Cannot edit a message authored by another user");
    let (channel, mut message) = own(state, call, wrong)?;
    if state.world.channels[&channel].archived() {
        return Err(Refusal::new(400, 50083, "Thread is archived"));
    }
    write::fill(state, call, &call.body, &mut message)?;
    Ok(Some(rewrite(state, channel, message, Via::Edit)))
}

/// A message of the bot becomes another.
pub(super) fn rewrite(state: &mut State, channel: Id, mut message: Message, via: Via) -> Value {
    message.edited = Some(jiff::Timestamp::now());
    note(state, channel, &message, via);
    let id = message.id;
    state.world.channel(channel).messages.insert(id, message);
    state.tell_message("MESSAGE_UPDATE", channel, id);
    let place = &state.world.channels[&channel];
    state.view().message(place, &place.messages[&id])
}

pub(super) fn delete(state: &mut State, call: &Call) -> Answer {
    let (channel, message) = own(state, call, Refusal::missing_permissions())?;
    state.remove(channel, message.id, true);
    Ok(None)
}
