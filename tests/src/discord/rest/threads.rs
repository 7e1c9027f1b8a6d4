//! Threads and forum posts. <https://docs.discord.com/developers/topics/threads>

use serde_json::{Value, json};

use super::{
    super::{
        gateway::intent,
        id::{self, Id},
        json,
        record::Via,
        state::State,
        world::{BOT, Channel, ChannelKind, GUILD, Message},
    },
    Answer,
    call::Call,
    channels,
    error::{self, Refusal},
    messages, write,
};

/// <https://docs.discord.com/developers/resources/guild#list-active-guild-threads>
pub(super) fn active(state: &State, call: &Call) -> Answer {
    if call.id("guild_id")? != GUILD {
        return Err(Refusal::unknown(error::GUILD, "Guild"));
    }
    let open = |c: &&Channel| c.visible && c.thread.is_some() && !c.archived();
    let threads = state.world.channels.values().filter(open);
    // By id, the newest first.
    let threads: Vec<Value> = threads.rev().map(|c| state.view().channel(c)).collect();
    Ok(Some(
        json!({"threads": threads, "members": [], "has_more": false}),
    ))
}

/// The last archived first.
/// <https://docs.discord.com/developers/resources/channel#list-public-archived-threads>
pub(super) fn archived(state: &State, call: &Call) -> Answer {
    let before = match call.query("before").map(str::parse::<jiff::Timestamp>) {
        Some(Ok(before)) => Some(before),
        Some(Err(_)) => {
            return Err(Refusal::form(
                "before",
                "DATE_TIME_TYPE_PARSE",
                "Could not parse.",
            ));
        }
        None => None,
    };
    let turned = |c: &Channel| c.thread.as_ref().map_or(jiff::Timestamp::MIN, |t| t.turned);
    list(state, call, ChannelKind::Thread, before, turned)
}

/// The newest first, whenever they were archived.
/// <https://docs.discord.com/developers/resources/channel#list-joined-private-archived-threads>
pub(super) fn joined_archived(state: &State, call: &Call) -> Answer {
    let before = call.query("before").and_then(id::parse);
    list(state, call, ChannelKind::PrivateThread, before, |c| c.id)
}

fn list<K: Ord>(
    state: &State,
    call: &Call,
    kind: ChannelKind,
    before: Option<K>,
    key: impl Fn(&Channel) -> K,
) -> Answer {
    let parent = channels::seen(state, call)?;
    let limit = call
        .query("limit")
        .and_then(|l| l.parse().ok())
        .unwrap_or(50)
        .min(state.page_cap);
    let mut found: Vec<&Channel> = state
        .world
        .channels
        .values()
        .filter(|c| c.parent == Some(parent.id) && c.kind == kind && c.archived() && c.visible)
        .filter(|c| before.as_ref().is_none_or(|before| key(c) < *before))
        .collect();
    found.sort_by_key(|c| std::cmp::Reverse(key(c)));
    let more = found.len() > limit;
    let threads: Vec<Value> = found
        .into_iter()
        .take(limit)
        .map(|c| state.view().channel(c))
        .collect();
    Ok(Some(json!({"threads": threads, "members": [], "has_more": more})))
}

pub(super) fn create(state: &mut State, call: &Call) -> Answer {
    let parent = channels::seen(state, call)?;
    let (parent, kind, writable) = (parent.id, parent.kind, parent.writable);
    if !writable {
        return Err(Refusal::missing_permissions());
    }
    if !matches!(kind, ChannelKind::Text | ChannelKind::Forum) {
        return Err(Refusal::new(
            400,
            50024,
            "Cannot execute action on this channel type",
        ));
    }
    let name = call.body["name"].as_str().unwrap_or_default().to_owned();
    if call.operation.name == "create_thread_from_message" {
        return from_message(state, call, parent, &name);
    }
    if kind == ChannelKind::Forum {
        return post(state, call, parent, &name);
    }
    if call.body.get("message").is_some() {
        return Err(Refusal::new(
            400,
            50024,
            "Cannot execute action on this channel type",
        ));
    }
    // Without a type it would be a private thread.
    if call.body["type"] != 11 {
        return Err(Refusal::form(
            "type",
            "BASE_TYPE_CHOICES",
            "The fake has public threads alone.",
        ));
    }
    let id = state.world.clock.next();
    begin(state, id, parent, BOT, &name);
    Ok(Some(state.view().channel(&state.world.channels[&id])))
}

/// A thread takes the id of the message that it begins with.
fn from_message(state: &mut State, call: &Call, parent: Id, name: &str) -> Answer {
    let id = call.id("message_id")?;
    if !state.world.channels[&parent].messages.contains_key(&id) {
        return Err(Refusal::unknown(error::MESSAGE, "Message"));
    }
    if state.world.channels.contains_key(&id) {
        return Err(Refusal::new(
            400,
            160_004,
            "A thread has already been created for this message",
        ));
    }
    begin(state, id, parent, BOT, name);
    Ok(Some(state.view().channel(&state.world.channels[&id])))
}

/// A post is a thread whose first message has its id.
fn post(state: &mut State, call: &Call, parent: Id, name: &str) -> Answer {
    let id = state.world.clock.next();
    let mut message = Message::new(id, BOT, "");
    write::fill(state, call, &call.body["message"], &mut message)?;
    begin(state, id, parent, BOT, name);
    let first = messages::publish(state, id, message, Via::Create);
    let mut out = state.view().channel(&state.world.channels[&id]);
    out["message"] = first;
    Ok(Some(out))
}

/// A thread begins, and whoever watches is told.
pub(crate) fn begin(state: &mut State, id: Id, parent: Id, owner: Id, name: &str) {
    state
        .world
        .add_thread(id, parent, owner, name, ChannelKind::Thread);
    state.tell_channel("THREAD_CREATE", id);
}

/// Of an update the fake knows what concerns threads.
pub(super) fn update(state: &mut State, call: &Call) -> Answer {
    let channel = channels::seen(state, call)?;
    let (id, writable) = (channel.id, channel.writable);
    if !writable || channel.thread.is_none() {
        return Err(Refusal::missing_permissions());
    }
    turn(
        state,
        id,
        call.body["archived"].as_bool(),
        call.body["locked"].as_bool(),
    );
    if let Some(name) = call.body["name"].as_str() {
        name.clone_into(&mut state.world.channel(id).name);
    }
    state.tell_channel("THREAD_UPDATE", id);
    Ok(Some(state.view().channel(&state.world.channels[&id])))
}

/// Archives or locks a thread, or takes it back.
pub(crate) fn turn(state: &mut State, id: Id, archived: Option<bool>, locked: Option<bool>) {
    let thread = state
        .world
        .channel(id)
        .thread
        .as_mut()
        .expect("the caller names a thread");
    if let Some(archived) = archived.filter(|a| *a != thread.archived) {
        thread.archived = archived;
        thread.turned = jiff::Timestamp::now();
    }
    thread.locked = locked.unwrap_or(thread.locked);
}

/// A channel or thread goes, with all that is in it.
pub(crate) fn delete(state: &mut State, id: Id) {
    let Some(channel) = state.world.channels.remove(&id) else {
        return;
    };
    let mut d = json!({
        "id": id.to_string(), "guild_id": GUILD.to_string(), "type": channel.kind.number(),
        "parent_id": channel.parent.map(json::text),
    });
    let event = if channel.thread.is_some() {
        "THREAD_DELETE"
    } else {
        "CHANNEL_DELETE"
    };
    if channel.thread.is_none() {
        d["name"] = channel.name.into();
        d["position"] = 0.into();
        d["permission_overwrites"] = json!([]);
    }
    state.hub.dispatch(event, intent::GUILDS, |_| d.clone());
}
