//! The Web API's methods: what each does to the world and answers. Faults, tokens and scopes are checked before.

mod chat;
mod conversations;
mod files;
mod page;
mod reactions;
mod users;

use serde_json::{Value, json};

use super::{
    args::Args,
    error::Refusal,
    state::State,
    world::{APP, BOT, BOT_NAME, BOT_USER, Channel, ChannelKind, TEAM, TEAM_DOMAIN},
};

pub(crate) use chat::post_to_response_url;

type Answer = Result<Value, Refusal>;

/// Runs `method`; the answer lacks `ok` only.
pub(crate) fn run(state: &mut State, method: &str, args: &Args) -> Answer {
    match method {
        "api.test" => Ok(json!({"args": args.all})),
        "auth.test" => Ok(auth_test(state, args)),
        "apps.connections.open" => Ok(open_socket(state)),
        "conversations.history" => conversations::history(state, args),
        "conversations.replies" => conversations::replies(state, args),
        "conversations.info" => conversations::info(state, args),
        "conversations.list" => conversations::list(state, args, false),
        "conversations.open" => conversations::open(state, args),
        "users.conversations" => conversations::list(state, args, true),
        "users.info" => users::info(state, args),
        "users.list" => users::list(state, args),
        "chat.postMessage" => chat::post_message(state, args),
        "chat.postEphemeral" => chat::post_ephemeral(state, args),
        "chat.update" => chat::update(state, args),
        "chat.delete" => chat::delete(state, args),
        "reactions.add" => reactions::add(state, args),
        "reactions.remove" => reactions::remove(state, args),
        "assistant.threads.setStatus" => reactions::set_status(state, args),
        "files.info" => files::info(state, args),
        _ => Err(Refusal::from("unknown_method").with("req_method", json!(method))),
    }
}

fn auth_test(state: &State, args: &Args) -> Value {
    let app_level = args
        .token
        .as_ref()
        .and_then(|t| state.tokens.get(t))
        .is_some_and(|t| t.app_level);
    if app_level {
        return json!({"app_name": BOT_NAME, "app_id": APP});
    }
    json!({
        "url": format!("https://{TEAM_DOMAIN}.slack.com/"), "team": "Subarachnoid Workspace", "user": BOT_NAME,
        "team_id": TEAM, "user_id": BOT_USER, "bot_id": BOT, "is_enterprise_install": false,
    })
}

fn open_socket(state: &mut State) -> Value {
    let ticket = format!("{:032x}", state.world.serial());
    let url = format!(
        "{}/link/?ticket={ticket}&app_id={APP}",
        state.base.replacen("http", "ws", 1)
    );
    state.tickets.insert(ticket);
    json!({ "url": url })
}

/// A conversation that the bot may see: of a private one that it is not in, Slack says that there is none.
fn visible<'a>(state: &'a State, id: &str) -> Result<&'a Channel, Refusal> {
    let channel = state.world.channels.get(id).ok_or("channel_not_found")?;
    if channel.kind == ChannelKind::Public || channel.has(BOT_USER) {
        Ok(channel)
    } else {
        Err("channel_not_found".into())
    }
}

/// A conversation that the bot is a member of.
fn joined<'a>(state: &'a State, id: &str) -> Result<&'a Channel, Refusal> {
    let channel = visible(state, id)?;
    if channel.has(BOT_USER) {
        Ok(channel)
    } else {
        Err("not_in_channel".into())
    }
}
