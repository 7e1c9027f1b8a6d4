//! Tasks and their runs, page by page.

use rusqlite::{Connection, OptionalExtension, Params, Row};
use serde_json::Value;

use super::{Creator, FireView, FiredBy, Task, TaskFilter};
use crate::{ChannelId, StoreError, UnixMs};

const CREATOR: &str = "k.creator_channel, k.creator_session, k.role, k.origin";

/// `first`: where the four columns stand. A creator is stored whole, or it is the host.
fn creator(row: &Row<'_>, first: usize) -> rusqlite::Result<Creator> {
    let channel: Option<ChannelId> = row.get(first)?;
    let session: Option<String> = row.get(first + 1)?;
    let role: Option<String> = row.get(first + 2)?;
    let origin: Option<String> = row.get(first + 3)?;
    Ok(match (channel, session, role) {
        (Some(channel), Some(session_key), Some(role)) => Creator::Agent {
            channel,
            session_key,
            role,
            origin: origin.and_then(|text| serde_json::from_str(&text).ok()),
        },
        _ => Creator::Host,
    })
}

fn read(row: &Row<'_>) -> rusqlite::Result<Task> {
    let time = |text: Option<String>| text.as_deref().and_then(UnixMs::from_iso);
    let json = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
    let enabled: bool = row.get(5)?;
    let parked: Option<UnixMs> = row.get(13)?;
    let why: Option<String> = row.get(14)?;
    let over: Option<UnixMs> = row.get(15)?;
    Ok(Task {
        id: row.get(0)?,
        workspace: row.get(1)?,
        kind: row.get(2)?,
        schedule: row.get(3)?,
        action: json(row.get(4)?).unwrap_or(Value::Null),
        enabled,
        last_run: time(row.get(6)?),
        next_run: time(row.get(7)?),
        created_at: time(row.get(8)?),
        zone: row.get(9)?,
        settings: json(row.get(10)?).unwrap_or(Value::Null),
        failures: row.get::<_, Option<u32>>(11)?.unwrap_or(0),
        failed_at: row.get(12)?,
        // The 0.7 daemon may have armed it again, and knows nothing of these.
        parked: parked
            .filter(|_| !enabled)
            .map(|at| (at, why.unwrap_or_default())),
        over_at: over.filter(|_| !enabled),
        running: row.get(16)?,
        creator: creator(row, 17)?,
    })
}

/// The tasks for which `rest` holds.
pub(super) fn read_all(conn: &Connection, rest: &str, params: impl Params) -> Result<Vec<Task>, StoreError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT t.id, t.workspace_id, t.type, t.schedule, t.action, t.enabled, t.last_run_at, t.next_run_at, t.created_at,
           k.zone, k.settings, k.failures, k.failed_ms, k.parked_ms, k.parked_why, k.over_ms, f.id, {CREATOR}
         FROM scheduled_tasks t LEFT JOIN kata_tasks k ON k.task = t.id
           LEFT JOIN kata_fires f ON f.task = t.id AND f.state = 'running'
         WHERE {rest}"
    ))?;
    let tasks = statement.query_map(params, read)?.collect::<Result<_, _>>()?;
    #[cfg(test)]
    crate::tests::effort::note(&statement);
    Ok(tasks)
}

pub(crate) fn one(conn: &Connection, id: i64) -> Result<Option<Task>, StoreError> {
    Ok(read_all(conn, "t.id = ?1", [id])?.pop())
}

/// The newest first, with ids below `before`.
pub(crate) fn list(
    conn: &Connection,
    filter: &TaskFilter,
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<Task>, StoreError> {
    read_all(
        conn,
        "t.id < :before AND (:workspace IS NULL OR t.workspace_id = :workspace)
           AND (:session IS NULL OR k.creator_session IN
             (SELECT :session UNION ALL SELECT o.key FROM kata_channels c
              JOIN kata_sessions s ON s.channel = c.id AND s.key = :session JOIN kata_sessions o ON o.lane = s.lane
              WHERE :workspace IS NULL OR c.workspace = :workspace)) AND (:enabled IS NULL OR t.enabled = :enabled)
         ORDER BY t.id DESC LIMIT :limit",
        rusqlite::named_params! {
            ":before": before.unwrap_or(i64::MAX),
            ":workspace": filter.workspace,
            ":session": filter.session_key,
            ":enabled": filter.enabled,
            ":limit": i64::try_from(limit).unwrap_or(i64::MAX),
        },
    )
}

/// A task's runs, the newest first, with slots below `before`.
pub(crate) fn fires(
    conn: &Connection,
    task: i64,
    before: Option<UnixMs>,
    limit: usize,
) -> Result<Vec<FireView>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, task, slot_ms, state, slots, claimed_ms, ended_ms, error, message FROM kata_fires
         WHERE task = ?1 AND slot_ms < ?2 ORDER BY slot_ms DESC LIMIT ?3",
    )?;
    let before = before.unwrap_or(UnixMs(i64::MAX));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let fires = statement.query_map((task, before, limit), |row| {
        Ok(FireView {
            id: row.get(0)?,
            task: row.get(1)?,
            slot: row.get(2)?,
            state: row.get(3)?,
            slots: row.get::<_, i64>(4)?.unsigned_abs(),
            at: row.get(5)?,
            ended_at: row.get(6)?,
            error: row.get(7)?,
            message: row.get(8)?,
        })
    })?;
    Ok(fires.collect::<Result<_, _>>()?)
}

/// The run whose turn this row is.
pub(crate) fn fired_by(conn: &Connection, message: i64) -> Result<Option<FiredBy>, StoreError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT f.id, f.task, f.slot_ms, {CREATOR} FROM messages m JOIN kata_fires f ON f.id = m.fire
           LEFT JOIN kata_tasks k ON k.task = f.task
         WHERE m.id = ?1"
    ))?;
    Ok(statement
        .query_row([message], |row| {
            Ok(FiredBy {
                fire: row.get(0)?,
                task: row.get(1)?,
                slot: row.get(2)?,
                creator: creator(row, 3)?,
            })
        })
        .optional()?)
}
