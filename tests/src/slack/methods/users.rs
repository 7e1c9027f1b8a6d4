//! `users.*`.

use serde_json::json;

use super::{Answer, page};
use crate::slack::{args::Args, json, state::State};

/// <https://docs.slack.dev/reference/methods/users.info>
pub(super) fn info(state: &State, args: &Args) -> Answer {
    let user = state
        .world
        .users
        .get(args.required("user")?)
        .ok_or("user_not_found")?;
    Ok(json!({"user": json::user(user)}))
}

/// <https://docs.slack.dev/reference/methods/users.list>
pub(super) fn list(state: &State, args: &Args) -> Answer {
    let all = state.world.users.values().map(json::user).collect();
    let (members, metadata) = page::slice(all, args, state.page_cap)?;
    Ok(json!({"members": members, "cache_ts": 1_498_777_272, "response_metadata": metadata}))
}
