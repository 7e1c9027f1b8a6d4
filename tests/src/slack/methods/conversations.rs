//! `conversations.*` and `users.conversations`.

use serde_json::{Value, json};

use super::{Answer, joined, page, visible};
use crate::slack::{
    args::Args,
    error::Refusal,
    json,
    state::{PageOrder, State},
    ts::Ts,
    world::{BOT_USER, ChannelKind},
};

/// <https://docs.slack.dev/reference/methods/conversations.history>
pub(super) fn history(state: &State, args: &Args) -> Answer {
    let channel = joined(state, args.required("channel")?)?;
    let window = Window::read(args)?;
    let all: Vec<Ts> = channel
        .messages
        .values()
        .filter(|m| m.in_conversation() && window.holds(m.ts))
        .map(|m| m.ts)
        .collect();
    // Only with a lower bound does Slack sometimes start from the old end.
    let order = if window.oldest.is_some() {
        state.order
    } else {
        PageOrder::NewestFirst
    };
    let page = page::of_timestamps(&all, args, order, args.limit(100)?.min(state.page_cap))?;
    let view = state.view(&channel.id, args.flag("include_all_metadata"));
    // Within a page the newest message is always first.
    let messages: Vec<Value> = page
        .items
        .iter()
        .rev()
        .map(|ts| view.message(&channel.messages[ts]))
        .collect();
    Ok(messages_answer(messages, page.next))
}

/// <https://docs.slack.dev/reference/methods/conversations.replies>
pub(super) fn replies(state: &State, args: &Args) -> Answer {
    let channel = joined(state, args.required("channel")?)?;
    let root = args
        .ts("ts", "thread_not_found")?
        .ok_or_else(|| Refusal::missing("ts"))?;
    let parent = channel
        .messages
        .get(&root)
        .filter(|m| m.thread.is_none_or(|t| t == root));
    let parent = parent.ok_or("thread_not_found")?;
    let window = Window::read(args)?;
    let all: Vec<Ts> = json::replies(channel, root)
        .map(|m| m.ts)
        .filter(|ts| window.holds(*ts))
        .collect();
    let first = args.text("cursor").is_none();
    // Replies are served oldest first, and the root message leads whatever the window is.
    let limit = args
        .limit(1000)?
        .min(state.page_cap)
        .saturating_sub(usize::from(first))
        .max(1);
    let page = page::of_timestamps(&all, args, PageOrder::OldestFirst, limit)?;
    let view = state.view(&channel.id, args.flag("include_all_metadata"));
    let lead = first.then_some(parent).into_iter();
    let messages = lead.chain(page.items.iter().map(|ts| &channel.messages[ts]));
    Ok(messages_answer(
        messages.map(|m| view.message(m)).collect(),
        page.next,
    ))
}

fn messages_answer(messages: Vec<Value>, next: Option<String>) -> Value {
    let mut answer = json!({
        "messages": messages, "has_more": next.is_some(), "pin_count": 0, "channel_actions_ts": null,
        "channel_actions_count": 0,
    });
    // The field is absent on the last page.
    if let Some(next) = next {
        answer["response_metadata"] = json!({"next_cursor": next});
    }
    answer
}

/// The time range of a read.
#[derive(Debug)]
struct Window {
    oldest: Option<Ts>,
    latest: Option<Ts>,
    inclusive: bool,
}

impl Window {
    fn read(args: &Args) -> Result<Self, Refusal> {
        Ok(Self {
            oldest: args.ts("oldest", "invalid_ts_oldest")?.filter(|ts| ts.0 > 0),
            latest: args.ts("latest", "invalid_ts_latest")?,
            inclusive: args.flag("inclusive"),
        })
    }

    fn holds(&self, ts: Ts) -> bool {
        let after = self.oldest.is_none_or(|o| ts > o || (self.inclusive && ts == o));
        let before = self.latest.is_none_or(|l| ts < l || (self.inclusive && ts == l));
        after && before
    }
}

/// <https://docs.slack.dev/reference/methods/conversations.info>
pub(super) fn info(state: &State, args: &Args) -> Answer {
    Ok(json!({"channel": json::channel(visible(state, args.required("channel")?)?)}))
}

/// `conversations.list` and, for what the bot is a member of, `users.conversations`.
pub(super) fn list(state: &State, args: &Args, members_only: bool) -> Answer {
    let types = args.text("types").unwrap_or("public_channel");
    let known = ["public_channel", "private_channel", "im", "mpim"];
    if types.split(',').any(|t| !known.contains(&t.trim())) {
        return Err("invalid_types".into());
    }
    let listed = state.world.channels.values().filter(|c| {
        types.split(',').any(|t| t.trim() == c.kind.list_type())
            && (c.has(BOT_USER) || (!members_only && c.kind == ChannelKind::Public))
            && !(c.archived && args.flag("exclude_archived"))
    });
    let (channels, metadata) = page::slice(listed.map(json::channel).collect(), args, state.page_cap)?;
    Ok(json!({"channels": channels, "response_metadata": metadata}))
}

/// <https://docs.slack.dev/reference/methods/conversations.open>
pub(super) fn open(state: &mut State, args: &Args) -> Answer {
    if let Some(channel) = args.text("channel") {
        visible(state, channel)?;
        return Ok(json!({"channel": {"id": channel}, "no_op": true, "already_open": true}));
    }
    let users = args.text("users").ok_or("users_list_not_supplied")?.to_owned();
    if users.contains(',') {
        return Err("method_not_supported_for_channel_type".into());
    }
    if !state.world.users.contains_key(&users) {
        return Err("user_not_found".into());
    }
    Ok(json!({"channel": {"id": state.world.im_with(&users)}}))
}
