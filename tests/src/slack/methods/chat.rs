//! `chat.*` and `response_url`.

use serde_json::{Value, json};

use super::{Answer, joined};
use crate::slack::{
    args::Args,
    blocks,
    error::Refusal,
    record::{Posted, Via},
    state::State,
    ts::Ts,
    world::{BOT, BOT_USER, TEAM},
};

/// Longer texts are refused. <https://docs.slack.dev/reference/methods/chat.postMessage#truncating>
const MAX_TEXT: usize = 40_000;

/// An edit may not grow so long. <https://docs.slack.dev/reference/methods/chat.update>
const MAX_EDITED_TEXT: usize = 4_000;

/// <https://docs.slack.dev/reference/methods/chat.postMessage>
pub(super) fn post_message(state: &mut State, args: &Args) -> Answer {
    let target = args.required("channel")?.to_owned();
    // A user's id opens the direct conversation.
    let target = if state.world.users.contains_key(&target) {
        state.world.im_with(&target)
    } else {
        target
    };
    if joined(state, &target)?.archived {
        return Err("is_archived".into());
    }
    let text = text(args, MAX_TEXT)?;
    let blocks = blocks::read(args, state.world.serial())?;
    let thread = thread(state, &target, args)?;
    let mut message = state.own_message(&text, thread);
    message.blocks = blocks.unwrap_or_default();
    message.metadata = metadata(args)?;
    if thread.is_some() && args.flag("reply_broadcast") {
        message.subtype = Some("thread_broadcast");
    }
    record(
        state,
        Via::PostMessage,
        &target,
        thread,
        &text,
        message.metadata.as_ref(),
        message.ts,
    );
    let ts = state.say(&target, message, true);
    let view = state.view(&target, true);
    let shown = view.message(&view.channel.messages[&ts]);
    Ok(json!({"channel": target, "ts": ts.to_string(), "message": shown}))
}

/// <https://docs.slack.dev/reference/methods/chat.postEphemeral>
pub(super) fn post_ephemeral(state: &mut State, args: &Args) -> Answer {
    let target = args.required("channel")?.to_owned();
    let user = args.required("user")?;
    if !joined(state, &target)?.has(user) {
        return Err("user_not_in_channel".into());
    }
    let text = text(args, MAX_TEXT)?;
    let thread = thread(state, &target, args)?;
    let ts = state.world.next_ts();
    record(state, Via::Ephemeral, &target, thread, &text, None, ts);
    Ok(json!({"message_ts": ts.to_string()}))
}

/// <https://docs.slack.dev/reference/methods/chat.update>
pub(super) fn update(state: &mut State, args: &Args) -> Answer {
    let (channel, ts) = own(state, args, "cant_update_message")?;
    let text = text(args, MAX_EDITED_TEXT)?;
    // Blocks that are not given again are gone, unless there is no new text to show in their place.
    let retained = !args.all.contains_key("text");
    let blocks = blocks::read(args, state.world.serial())?;
    let edited = state.world.next_ts();
    let messages = &mut state
        .world
        .channels
        .get_mut(&channel)
        .ok_or("channel_not_found")?
        .messages;
    let message = messages.get_mut(&ts).ok_or("message_not_found")?;
    if !retained {
        message.text.clone_from(&text);
    }
    match blocks {
        Some(blocks) => message.blocks = blocks,
        None if !retained => message.blocks.clear(),
        None => {}
    }
    message.edited = Some((BOT_USER.to_owned(), edited));
    let thread = message.thread.filter(|t| *t != ts);
    let known = message.metadata.clone();
    record(state, Via::Update, &channel, thread, &text, known.as_ref(), ts);
    state.tell_edit(&channel, ts);
    let shown = json!({"text": text, "user": BOT_USER, "bot_id": BOT, "team": TEAM, "type": "message"});
    Ok(json!({"channel": channel, "ts": ts.to_string(), "text": text, "message": shown}))
}

/// <https://docs.slack.dev/reference/methods/chat.delete>
pub(super) fn delete(state: &mut State, args: &Args) -> Answer {
    let (channel, ts) = own(state, args, "cant_delete_message")?;
    state.remove(&channel, ts);
    Ok(json!({"channel": channel, "ts": ts.to_string()}))
}

/// A message of ours, named by `channel` and `ts`.
fn own(state: &State, args: &Args, refusal: &str) -> Result<(String, Ts), Refusal> {
    let channel = joined(state, args.required("channel")?)?;
    let ts = args
        .ts("ts", "message_not_found")?
        .ok_or_else(|| Refusal::missing("ts"))?;
    let message = channel.messages.get(&ts).ok_or("message_not_found")?;
    if message.user == BOT_USER {
        Ok((channel.id.clone(), ts))
    } else {
        Err(refusal.into())
    }
}

fn text(args: &Args, limit: usize) -> Result<String, Refusal> {
    let text = args.text("text").unwrap_or_default();
    let rich = ["blocks", "attachments"]
        .iter()
        .any(|a| args.all.contains_key(*a));
    if text.is_empty() && !rich {
        return Err("no_text".into());
    }
    if text.chars().count() > limit {
        Err("msg_too_long".into())
    } else {
        Ok(text.to_owned())
    }
}

/// The thread of `thread_ts`: any message of the conversation may become a thread's root, a reply may not.
fn thread(state: &State, channel: &str, args: &Args) -> Result<Option<Ts>, Refusal> {
    let Some(thread) = args.ts("thread_ts", "invalid_thread_ts")? else {
        return Ok(None);
    };
    let root = state
        .world
        .channels
        .get(channel)
        .and_then(|c| c.messages.get(&thread));
    match root {
        Some(root) if root.in_conversation() => Ok(Some(thread)),
        Some(_) => Err("cannot_reply_to_message".into()),
        None => Err("thread_not_found".into()),
    }
}

/// <https://docs.slack.dev/messaging/message-metadata>
fn metadata(args: &Args) -> Result<Option<Value>, Refusal> {
    let metadata = args
        .object("metadata")
        .map_err(|()| Refusal::from("invalid_metadata_format"))?;
    match metadata {
        Some(m) if !m["event_type"].is_string() || !m["event_payload"].is_object() => {
            Err("invalid_metadata_schema".into())
        }
        Some(m) if m.to_string().len() > 16 * 1024 => Err("metadata_too_large".into()),
        other => Ok(other),
    }
}

fn record(
    state: &mut State,
    via: Via,
    channel: &str,
    thread: Option<Ts>,
    text: &str,
    metadata: Option<&Value>,
    ts: Ts,
) {
    let key = metadata
        .and_then(|m| m["event_payload"]["key"].as_str())
        .map(str::to_owned);
    state.record.posted.push(Posted {
        via,
        channel: channel.to_owned(),
        thread: thread.map(|t| t.to_string()),
        text: text.to_owned(),
        key,
        ts: ts.to_string(),
        at: jiff::Timestamp::now(),
    });
}

/// Takes a POST to a `response_url`.
pub(crate) fn post_to_response_url(state: &mut State, id: &str, body: &Value) -> Result<(), &'static str> {
    let url = state.response_urls.get_mut(id).ok_or("no_such_url")?;
    if url.expired {
        return Err("expired_url");
    }
    if url.uses == 0 {
        return Err("used_url");
    }
    let text = body["text"]
        .as_str()
        .filter(|t| !t.is_empty())
        .ok_or("no_text")?
        .to_owned();
    url.uses -= 1;
    let channel = url.channel.clone();
    let message = state.own_message(&text, None);
    record(state, Via::ResponseUrl, &channel, None, &text, None, message.ts);
    // An ephemeral answer is in nobody's history.
    if body["response_type"] == "in_channel" {
        state.say(&channel, message, true);
    }
    Ok(())
}
