//! Registered commands. <https://docs.discord.com/developers/interactions/application-commands>

use serde_json::{Value, json};

use super::{
    super::{
        json,
        state::State,
        world::{APP, GUILD},
    },
    Answer,
    call::Call,
    error::{self, Refusal},
};

pub(super) fn run(state: &mut State, call: &Call) -> Answer {
    if call.id("application_id")? != APP {
        return Err(Refusal::new(
            403,
            20012,
            "You are not authorized to perform this action on this application",
        ));
    }
    let guild = call
        .params
        .get("guild_id")
        .map(|_| call.id("guild_id"))
        .transpose()?;
    if guild.is_some_and(|guild| guild != GUILD) {
        return Err(Refusal::unknown(error::GUILD, "Guild"));
    }
    if call.operation.name.starts_with("bulk") {
        let wanted = call.body.as_array().cloned().unwrap_or_default();
        let wanted = wanted
            .iter()
            .map(|c| registered(state, guild, c))
            .collect::<Result<Vec<_>, _>>()?;
        state.commands.insert(guild, wanted);
    }
    if call.operation.name.starts_with("create") {
        // One of the same name is replaced.
        let made = registered(state, guild, &call.body)?;
        let all = state.commands.entry(guild).or_default();
        all.retain(|known| known["name"] != made["name"]);
        all.push(made.clone());
        return Ok(Some(made));
    }
    let known = state.commands.get(&guild).cloned().unwrap_or_default();
    Ok(Some(Value::from(known)))
}

/// A command as it is after it was registered.
fn registered(state: &mut State, guild: Option<u64>, command: &Value) -> Result<Value, Refusal> {
    let kind = command["type"].as_u64().unwrap_or(1);
    let name = command["name"].as_str().unwrap_or_default();
    let described = command["description"].as_str().is_some_and(|d| !d.is_empty());
    let lower = name
        .chars()
        .all(|c| (c.is_alphanumeric() && !c.is_uppercase()) || "-_'".contains(c));
    if kind == 1 && (!lower || name.is_empty() || name.chars().count() > 32) {
        return Err(Refusal::form(
            "0.name",
            "STRING_TYPE_REGEX",
            "String value did not match validation regex.",
        ));
    }
    if kind == 1 && !described {
        return Err(Refusal::form(
            "0.description",
            "BASE_TYPE_REQUIRED",
            "This field is required",
        ));
    }
    let id = state.world.clock.next();
    let mut out = json!({
        "id": id.to_string(), "application_id": APP.to_string(), "version": id.to_string(), "type": kind,
        "name": name, "description": command["description"].as_str().unwrap_or_default(),
        "default_member_permissions": null, "nsfw": false,
    });
    if let Some(guild) = guild {
        out["guild_id"] = json::text(guild);
    }
    if let Some(options) = command.get("options").filter(|o| !o.is_null()) {
        out["options"] = options.clone();
    }
    Ok(out)
}
