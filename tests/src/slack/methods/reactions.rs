//! `reactions.*` and the assistant's status.

use serde_json::{Value, json};

use super::{Answer, joined};
use crate::slack::{
    args::Args,
    error::Refusal,
    record::Status,
    state::State,
    ts::Ts,
    world::{BOT_USER, Message},
};

/// <https://docs.slack.dev/reference/methods/reactions.add>
pub(super) fn add(state: &mut State, args: &Args) -> Answer {
    let (name, channel, ts) = target(args)?;
    let users = message(state, &channel, ts)?
        .reactions
        .entry(name.clone())
        .or_default();
    if !users.insert(BOT_USER.to_owned()) {
        return Err("already_reacted".into());
    }
    state
        .record
        .reactions
        .push((format!("+{name}"), channel, ts.to_string()));
    Ok(json!({}))
}

/// <https://docs.slack.dev/reference/methods/reactions.remove>
pub(super) fn remove(state: &mut State, args: &Args) -> Answer {
    let (name, channel, ts) = target(args)?;
    let reactions = &mut message(state, &channel, ts)?.reactions;
    let users = reactions
        .get_mut(&name)
        .filter(|u| u.contains(BOT_USER))
        .ok_or("no_reaction")?;
    users.remove(BOT_USER);
    if users.is_empty() {
        reactions.remove(&name);
    }
    state
        .record
        .reactions
        .push((format!("-{name}"), channel, ts.to_string()));
    Ok(json!({}))
}

fn target(args: &Args) -> Result<(String, String, Ts), Refusal> {
    let name = args.required("name")?;
    if !name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-+'".contains(&b))
    {
        return Err("invalid_name".into());
    }
    let channel = args.text("channel").ok_or("no_item_specified")?;
    let ts = args
        .ts("timestamp", "bad_timestamp")?
        .ok_or("no_item_specified")?;
    Ok((name.to_owned(), channel.to_owned(), ts))
}

fn message<'a>(state: &'a mut State, channel: &str, ts: Ts) -> Result<&'a mut Message, Refusal> {
    joined(state, channel)?;
    let channel = state.world.channels.get_mut(channel).ok_or("channel_not_found")?;
    channel
        .messages
        .get_mut(&ts)
        .ok_or_else(|| "message_not_found".into())
}

/// <https://docs.slack.dev/reference/methods/assistant.threads.setStatus>
pub(super) fn set_status(state: &mut State, args: &Args) -> Answer {
    let channel = args.required("channel_id")?.to_owned();
    let thread = args
        .ts("thread_ts", "invalid_thread_ts")?
        .ok_or_else(|| Refusal::missing("thread_ts"))?;
    message(state, &channel, thread)?;
    let status = args
        .all
        .get("status")
        .and_then(Value::as_str)
        .ok_or_else(|| Refusal::missing("status"))?;
    let status = Status {
        channel,
        thread: thread.to_string(),
        status: status.to_owned(),
    };
    state.record.statuses.push(status);
    Ok(json!({}))
}
