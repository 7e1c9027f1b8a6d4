//! What an app writes: the limits of a message, its files.

use serde_json::Value;

use super::{
    super::{
        id::{self, Id},
        state::State,
        world::{File, Message},
    },
    call::{Call, Part},
    error::Refusal,
};

/// Characters in a message. Discord counts code points.
const CONTENT: usize = 2000;
/// Characters in all embeds of a message.
const EMBEDS: usize = 6000;
/// Bytes of a message's files, in a guild without boosts.
const FILES: usize = 10 << 20;

/// The flags that an app may set: no embeds, no notification, ephemeral.
const FLAGS: u64 = 1 << 2 | 1 << 12 | 1 << 6;

/// Puts what the call says into a message: what it does not name stays.
pub(super) fn fill(
    state: &mut State,
    call: &Call,
    body: &Value,
    message: &mut Message,
) -> Result<(), Refusal> {
    if let Some(content) = body.get("content") {
        message.content = content.as_str().unwrap_or_default().to_owned();
    }
    if message.content.chars().count() > CONTENT {
        let why = "Must be 2000 or fewer in length.";
        return Err(Refusal::form("content", "BASE_TYPE_MAX_LENGTH", why));
    }
    if let Some(embeds) = body.get("embeds") {
        message.embeds = embeds.as_array().cloned().unwrap_or_default();
        if message.embeds.iter().map(length).sum::<usize>() > EMBEDS {
            return Err(Refusal::form(
                "embeds",
                "MAX_EMBED_SIZE_EXCEEDED",
                "Embed size exceeds maximum size of 6000",
            ));
        }
    }
    if let Some(components) = body.get("components") {
        message.components = components.as_array().cloned().unwrap_or_default();
        check_components(&message.components)?;
        number(&mut message.components, &mut 0);
    }
    if let Some(flags) = body["flags"].as_u64() {
        message.flags |= flags & FLAGS;
    }
    attach(state, call, body, message)?;
    let empty = message.content.trim().is_empty() && message.embeds.is_empty();
    if empty && message.files.is_empty() && message.components.is_empty() {
        return Err(Refusal::new(400, 50006, "Cannot send an empty message"));
    }
    Ok(())
}

/// The texts of an embed that count.
fn length(embed: &Value) -> usize {
    let text = |value: &Value| value.as_str().map_or(0, |t| t.chars().count());
    let fields = embed["fields"].as_array().into_iter().flatten();
    text(&embed["title"])
        + text(&embed["description"])
        + text(&embed["footer"]["text"])
        + text(&embed["author"]["name"])
        + fields
            .map(|f| text(&f["name"]) + text(&f["value"]))
            .sum::<usize>()
}

/// Rows of up to five buttons, each with a custom id of its own.
/// <https://docs.discord.com/developers/components/reference#button>
fn check_components(rows: &[Value]) -> Result<(), Refusal> {
    let mut ids = Vec::new();
    for (n, row) in rows.iter().enumerate() {
        let inside = row["components"]
            .as_array()
            .map_or(&[] as &[Value], Vec::as_slice);
        if row["type"] == 1 && (inside.is_empty() || inside.len() > 5) {
            let why = "Must be between 1 and 5 in length.";
            return Err(Refusal::form(
                &format!("components.{n}.components"),
                "BASE_TYPE_BAD_LENGTH",
                why,
            ));
        }
        for id in inside.iter().filter_map(|c| c["custom_id"].as_str()) {
            if ids.contains(&id) {
                let why = "Component custom id cannot be duplicated";
                return Err(Refusal::form("components", "COMPONENT_CUSTOM_ID_DUPLICATED", why));
            }
            ids.push(id);
        }
    }
    Ok(())
}

/// Every component has a number in its message.
fn number(components: &mut [Value], last: &mut u64) {
    for component in components {
        *last += 1;
        component["id"] = (*last).into();
        if let Some(inside) = component["components"].as_array_mut() {
            number(inside, last);
        }
    }
}

/// `attachments` names the files that come along by their index, and those that stay by their id; without it all stay.
fn attach(state: &mut State, call: &Call, body: &Value, message: &mut Message) -> Result<(), Refusal> {
    if call.files.iter().map(|f| f.content.len()).sum::<usize>() > FILES {
        return Err(Refusal::new(413, 40005, "Request entity too large"));
    }
    if let Some(named) = body["attachments"].as_array() {
        let id = |value: &Value| super::web::string(&value["id"]);
        message
            .files
            .retain(|file| named.iter().any(|n| id(n) == Some(file.id.to_string())));
        let sent = |n: &&Value| id(n).is_some_and(|id| call.files.iter().any(|f| f.index == id));
        let stays = |n: &&Value| id(n).is_some_and(|id| message.files.iter().any(|f| f.id.to_string() == id));
        if named.iter().any(|n| !sent(&n) && !stays(&n)) {
            let why = "Attachment data not found";
            return Err(Refusal::form("attachments", "ATTACHMENT_NOT_FOUND", why));
        }
    }
    for Part {
        name,
        mimetype,
        content,
        ..
    } in call.files.clone()
    {
        let id = state.world.clock.next();
        message.files.push(File {
            id,
            name,
            mimetype,
            content,
        });
    }
    Ok(())
}

/// The message that a new one replies to, and whether it pings.
/// <https://docs.discord.com/developers/resources/message#message-reference-structure>
pub(super) fn reply_to(state: &State, channel: Id, body: &Value) -> Result<Option<(Id, bool)>, Refusal> {
    let reference = &body["message_reference"];
    let Some(to) = reference["message_id"].as_str().and_then(id::parse) else {
        return Ok(None);
    };
    let there = state.world.channels[&channel].messages.contains_key(&to);
    if !there && reference["fail_if_not_exists"] != false {
        let why = "Unknown message";
        return Err(Refusal::form("message_reference", "REPLIES_UNKNOWN_MESSAGE", why));
    }
    let pings = body["allowed_mentions"]["replied_user"].as_bool();
    // Without `allowed_mentions` a reply pings; with it, it does when it says so.
    let pings = pings.unwrap_or(body["allowed_mentions"].is_null());
    Ok(there.then_some((to, pings)))
}
