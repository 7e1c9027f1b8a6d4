//! The guild, its people, and the app itself.

use serde_json::{Value, json};

use super::{
    super::{
        gateway::{gateway_url, intent},
        json,
        state::State,
        world::{APP, BOT, BOT_ROLE, ChannelKind, GUILD, GUILD_NAME, OWNER},
    },
    Answer,
    call::Call,
    error::{self, Refusal},
};

/// <https://docs.discord.com/developers/events/gateway#get-gateway-bot>
pub(super) fn gateway(state: &State, call: &Call) -> Answer {
    let mut out = json!({"url": gateway_url(state)});
    if call.operation.name == "get_bot_gateway" {
        out["shards"] = 1.into();
        out["session_start_limit"] = json!({
            "total": 1000, "remaining": state.session_starts_left, "reset_after": 14_400_000, "max_concurrency": 1,
        });
    }
    Ok(Some(out))
}

pub(super) fn user(state: &State, call: &Call) -> Answer {
    if call.operation.name == "get_my_user" {
        let mut me = state.view().user(BOT);
        me["mfa_enabled"] = true.into();
        me["verified"] = true.into();
        me["locale"] = "en-US".into();
        me["email"] = Value::Null;
        return Ok(Some(me));
    }
    let id = call.id("user_id")?;
    let known = state
        .world
        .users
        .get(&id)
        .ok_or_else(|| Refusal::unknown(error::USER, "User"))?;
    Ok(Some(json::user(known)))
}

/// The flags of the application: what is switched on in the developer portal, for an app in few guilds.
/// <https://docs.discord.com/developers/resources/application#application-object-application-flags>
fn flags(state: &State) -> u64 {
    let on = |needed: u64, bit: u64| {
        if state.privileged & needed != 0 {
            1 << bit
        } else {
            0
        }
    };
    on(intent::GUILD_PRESENCES, 13) | on(intent::GUILD_MEMBERS, 15) | on(intent::MESSAGE_CONTENT, 19)
}

pub(super) fn application(state: &State) -> Answer {
    let flags = flags(state);
    Ok(Some(json!({
        "id": APP.to_string(), "name": "kata", "icon": null, "description": "", "type": null, "summary": "",
        "verify_key": format!("{APP:064x}"), "flags": flags, "flags_new": flags.to_string(), "redirect_uris": [],
        "interactions_endpoint_url": null, "role_connections_verification_url": null, "bot_public": false,
        "bot_require_code_grant": false, "owner": state.view().user(OWNER), "approximate_guild_count": 1,
        "approximate_user_install_count": 0, "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0, "team": null, "eligible_oauth2_scopes": [], "bot": state.view().user(BOT),
    })))
}

pub(super) fn mine(state: &State) -> Answer {
    let guild = guild(state);
    Ok(Some(json!([{
        "id": guild["id"], "name": guild["name"], "icon": null, "banner": null, "owner": false,
        "permissions": PERMISSIONS, "features": [],
    }])))
}

/// View, send, embed, attach, read history, react, send in threads, create threads, slash commands.
const PERMISSIONS: &str = "379964640320";

/// A guild, without what only its creation's event has.
/// <https://docs.discord.com/developers/resources/guild#guild-object>
pub(crate) fn guild(state: &State) -> Value {
    let role = |id: u64, name: &str, managed: bool| {
        let mut role = json!({
            "id": id.to_string(), "name": name, "description": null, "permissions": PERMISSIONS, "position": 0,
            "color": 0, "colors": {"primary_color": 0, "secondary_color": null, "tertiary_color": null},
            "hoist": false, "managed": managed, "mentionable": false, "icon": null, "unicode_emoji": null, "flags": 0,
        });
        if managed {
            role["tags"] = json!({"bot_id": BOT.to_string()});
        }
        role
    };
    let system = state
        .world
        .channels
        .values()
        .find(|c| c.kind == ChannelKind::Text)
        .map(|c| json::text(c.id));
    json!({
        "id": GUILD.to_string(), "name": GUILD_NAME, "icon": null, "description": null, "home_header": null,
        "splash": null, "discovery_splash": null, "features": [], "banner": null, "owner_id": OWNER.to_string(),
        "application_id": null, "region": "deprecated", "afk_channel_id": null, "afk_timeout": 300,
        "system_channel_id": system, "system_channel_flags": 0, "widget_enabled": false, "widget_channel_id": null,
        "verification_level": 0, "roles": [role(GUILD, "@everyone", false), role(BOT_ROLE, "kata", true)],
        "default_message_notifications": 0, "mfa_level": 0, "explicit_content_filter": 0, "max_presences": null,
        "max_members": 25_000_000, "max_stage_video_channel_users": 50, "max_video_channel_users": 25,
        "vanity_url_code": null, "premium_tier": 0, "premium_subscription_count": 0, "preferred_locale": "en-US",
        "rules_channel_id": null, "safety_alerts_channel_id": null, "public_updates_channel_id": null,
        "premium_progress_bar_enabled": false, "nsfw": false, "nsfw_level": 0, "emojis": [], "stickers": [],
        "incidents_data": null,
    })
}

pub(super) fn of(state: &State, call: &Call) -> Answer {
    if call.id("guild_id")? != GUILD {
        return Err(Refusal::unknown(error::GUILD, "Guild"));
    }
    let view = state.view();
    Ok(Some(match call.operation.name.as_str() {
        "get_guild" => guild(state),
        "list_guild_roles" => guild(state)["roles"].take(),
        // Threads are listed by themselves.
        "list_guild_channels" => {
            let channels = state.world.channels.values();
            channels
                .filter(|c| c.visible && !c.is_dm() && c.thread.is_none())
                .map(|c| view.channel(c))
                .collect()
        }
        _ => {
            let id = call.id("user_id")?;
            let known = state
                .world
                .users
                .get(&id)
                .ok_or_else(|| Refusal::unknown(10007, "Member"))?;
            let mut member = json::member(if id == BOT { &[BOT_ROLE] } else { &[] });
            member["user"] = json::user(known);
            member
        }
    }))
}
