//! The HTTP API. <https://docs.discord.com/developers/reference#http-api>

mod buckets;
mod call;
mod channels;
mod commands;
mod error;
mod guilds;
mod interactions;
mod messages;
mod reactions;
mod threads;
mod web;
mod write;

pub(crate) use buckets::Buckets;
pub use buckets::Rate;
pub(crate) use guilds::guild;
pub(crate) use threads::{begin as begin_thread, delete as delete_channel, turn as turn_thread};
pub(crate) use web::router;

use serde_json::Value;

use super::state::State;
use call::Call;
use error::Refusal;

/// What a call did: the body of its answer, if it has one.
type Answer = Result<Option<Value>, Refusal>;

/// Does what a call asks for.
fn perform(state: &mut State, call: &Call) -> Answer {
    if !call.authorized(state) {
        return Err(Refusal::unauthorized());
    }
    if let Some(error) = call.schema_errors().first() {
        return Err(Refusal::form("", "BASE_TYPE_BAD", error));
    }
    match call.operation.name.as_str() {
        "get_gateway" | "get_bot_gateway" => guilds::gateway(state, call),
        "get_my_user" | "get_user" => guilds::user(state, call),
        "get_my_application" => guilds::application(state),
        "list_my_guilds" => guilds::mine(state),
        "get_guild" | "list_guild_channels" | "list_guild_roles" | "get_guild_member" => {
            guilds::of(state, call)
        }
        "get_active_guild_threads" => threads::active(state, call),
        "list_public_archived_threads" => threads::archived(state, call),
        "list_my_private_archived_threads" => threads::joined_archived(state, call),
        "create_thread" | "create_thread_from_message" => threads::create(state, call),
        "join_thread" => channels::seen(state, call).map(|_| None),
        "get_channel" => channels::get(state, call),
        "update_channel" => threads::update(state, call),
        "create_dm" => channels::create_dm(state, call),
        "trigger_typing_indicator" => channels::typing(state, call),
        "list_messages" | "get_message" => messages::read(state, call),
        "create_message" => messages::create(state, call),
        "update_message" => messages::update(state, call),
        "delete_message" => messages::delete(state, call),
        "add_my_message_reaction" | "delete_my_message_reaction" => reactions::turn(state, call),
        "list_guild_application_commands"
        | "bulk_set_guild_application_commands"
        | "create_guild_application_command"
        | "list_application_commands"
        | "bulk_set_application_commands" => commands::run(state, call),
        "create_interaction_response" => interactions::respond(state, call),
        _ => interactions::webhook(state, call),
    }
}
