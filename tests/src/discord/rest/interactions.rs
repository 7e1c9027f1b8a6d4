//! Answers to interactions.
//! <https://docs.discord.com/developers/interactions/receiving-and-responding>

use serde_json::{Value, json};

use super::{
    super::{
        id::{self, Id},
        record::{Answered, Via},
        state::{Interaction, State},
        world::{APP, BOT, LOADING, Message, kind},
    },
    Answer,
    call::Call,
    error::{self, Refusal},
    messages, write,
};

/// The types of a callback.
mod callback {
    pub(super) const MESSAGE: u64 = 4;
    pub(super) const DEFERRED_MESSAGE: u64 = 5;
    pub(super) const DEFERRED_UPDATE: u64 = 6;
    pub(super) const UPDATE: u64 = 7;
}

/// The first answer, which must come in time and once.
pub(super) fn respond(state: &mut State, call: &Call) -> Answer {
    let unknown = || Refusal::unknown(error::INTERACTION, "interaction");
    let token = &call.params["interaction_token"];
    let known = state.interactions.get(token).cloned().ok_or_else(unknown)?;
    if known.id != call.id("interaction_id")? || known.begun.elapsed() > state.patience {
        return Err(unknown());
    }
    if known.callback.is_some() {
        return Err(Refusal::new(
            400,
            40060,
            "Interaction has already been acknowledged.",
        ));
    }
    let kind = call.body["type"].as_u64().unwrap_or_default();
    let original = first(state, call, &known, kind)?;
    let interaction = known.id.to_string();
    let at = jiff::Timestamp::now();
    state.record.answered.push(Answered {
        interaction,
        kind,
        at,
    });
    if let Some(known) = state.interactions.get_mut(token) {
        (known.callback, known.original) = (Some(kind), original);
    }
    if call.query("with_response") != Some("true") {
        return Ok(None);
    }
    let mut out = json!({"interaction": {"id": known.id.to_string(), "type": known.kind}});
    if let Some(id) = original {
        out["interaction"]["response_message_id"] = id.to_string().into();
    }
    Ok(Some(out))
}

/// What a callback does; gives the message that is its original response.
fn first(state: &mut State, call: &Call, known: &Interaction, kind: u64) -> Result<Option<Id>, Refusal> {
    let data = &call.body["data"];
    match kind {
        callback::MESSAGE => {
            let mut message = answer_to(state, known, data);
            write::fill(state, call, data, &mut message)?;
            let id = message.id;
            messages::publish(state, known.channel, message, Via::Callback);
            Ok(Some(id))
        }
        callback::DEFERRED_MESSAGE => {
            let mut message = answer_to(state, known, data);
            message.flags |= LOADING;
            Ok(Some(state.say(known.channel, message, true)))
        }
        callback::DEFERRED_UPDATE if known.on.is_some() => Ok(known.on),
        callback::UPDATE => {
            let on = known
                .on
                .and_then(|id| state.world.channels[&known.channel].messages.get(&id).cloned());
            let mut message = on.ok_or_else(|| Refusal::unknown(error::MESSAGE, "Message"))?;
            write::fill(state, call, data, &mut message)?;
            messages::rewrite(state, known.channel, message, Via::Edit);
            Ok(known.on)
        }
        _ => Err(Refusal::form(
            "type",
            "BASE_TYPE_CHOICES",
            "This interaction is not answered so.",
        )),
    }
}

/// A message that answers an interaction, still empty.
fn answer_to(state: &mut State, known: &Interaction, data: &Value) -> Message {
    let mut message = Message::new(state.world.clock.next(), BOT, "");
    message.webhook = Some(APP);
    message.interaction = Some((known.id, known.kind, known.user));
    message.flags = data["flags"].as_u64().unwrap_or_default();
    if known.kind == 2 {
        message.kind = kind::CHAT_INPUT_COMMAND;
    }
    message
}

/// What comes after the first answer, for fifteen minutes.
pub(super) fn webhook(state: &mut State, call: &Call) -> Answer {
    if call.id("webhook_id")? != APP {
        return Err(Refusal::unknown(error::WEBHOOK, "Webhook"));
    }
    let Some(known) = state.interactions.get(&call.params["webhook_token"]).cloned() else {
        return Err(Refusal::unknown(error::WEBHOOK, "Webhook"));
    };
    if known.expired {
        return Err(Refusal::new(401, 50027, "Invalid Webhook Token"));
    }
    if known.callback.is_none() {
        return Err(Refusal::unknown(error::WEBHOOK, "Webhook"));
    }
    if call.operation.name == "execute_webhook" {
        return follow_up(state, call, &known);
    }
    let id = match call.params.get("message_id") {
        Some(id) => id::parse(id),
        None => known.original,
    };
    let found = id.and_then(|id| state.world.channels[&known.channel].messages.get(&id).cloned());
    let mut message = found.ok_or_else(|| Refusal::unknown(error::MESSAGE, "Message"))?;
    if call.operation.name.starts_with("delete") {
        state.remove(known.channel, message.id, true);
        return Ok(None);
    }
    if call.operation.name.starts_with("update") {
        return Ok(Some(change(state, call, &known, &mut message)?));
    }
    let place = &state.world.channels[&known.channel];
    Ok(Some(state.view().message(place, &message)))
}

/// The first follow-up after a deferral is the deferred answer itself.
fn follow_up(state: &mut State, call: &Call, known: &Interaction) -> Answer {
    let waiting = known
        .original
        .and_then(|id| state.world.channels[&known.channel].messages.get(&id).cloned());
    if let Some(mut message) = waiting.filter(|m| m.flags & LOADING != 0) {
        return Ok(Some(change(state, call, known, &mut message)?));
    }
    let mut message = answer_to(state, known, &call.body);
    write::fill(state, call, &call.body, &mut message)?;
    if let Some(original) = known.original {
        (message.replies_to, message.kind) = (Some(original), kind::REPLY);
    }
    Ok(Some(messages::publish(
        state,
        known.channel,
        message,
        Via::FollowUp,
    )))
}

fn change(
    state: &mut State,
    call: &Call,
    known: &Interaction,
    message: &mut Message,
) -> Result<Value, Refusal> {
    let deferred = message.flags & LOADING != 0;
    write::fill(state, call, &call.body, message)?;
    message.flags &= !LOADING;
    let via = if deferred { Via::Original } else { Via::Edit };
    Ok(messages::rewrite(state, known.channel, message.clone(), via))
}
