//! What an app sends, and what Discord does about it.
//! <https://docs.discord.com/developers/events/gateway-events#send-events>

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    super::{
        state::State,
        world::{APP, BOT, GUILD},
    },
    close,
    hub::{Order, Session},
    intent,
};

/// A payload may have this many bytes.
const PAYLOAD: usize = 4096;
/// An app may send this many payloads a minute.
const A_MINUTE: usize = 120;

/// Takes a payload of a connection.
pub(crate) fn receive(state: &mut State, connection: u64, text: &str) {
    if let Err(code) = try_receive(state, connection, text) {
        state.record.closes.push(code);
        if let Some(connection) = state.hub.connections.get(&connection) {
            connection.order(Order::Close(Some(code)));
        }
    }
}

fn try_receive(state: &mut State, connection: u64, text: &str) -> Result<(), u16> {
    if text.len() > PAYLOAD {
        return Err(broken(
            state,
            close::DECODE_ERROR,
            "a payload longer than 4096 bytes",
        ));
    }
    let Some(payload) = serde_json::from_str::<Value>(text)
        .ok()
        .filter(|p| p["op"].is_u64())
    else {
        return Err(broken(state, close::DECODE_ERROR, &format!("no payload: {text}")));
    };
    let recent = &mut state
        .hub
        .connections
        .get_mut(&connection)
        .ok_or(close::NOT_AUTHENTICATED)?
        .recent;
    let now = Instant::now();
    recent.retain(|at| now.duration_since(*at) < Duration::from_secs(60));
    recent.push_back(now);
    if recent.len() > A_MINUTE {
        return Err(broken(
            state,
            close::RATE_LIMITED,
            "more than 120 payloads a minute",
        ));
    }
    let d = &payload["d"];
    match payload["op"].as_u64() {
        Some(1) => heartbeat(state, connection, d),
        Some(2) => identify(state, connection, d),
        Some(6) => resume(state, connection, d),
        // Presence, voice state, members, sounds: nothing that the fake does.
        Some(3 | 4 | 8 | 31) if session_of(state, connection).is_some() => Ok(()),
        Some(3 | 4 | 8 | 31) => Err(broken(
            state,
            close::NOT_AUTHENTICATED,
            "a payload before identify",
        )),
        _ => Err(broken(
            state,
            close::UNKNOWN_OPCODE,
            &format!("the opcode of {text}"),
        )),
    }
}

/// Notes a mistake against the protocol, which fails the test.
fn broken(state: &mut State, code: u16, what: &str) -> u16 {
    state
        .record
        .violations
        .push(format!("gateway: {what} (closed with {code})"));
    code
}

fn session_of(state: &State, connection: u64) -> Option<&str> {
    state.hub.connections.get(&connection)?.session.as_deref()
}

fn send(state: &State, connection: u64, frame: Value) {
    if let Some(connection) = state.hub.connections.get(&connection) {
        connection.order(Order::Send(frame));
    }
}

fn heartbeat(state: &mut State, connection: u64, d: &Value) -> Result<(), u16> {
    state.record.heartbeats += 1;
    let seq = session_of(state, connection)
        .and_then(|name| state.hub.sessions.get(name))
        .map_or(0, |session| session.seq);
    if !(d.is_null() || d.as_u64().is_some_and(|d| d <= seq)) {
        return Err(broken(
            state,
            close::DECODE_ERROR,
            &format!("a heartbeat of {d}, {seq} was the last"),
        ));
    }
    if state.hub.acknowledges {
        send(
            state,
            connection,
            json!({"op": 11, "d": null, "s": null, "t": null}),
        );
    }
    Ok(())
}

fn identify(state: &mut State, connection: u64, d: &Value) -> Result<(), u16> {
    let mut told = d.clone();
    told["token"] = Value::Null;
    state.record.identifies.push(told);
    if session_of(state, connection).is_some() {
        return Err(broken(state, close::ALREADY_AUTHENTICATED, "a second identify"));
    }
    let properties = &d["properties"];
    if ["os", "browser", "device"]
        .iter()
        .any(|name| !properties[*name].is_string())
    {
        return Err(broken(
            state,
            close::DECODE_ERROR,
            "an identify without os, browser and device",
        ));
    }
    let token = d["token"].as_str().unwrap_or_default().to_owned();
    // The token alone here; `Bot` stands before it in HTTP only.
    if token.starts_with("Bot ") {
        return Err(broken(
            state,
            close::AUTHENTICATION_FAILED,
            "a token with a prefix",
        ));
    }
    if !state.tokens.get(&token).is_some_and(|good| *good) {
        return Err(close::AUTHENTICATION_FAILED);
    }
    if !d["shard"].is_null() && d["shard"] != json!([0, 1]) {
        return Err(broken(
            state,
            close::INVALID_SHARD,
            "a shard other than the first of one",
        ));
    }
    let intents = match d["intents"].as_u64() {
        Some(intents) if intents & !intent::ALL == 0 => intents,
        _ => {
            return Err(broken(
                state,
                close::INVALID_INTENTS,
                &format!("intents {}", d["intents"]),
            ));
        }
    };
    if intents & intent::PRIVILEGED & !state.privileged != 0 {
        return Err(close::DISALLOWED_INTENTS);
    }
    if state.session_starts_left == 0 {
        send(state, connection, invalid_session(false));
        return Ok(());
    }
    state.session_starts_left -= 1;
    ready(state, connection, Session::new(token, intents, connection));
    Ok(())
}

/// <https://docs.discord.com/developers/events/gateway-events#ready>
fn ready(state: &mut State, connection: u64, mut session: Session) {
    let name = format!("{:032x}", state.hub.serial());
    let resumes_at = state.resumes_at.clone();
    let resumes_at = resumes_at.unwrap_or_else(|| gateway_url(state));
    let view = state.view();
    let mut bot = view.user(BOT);
    bot["verified"] = true.into();
    bot["mfa_enabled"] = true.into();
    bot["email"] = Value::Null;
    let d = json!({
        "v": 10, "user": bot, "guilds": [{"id": GUILD.to_string(), "unavailable": true}], "session_id": name,
        "session_type": "normal", "resume_gateway_url": resumes_at, "shard": [0, 1],
        "application": {"id": APP.to_string(), "flags": 565_248}, "private_channels": [], "relationships": [],
        "user_settings": {}, "presences": [], "guild_join_requests": [], "geo_ordered_rtc_regions": [], "auth": {},
        "_trace": ["[\"gateway-prd-kata\",{\"micros\":1}]"],
    });
    send(state, connection, session.dispatch("READY", d));
    if session.intents & intent::GUILDS != 0 {
        send(
            state,
            connection,
            session.dispatch("GUILD_CREATE", state.guild_create()),
        );
    }
    if let Some(connection) = state.hub.connections.get_mut(&connection) {
        connection.session = Some(name.clone());
    }
    state.hub.sessions.insert(name, session);
    state.record.readies += 1;
}

/// Where the gateway is, without a query.
pub(crate) fn gateway_url(state: &State) -> String {
    state.base.replacen("http", "ws", 1)
}

fn invalid_session(resumable: bool) -> Value {
    json!({"op": 9, "d": resumable, "s": null, "t": null})
}

/// <https://docs.discord.com/developers/events/gateway#resuming>
fn resume(state: &mut State, connection: u64, d: &Value) -> Result<(), u16> {
    let (Some(token), Some(name), Some(seq)) =
        (d["token"].as_str(), d["session_id"].as_str(), d["seq"].as_u64())
    else {
        return Err(broken(state, close::DECODE_ERROR, &format!("a resume of {d}")));
    };
    if session_of(state, connection).is_some() {
        return Err(broken(
            state,
            close::ALREADY_AUTHENTICATED,
            "a resume after identify",
        ));
    }
    if !state.tokens.get(token).is_some_and(|good| *good) {
        return Err(close::AUTHENTICATION_FAILED);
    }
    let known = state.hub.sessions.get(name).filter(|s| s.token == token);
    let Some((last, missed)) = known.map(|s| (s.seq, s.missed(seq))) else {
        send(state, connection, invalid_session(false));
        return Ok(());
    };
    if seq > last {
        return Err(broken(
            state,
            close::INVALID_SEQ,
            &format!("a resume after {seq}, {last} was the last"),
        ));
    }
    let Some(missed) = missed else {
        send(state, connection, invalid_session(false));
        return Ok(());
    };
    take_over(state, connection, name);
    missed
        .into_iter()
        .for_each(|frame| send(state, connection, frame));
    if let Some(session) = state.hub.sessions.get_mut(name) {
        let frame = session.dispatch(
            "RESUMED",
            json!({"_trace": ["[\"gateway-prd-kata\",{\"micros\":1}]"]}),
        );
        send(state, connection, frame);
    }
    state.record.resumes += 1;
    Ok(())
}

/// The session is this connection's from now on; whoever had it, a half-open one, is let go.
fn take_over(state: &mut State, connection: u64, name: &str) {
    let before = state
        .hub
        .sessions
        .get_mut(name)
        .and_then(|session| session.connection.replace(connection));
    if let Some(old) = before.and_then(|id| state.hub.connections.get_mut(&id)) {
        old.session = None;
        old.order(Order::Close(Some(4000)));
    }
    if let Some(connection) = state.hub.connections.get_mut(&connection) {
        connection.session = Some(name.to_owned());
    }
}
