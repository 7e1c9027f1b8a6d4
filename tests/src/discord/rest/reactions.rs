//! Reactions of the bot. <https://docs.discord.com/developers/resources/message#create-reaction>

use serde_json::json;

use super::{
    super::{
        state::{Needed, State},
        world::BOT,
    },
    Answer,
    call::Call,
    channels,
    error::{self, Refusal},
};

pub(super) fn turn(state: &mut State, call: &Call) -> Answer {
    let channel = channels::writable(state, call)?;
    let message = call.id("message_id")?;
    let emoji = call.params["emoji_name"].clone();
    // A unicode emoji; the guild has none of its own, and a name in words is none.
    if emoji.is_ascii() {
        return Err(Refusal::unknown(10014, "Emoji"));
    }
    let on = call.operation.name.starts_with("add");
    let known = state.world.channel(channel).messages.get_mut(&message);
    let known = known.ok_or_else(|| Refusal::unknown(error::MESSAGE, "Message"))?;
    let (sign, event) = if on {
        ('+', "MESSAGE_REACTION_ADD")
    } else {
        ('-', "MESSAGE_REACTION_REMOVE")
    };
    if on {
        known.reactions.entry(emoji.clone()).or_default().insert(BOT);
    } else if let Some(by) = known.reactions.get_mut(&emoji) {
        by.remove(&BOT);
        if by.is_empty() {
            known.reactions.remove(&emoji);
        }
    }
    state
        .record
        .reactions
        .push((format!("{sign}{emoji}"), channel.to_string(), message.to_string()));
    let d = json!({
        "user_id": BOT.to_string(), "channel_id": channel.to_string(), "message_id": message.to_string(),
        "emoji": {"id": null, "name": emoji}, "burst": false, "type": 0,
    });
    state.tell(event, channel, Needed::REACTIONS, d);
    Ok(None)
}
