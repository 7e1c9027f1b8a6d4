//! Making a task, within what a session may make.

use std::time::Duration;

use serde_json::Value;

use super::{Created, Creator, NewTask, TaskLimits, due};
use crate::{ChannelId, StoreError, payload, tx::Tx};

const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn create(tx: &mut Tx<'_>, new: &NewTask) -> Result<Created, StoreError> {
    tx.disk.require()?;
    if let Creator::Agent {
        channel, session_key, ..
    } = &new.creator
        && let Some(refused) = refusal(tx, *channel, session_key, new.limits)?
    {
        return Ok(refused);
    }
    let id = tx.insert(
        "INSERT INTO scheduled_tasks (workspace_id, type, schedule, action, next_run_at, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (
            &new.workspace,
            new.kind,
            &new.schedule,
            payload::write(&new.action),
            due::text(new.next_run),
            tx.now.to_iso(),
        ),
    )?;
    keep(tx, id, new)?;
    tx.wake.tasks = true;
    Ok(Created::Task(id))
}

fn keep(tx: &mut Tx<'_>, id: i64, new: &NewTask) -> Result<(), StoreError> {
    let (channel, session, role, origin) = match &new.creator {
        Creator::Host => (None, None, None, None),
        Creator::Agent {
            channel,
            session_key,
            role,
            origin,
        } => (Some(*channel), Some(session_key), Some(role), origin.as_ref()),
    };
    let settings = (new.settings != Value::Null).then(|| payload::write(&new.settings));
    tx.run(
        "INSERT INTO kata_tasks (task, zone, settings, creator_channel, creator_session, role, origin, created_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        (
            id,
            &new.zone,
            settings,
            channel,
            session,
            role,
            origin.map(payload::write),
            tx.now,
        ),
    )?;
    Ok(())
}

/// The sessions of the conversation that session `?2` of channel `?1` is one of. A reset begins another session and leaves
/// the tasks where they are; and where each message is a session by itself, none would ever be full.
const OF_ITS_CONVERSATION: &str = "k.creator_channel = ?1 AND k.creator_session IN
    (SELECT ?2 UNION ALL SELECT o.key FROM kata_sessions s JOIN kata_sessions o ON o.lane = s.lane
     WHERE s.channel = ?1 AND s.key = ?2)";

/// A cancelled task counts for its hour: what is bounded is how often tasks are made.
fn refusal(
    tx: &Tx<'_>,
    channel: ChannelId,
    session: &str,
    limits: TaskLimits,
) -> Result<Option<Created>, StoreError> {
    let live: u32 = tx.one(
        &format!(
            "SELECT COUNT(*) FROM kata_tasks k JOIN scheduled_tasks t ON t.id = k.task
             WHERE {OF_ITS_CONVERSATION} AND k.over_ms IS NULL"
        ),
        (channel, session),
    )?;
    if live >= limits.live {
        return Ok(Some(Created::TooManyLive { limit: limits.live }));
    }
    let Some(before) = limits.hourly.checked_sub(1) else {
        let again = tx.now.plus(HOUR);
        return Ok(Some(Created::TooManyHourly { limit: 0, again }));
    };
    // The one that has to be an hour old before another one may be made.
    let made = tx.first(
        &format!(
            "SELECT k.created_ms FROM kata_tasks k WHERE {OF_ITS_CONVERSATION} AND k.created_ms > ?3
             ORDER BY k.created_ms DESC LIMIT 1 OFFSET +?4"
        ),
        (channel, session, tx.now.minus(HOUR), before),
        |row| row.get::<_, crate::UnixMs>(0),
    )?;
    Ok(made.map(|made| Created::TooManyHourly {
        limit: limits.hourly,
        again: made.plus(HOUR),
    }))
}
