//! The short answers to chat commands, and the notices. One place, so that the daemon has one voice.

use kata_store::{LaneView, Pairing};

pub(crate) fn reset(_: &LaneView) -> String {
    "Started over: the next message begins a new session.".to_owned()
}

pub(crate) fn status(lane: &LaneView) -> String {
    let running = if lane.running_since.is_some() {
        "A turn is running"
    } else {
        "No turn is running"
    };
    let waiting = match lane.waiting {
        0 => "nothing is waiting".to_owned(),
        1 => "1 message is waiting".to_owned(),
        n => format!("{n} messages are waiting"),
    };
    let parked = match lane.parked {
        0 => String::new(),
        1 => ", 1 message could not be answered".to_owned(),
        n => format!(", {n} messages could not be answered"),
    };
    format!("{running}, {waiting}{parked}. Session `{}`.", lane.session_key)
}

pub(crate) fn stop(lane: &LaneView) -> String {
    match lane.cancelled {
        Some(_) => "Stopped.".to_owned(),
        None => "Nothing was running.".to_owned(),
    }
}

pub(crate) fn help(_: &LaneView) -> String {
    "`/reset` starts a new session, `/status` says what is going on, `/stop` ends the running turn, `/help` is this."
        .to_owned()
}

/// D22: said once an hour a conversation at most, naming the count.
pub(crate) fn parked(count: u64) -> String {
    match count {
        0 | 1 => "A message here could not be answered. It is kept; the person at the desk can retry it."
            .to_owned(),
        n => format!(
            "{n} messages here could not be answered. They are kept; the person at the desk can retry them."
        ),
    }
}

/// What a stranger is told, where a channel gives codes.
pub(crate) fn pairing_code(asked: &Pairing) -> String {
    format!(
        "I do not know you yet. Tell the person who runs me this code: `{}`. It is good for an hour.",
        asked.code
    )
}

/// What it is told when it was let in.
pub(crate) fn paired(_: &Pairing) -> String {
    "You are paired now. Write again what you wanted: what you wrote before was not kept.".to_owned()
}

/// A number of attempts, in words.
pub(crate) fn attempts(n: u32) -> String {
    if n == 1 {
        "1 attempt".to_owned()
    } else {
        format!("{n} attempts")
    }
}
