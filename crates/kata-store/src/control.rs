//! A reaction that asks something: a turn is stopped, a message tried again. Everything in the transaction of the
//! reaction's row, so that the same one, delivered twice, does it once (D2).

mod again;
mod target;

pub(crate) use target::{newest_edit, standing_for};

use crate::{
    NewMessage, StoreError, cancel,
    channel::Home,
    lane,
    row::{self, Ending},
    tx::Tx,
    words::Status,
};

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Control {
    /// The turn that works on the message ends; a message that waits is not begun.
    Stop,
    /// A parked message or answer is brought back; a message that was answered, or stopped, is asked again.
    Retry,
}

/// What a reaction asks, and of which message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlEffect {
    /// The platform's id of the message that it was put on: somebody's, or a part of an answer of ours.
    pub on: String,
    /// What is asked.
    pub what: Control,
    /// Whether the sender may ask it of everybody's messages, and not of its own alone.
    pub may_all: bool,
}

/// Who asks, and by what.
pub(crate) struct Asker {
    pub(crate) sender: String,
    pub(crate) role: String,
    pub(crate) conversation: String,
    /// The reaction's own id.
    pub(crate) id: String,
    pub(crate) sent_at: crate::UnixMs,
    /// What it asks for may not begin before this.
    pub(crate) not_before: Option<crate::UnixMs>,
}

/// What came of it: the turn that was cancelled, the session that was begun, and what `explain` tells.
pub(crate) struct Done {
    pub(crate) cancelled: Option<i64>,
    pub(crate) session_started: Option<String>,
    pub(crate) what: &'static str,
}

/// Nothing but what `explain` tells.
impl From<&'static str> for Done {
    fn from(what: &'static str) -> Self {
        Self {
            cancelled: None,
            session_started: None,
            what,
        }
    }
}

impl From<&NewMessage> for Asker {
    fn from(message: &NewMessage) -> Self {
        Self {
            sender: message.sender.clone(),
            role: message.role.clone(),
            conversation: message.conversation.clone(),
            id: message.platform_id.clone(),
            sent_at: message.sent_at,
            not_before: message.not_before,
        }
    }
}

pub(crate) fn control(
    tx: &mut Tx<'_>,
    home: &Home,
    asker: &Asker,
    effect: &ControlEffect,
) -> Result<Done, StoreError> {
    let target = target::find(tx, home, &asker.conversation, &effect.on)?;
    let Some(target) = target.map(|id| row::load(tx, id)).transpose()?.flatten() else {
        return Ok("it is on no message of ours".into());
    };
    match effect.what {
        Control::Stop => stop(tx, &target, asker, effect),
        Control::Retry => retry(tx, home, &target, asker, effect),
    }
}

fn stop(tx: &mut Tx<'_>, target: &Ending, asker: &Asker, effect: &ControlEffect) -> Result<Done, StoreError> {
    const REASON: &str = "stopped by a reaction";
    let lane = target
        .lane
        .map(|lane| lane::by_id(tx, lane))
        .transpose()?
        .flatten();
    let Some(lane) = lane.filter(|_| target.is_inbound()) else {
        return Ok("it is on no message of ours".into());
    };
    // One that waits is meant itself; one that runs, or is over, means what runs in its conversation.
    let (turn, rows) = match lane.turn {
        _ if target.status == Status::Pending => (target.id, vec![target.id]),
        Some(turn) => (turn, cancel::turn_rows(tx, turn)?),
        None => return Ok("nothing was running".into()),
    };
    if !may(tx, asker, effect, &rows)? {
        return Ok("its sender may not stop this".into());
    }
    let is_running = lane.turn == Some(turn);
    let ended = cancel::cancel(tx, turn, REASON)?;
    Ok(Done {
        cancelled: (ended && is_running).then_some(turn),
        session_started: None,
        what: if ended { "stopped" } else { "it was over" },
    })
}

fn retry(
    tx: &mut Tx<'_>,
    home: &Home,
    target: &Ending,
    asker: &Asker,
    effect: &ControlEffect,
) -> Result<Done, StoreError> {
    // A task's turn is its schedule's to repeat.
    if !target.is_inbound() || target.fire.is_some() {
        return Ok("it is on no message that can be tried again".into());
    }
    if !may(tx, asker, effect, &[target.id])? {
        return Ok("its sender may not ask this again".into());
    }
    match target.status {
        Status::Failed => {
            cancel::retry(tx, target.id, asker.not_before)?;
            Ok("brought back".into())
        }
        Status::Pending | Status::Processing => Ok("it waits or runs already".into()),
        Status::Processed => again::again(tx, home, target, asker),
    }
}

/// A sender may act on a turn that has a message of its own.
fn may(tx: &Tx<'_>, asker: &Asker, effect: &ControlEffect, rows: &[i64]) -> Result<bool, StoreError> {
    if effect.may_all {
        return Ok(true);
    }
    tx.one(
        "SELECT EXISTS (SELECT 1 FROM json_each(?1) r JOIN messages m ON m.id = r.value WHERE m.sender = ?2)",
        (crate::payload::write(&rows), &asker.sender),
    )
}
