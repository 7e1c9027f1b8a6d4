//! Every step of one message, from what its rows remember.

use rusqlite::{Connection, OptionalExtension};

use super::list::{self, Direction, Listed};
use crate::{StoreError, UnixMs};

/// What happened to a message, and to its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The message.
    pub message: Listed,
    /// Its answer, or its notice.
    pub answer: Option<Listed>,
    /// What happened, in the order of time.
    pub steps: Vec<Step>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: UnixMs,
    /// What, in a few words.
    pub what: String,
    /// More about it.
    pub detail: Option<String>,
}

impl Step {
    fn new(at: UnixMs, what: impl Into<String>, detail: Option<String>) -> Self {
        Self {
            at,
            what: what.into(),
            detail,
        }
    }
}

pub(super) fn explain(conn: &Connection, message: &str) -> Result<Vec<Explanation>, StoreError> {
    let mut found = Vec::new();
    for id in named(conn, message)? {
        let Some(row) = load(conn, id)? else { continue };
        // An answer is explained with the message that it answers.
        let answered = match (row.direction, row.other) {
            (Direction::Outbound, Some(other)) => load(conn, other)?,
            _ => None,
        };
        let (message, answer) = match answered {
            Some(message) => (message, Some(row)),
            None => {
                let answer = row.other.filter(|_| row.direction == Direction::Inbound);
                let answer = answer.map(|id| load(conn, id)).transpose()?.flatten();
                (row, answer)
            }
        };
        found.push(assemble(conn, message, answer)?);
    }
    Ok(found)
}

/// The rows of that name: the row itself, else those with that id of the platform.
fn named(conn: &Connection, message: &str) -> Result<Vec<i64>, StoreError> {
    if let Ok(id) = message.parse::<i64>()
        && load(conn, id)?.is_some()
    {
        return Ok(vec![id]);
    }
    // The index on the platform's ids begins with the place, and there are far fewer places than messages.
    let mut statement = conn.prepare_cached(
        "SELECT m.id FROM (SELECT DISTINCT channel, conversation FROM kata_lanes) l CROSS JOIN messages m
         ON m.channel = l.channel AND m.conversation = l.conversation AND m.platform_id = ?1 ORDER BY m.id",
    )?;
    Ok(statement
        .query_map([message], |row| row.get(0))?
        .collect::<Result<_, _>>()?)
}

fn load(conn: &Connection, id: i64) -> Result<Option<Listed>, StoreError> {
    let sql = format!(
        "SELECT {} FROM messages m LEFT JOIN kata_channels c ON c.id = m.channel WHERE m.id = ?1",
        list::COLUMNS
    );
    Ok(conn
        .prepare_cached(&sql)?
        .query_row([id], list::read)
        .optional()?)
}

fn assemble(conn: &Connection, message: Listed, answer: Option<Listed>) -> Result<Explanation, StoreError> {
    let mut steps = Vec::new();
    if let Some(at) = message.created_at {
        let what = if message.direction == Direction::Inbound {
            "received"
        } else {
            "stored"
        };
        steps.push(Step::new(
            at,
            what,
            message.session_key.as_ref().map(|key| format!("session {key}")),
        ));
    }
    steps.extend(
        message
            .claimed_at
            .map(|at| Step::new(at, "claimed", Some(format!("attempt {}", message.attempts + 1)))),
    );
    trail(conn, message.id, &mut steps)?;
    end(&message, &mut steps);
    parts(conn, message.id, &mut steps)?;
    if let Some(answer) = &answer {
        steps.extend(
            answer
                .created_at
                .map(|at| Step::new(at, "answered", Some(format!("row {}", answer.id)))),
        );
        trail(conn, answer.id, &mut steps)?;
        parts(conn, answer.id, &mut steps)?;
        end(answer, &mut steps);
    }
    // Steps of one moment stay in the order of a message's life, in which they were gathered.
    steps.sort_by_key(|step| step.at);
    Ok(Explanation {
        message,
        answer,
        steps,
    })
}

fn end(row: &Listed, steps: &mut Vec<Step>) {
    // A parked row's end stands in its trail.
    if let (Some(at), "processed") = (row.ended_at, row.status.as_str()) {
        steps.push(Step::new(
            at,
            row.outcome.as_deref().unwrap_or("processed"),
            row.error.clone(),
        ));
    }
}

fn trail(conn: &Connection, id: i64, steps: &mut Vec<Step>) -> Result<(), StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT at_ms, step, detail FROM kata_trail WHERE message = ?1 ORDER BY n")?;
    for step in statement.query_map([id], |row| {
        Ok(Step {
            at: row.get(0)?,
            what: row.get(1)?,
            detail: row.get(2)?,
        })
    })? {
        steps.push(step?);
    }
    Ok(())
}

fn parts(conn: &Connection, answer: i64, steps: &mut Vec<Step>) -> Result<(), StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT n, of, attempts, attempt_ms, sent_ms, platform_id, key FROM kata_parts WHERE answer = ?1 ORDER BY n",
    )?;
    let mut rows = statement.query([answer])?;
    while let Some(row) = rows.next()? {
        let (n, of, attempts): (u32, u32, u32) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let key: String = row.get(6)?;
        if let Some(at) = row.get::<_, Option<UnixMs>>(3)? {
            let detail = format!("attempt {attempts}, key {key}");
            steps.push(Step::new(at, format!("part {n} of {of} tried"), Some(detail)));
        }
        if let Some(at) = row.get::<_, Option<UnixMs>>(4)? {
            let id: Option<String> = row.get(5)?;
            steps.push(Step::new(
                at,
                format!("part {n} of {of} sent"),
                id.map(|id| format!("as {id}")),
            ));
        }
    }
    Ok(())
}
