//! Channels and direct messages. <https://docs.discord.com/developers/resources/channel>

use serde_json::json;

use super::{
    super::{
        id::{self, Id},
        state::{Needed, State},
        world::{BOT, Channel, ChannelKind},
    },
    Answer,
    call::Call,
    error::{self, Refusal},
};

/// The channel of the call, if the bot may see it.
pub(super) fn seen<'s>(state: &'s State, call: &Call) -> Result<&'s Channel, Refusal> {
    let id = call.id("channel_id")?;
    let channel = state
        .world
        .channels
        .get(&id)
        .ok_or_else(|| Refusal::unknown(error::CHANNEL, "Channel"))?;
    if channel.visible {
        Ok(channel)
    } else {
        Err(Refusal::missing_access())
    }
}

/// The channel of the call, if the bot may write in it.
pub(super) fn writable(state: &State, call: &Call) -> Result<Id, Refusal> {
    let channel = seen(state, call)?;
    if channel.kind == ChannelKind::Forum {
        return Err(Refusal::new(
            400,
            50008,
            "Cannot send messages in a non-text channel",
        ));
    }
    if !channel.writable && channel.is_dm() {
        return Err(Refusal::new(403, 50007, "Cannot send messages to this user"));
    }
    if !channel.writable || channel.thread.as_ref().is_some_and(|t| t.locked) {
        return Err(Refusal::missing_permissions());
    }
    Ok(channel.id)
}

pub(super) fn get(state: &State, call: &Call) -> Answer {
    Ok(Some(state.view().channel(seen(state, call)?)))
}

/// <https://docs.discord.com/developers/resources/user#create-dm>
pub(super) fn create_dm(state: &mut State, call: &Call) -> Answer {
    let recipient = call.body["recipient_id"].as_str().and_then(id::parse);
    let Some(user) = recipient.filter(|id| state.world.users.contains_key(id)) else {
        return Err(Refusal::new(400, 50033, "Invalid Recipient(s)"));
    };
    let id = state.world.dm_with(user);
    Ok(Some(state.view().channel(&state.world.channels[&id])))
}

/// <https://docs.discord.com/developers/resources/channel#trigger-typing-indicator>
pub(super) fn typing(state: &mut State, call: &Call) -> Answer {
    let channel = writable(state, call)?;
    state.record.typing.push(channel.to_string());
    let now = jiff::Timestamp::now().as_second();
    let d = json!({"channel_id": channel.to_string(), "user_id": BOT.to_string(), "timestamp": now});
    state.tell("TYPING_START", channel, Needed::TYPING, d);
    Ok(None)
}
