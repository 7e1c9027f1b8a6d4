//! Tokens and scopes. <https://docs.slack.dev/reference/scopes>

use serde_json::json;

use super::{args::Args, error::Refusal, state::State, world::ChannelKind};

/// The scopes of the fake's bot token at first.
pub(crate) const ALL_SCOPES: [&str; 18] = [
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "mpim:history",
    "mpim:read",
    "mpim:write",
    "reactions:read",
    "reactions:write",
    "users:read",
];

/// What the token may not do, in Slack's order: no token, unknown token, wrong kind of token, missing scope.
pub(crate) fn check(state: &State, method: &str, args: &Args) -> Result<(), Refusal> {
    let token = args.token.as_deref().ok_or("not_authed")?;
    let token = state.tokens.get(token).ok_or("invalid_auth")?;
    if let Some(code) = token.refused {
        return Err(code.into());
    }
    if method != "auth.test" && token.app_level != (method == "apps.connections.open") {
        return Err("not_allowed_token_type".into());
    }
    let Some(needed) = needed_scope(state, method, args) else {
        return Ok(());
    };
    if token.app_level || needed.iter().any(|s| state.scopes.contains(s)) {
        return Ok(());
    }
    let provided: Vec<&str> = state.scopes.iter().copied().collect();
    Err(Refusal::from("missing_scope")
        .with("needed", json!(needed[0]))
        .with("provided", json!(provided.join(","))))
}

/// Any one of these is enough.
fn needed_scope(state: &State, method: &str, args: &Args) -> Option<&'static [&'static str]> {
    let kind = args
        .text("channel")
        .and_then(|c| state.world.channels.get(c))
        .map(|c| c.kind);
    Some(match method {
        "conversations.history" | "conversations.replies" => match kind? {
            ChannelKind::Public => &["channels:history"],
            ChannelKind::Private => &["groups:history"],
            ChannelKind::Im => &["im:history"],
            ChannelKind::Mpim => &["mpim:history"],
        },
        "conversations.info" => match kind? {
            ChannelKind::Public => &["channels:read"],
            ChannelKind::Private => &["groups:read"],
            ChannelKind::Im => &["im:read"],
            ChannelKind::Mpim => &["mpim:read"],
        },
        "conversations.list" | "users.conversations" => {
            let types = args.text("types").unwrap_or("public_channel");
            let needed: [(&str, &'static [&'static str]); 4] = [
                ("public_channel", &["channels:read"]),
                ("private_channel", &["groups:read"]),
                ("im", &["im:read"]),
                ("mpim", &["mpim:read"]),
            ];
            let wanted = |name: &str| types.split(',').any(|t| t.trim() == name);
            let missing = |scopes: &[&str]| !scopes.iter().any(|s| state.scopes.contains(s));
            needed
                .into_iter()
                .find(|(name, scopes)| wanted(name) && missing(scopes))
                .map(|(_, scopes)| scopes)?
        }
        "users.info" | "users.list" => &["users:read"],
        "chat.postMessage" | "chat.update" | "chat.delete" | "chat.postEphemeral" => &["chat:write"],
        "reactions.add" | "reactions.remove" => &["reactions:write"],
        "assistant.threads.setStatus" => &["assistant:write", "chat:write"],
        "conversations.open" => &["im:write", "mpim:write"],
        "files.info" => &["files:read"],
        _ => return None,
    })
}
