//! The turn of a run: a row of the lane that ever had its session's key (D15).

use serde_json::Map;

use super::{Fire, FiredTurn, TaskTurn};
use crate::{
    NewMessage, StoreError,
    admit::{self, Waiting},
    adopt,
    channel::{self, Home},
    lane::{self, Lane},
    session,
    tx::Tx,
};

/// Where the turn belongs.
pub(super) struct Place {
    home: Home,
    lane: Lane,
    /// The session's present key.
    key: String,
}

pub(super) fn place(tx: &mut Tx<'_>, turn: &TaskTurn) -> Result<Place, StoreError> {
    let seen: Option<(i64, u32, bool)> = tx.first(
        // A message that is a session by itself ends with its answer, and may be about to.
        "SELECT s.lane, s.generation, s.ended_ms IS NOT NULL OR s.alone
         FROM kata_channels c JOIN kata_sessions s ON s.channel = c.id AND s.key = ?2
         WHERE c.workspace = ?1 ORDER BY s.last_ms DESC LIMIT 1",
        (&turn.workspace, &turn.session_key),
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    if let Some((lane, generation, ended)) = seen
        && let Some(lane) = lane::by_id(tx, lane)?
    {
        let home = channel::load(tx, lane.channel)?;
        // D15: after a reset the turn is one of the fresh session.
        let key = if generation == lane.generation && !ended {
            turn.session_key.clone()
        } else {
            session::present(tx, &home, &lane)?
        };
        return Ok(Place { home, lane, key });
    }
    let id = channel::ensure(tx, &turn.workspace, &turn.slug)?;
    Ok(Place {
        home: channel::load(tx, id)?,
        lane: lane::ensure_keeping(tx, id, &turn.session_key)?,
        key: turn.session_key.clone(),
    })
}

/// D15.
fn platform_id(fire: &Fire) -> String {
    format!("task:{}:{}", fire.task, fire.slot.0)
}

impl Place {
    /// The run's turn was there before.
    pub(super) fn knows(&self, tx: &Tx<'_>, fire: &Fire) -> Result<bool, StoreError> {
        admit::is_known(tx, &self.home, &self.lane.conversation, &platform_id(fire))
    }

    /// Opens the turn: a row that waits in its lane. A full queue does not refuse it, since a task has one at most.
    pub(super) fn open(
        self,
        tx: &mut Tx<'_>,
        (id, fire): (i64, &Fire),
        turn: &TaskTurn,
        role: &str,
    ) -> Result<FiredTurn, StoreError> {
        let Self { home, lane, key } = self;
        let order = adopt::order(tx, &lane, i64::MAX)?;
        // A key that was never seen opens no session: its conversation may still come, and is not to find its session in
        // a lane whose answers are kept.
        let session_started = !lane.keeps && session::touch(tx, &lane, &key, false)?;
        let message = message(&lane, fire, turn, role, order);
        let waiting = Waiting { key: &key, gap: None };
        let row = admit::insert(tx, &home, &lane, message, &waiting)?;
        tx.run("UPDATE messages SET fire = ?2 WHERE id = ?1", (row, id))?;
        tx.run("UPDATE kata_fires SET message = ?2 WHERE id = ?1", (id, row))?;
        let slot = fire.slot.to_iso();
        tx.trail(row, "fired", Some(&format!("task {}, due {slot}", fire.task)))?;
        channel::count(tx, home.id, 1)?;
        lane::arrived(tx, &lane, row, order, None)?;
        Ok(FiredTurn {
            row,
            channel: home.id,
            conversation: lane.conversation,
            thread: lane.thread,
            session_key: key,
            session_started,
            keeps_answer: lane.keeps,
        })
    }
}

fn message(lane: &Lane, fire: &Fire, turn: &TaskTurn, role: &str, order: i64) -> NewMessage {
    let mut metadata = Map::new();
    metadata.insert("taskId".to_owned(), fire.task.into());
    NewMessage {
        conversation: lane.conversation.clone(),
        thread: lane.thread.clone(),
        platform_id: platform_id(fire),
        order,
        lane: String::new(),
        thread_key: String::new(),
        sender: format!("task:{}", fire.task),
        role: role.to_owned(),
        content: turn.message.clone(),
        prompt: turn.prompt.clone(),
        source: "task".to_owned(),
        sent_at: fire.slot,
        reply_thread: lane.thread.clone(),
        metadata,
        not_before: None,
        ready: true,
        has_files: false,
        alone: false,
        secret_until: None,
    }
}
