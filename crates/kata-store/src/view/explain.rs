//! Every step of one message, from what its rows remember.

use rusqlite::{Connection, OptionalExtension};

use super::list::{self, Direction, Listed};
use crate::{StoreError, UnixMs, trail};

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
    let arrived = match message.direction {
        Direction::Inbound => "received",
        Direction::Outbound => "stored",
    };
    let session = message.session_key.as_ref().map(|key| format!("session {key}"));
    let mut steps = life(conn, &message, arrived, session)?;
    if let Some(answer) = &answer {
        steps.extend(life(
            conn,
            answer,
            "answered",
            Some(format!("row {}", answer.id)),
        )?);
    }
    // Steps of one moment stay in the order of a message's life, in which they were gathered.
    steps.sort_by_key(|step| step.at);
    Ok(Explanation {
        message,
        answer,
        steps,
    })
}

/// What happened to one row, from its first moment to its end.
fn life(
    conn: &Connection,
    row: &Listed,
    first: &str,
    detail: Option<String>,
) -> Result<Vec<Step>, StoreError> {
    let mut steps = Vec::new();
    steps.extend(row.created_at.map(|at| Step::new(at, first, detail)));
    let trail = trail(conn, row.id)?;
    // A row that was claimed more than once, or failed, has all its claims in the trail.
    let claimed = match row.claimed_at {
        Some(at) if !trail.iter().any(|step| step.what == trail::CLAIMED) => {
            let turn = conn
                .prepare_cached("SELECT turn FROM messages WHERE id = ?1")?
                .query_row([row.id], |found| found.get(0))?;
            let attempt = trail::attempt(row.attempts + 1, row.id, turn);
            Some(Step::new(at, trail::CLAIMED, Some(attempt)))
        }
        _ => None,
    };
    interleave(trail, &parts(conn, row.id)?, &mut steps);
    steps.extend(claimed);
    steps.extend(end(row));
    Ok(steps)
}

fn end(row: &Listed) -> Option<Step> {
    let what = match (row.status.as_str(), row.outcome.as_deref()) {
        ("processed", outcome) => outcome.unwrap_or("processed"),
        // The 0.7 daemon gave it up; where we do, the trail says so.
        ("failed", None) => "failed",
        _ => return None,
    };
    row.ended_at.map(|at| Step::new(at, what, row.error.clone()))
}

fn trail(conn: &Connection, id: i64) -> Result<Vec<Step>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT at_ms, step, detail FROM kata_trail WHERE message = ?1 ORDER BY n")?;
    let steps = statement.query_map([id], |row| {
        Ok(Step {
            at: row.get(0)?,
            what: row.get(1)?,
            detail: row.get(2)?,
        })
    })?;
    Ok(steps.collect::<Result<_, _>>()?)
}

/// A part, as its own columns tell it: its latest attempt alone.
struct Part {
    n: u32,
    of: u32,
    attempts: u32,
    tried: Option<UnixMs>,
    sent: Option<UnixMs>,
    platform_id: Option<String>,
    key: String,
}

fn parts(conn: &Connection, answer: i64) -> Result<Vec<Part>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT n, of, attempts, attempt_ms, sent_ms, platform_id, key FROM kata_parts WHERE answer = ?1 ORDER BY n",
    )?;
    let parts = statement.query_map([answer], |row| {
        Ok(Part {
            n: row.get(0)?,
            of: row.get(1)?,
            attempts: row.get(2)?,
            tried: row.get(3)?,
            sent: row.get(4)?,
            platform_id: row.get(5)?,
            key: row.get(6)?,
        })
    })?;
    Ok(parts.collect::<Result<_, _>>()?)
}

/// D17: nothing of a later part happens before this one is sent, so that is where its own steps stand.
fn interleave(trail: Vec<Step>, parts: &[Part], steps: &mut Vec<Step>) {
    let own: Vec<Vec<Step>> = parts.iter().map(|part| part.steps(&trail)).collect();
    let mut trail = trail.into_iter().peekable();
    for (part, own) in parts.iter().zip(own) {
        while let Some(step) = trail.next_if(|step| part_of(step).is_none_or(|n| n <= part.n)) {
            steps.push(step);
        }
        steps.extend(own);
    }
    steps.extend(trail);
}

/// The part that a step of the trail is about.
fn part_of(step: &Step) -> Option<u32> {
    step.what
        .strip_prefix("part ")
        .and_then(|rest| rest.split(' ').next())
        .and_then(|n| n.parse().ok())
}

impl Part {
    fn step(&self, at: UnixMs, what: &str, detail: Option<String>) -> Step {
        Step::new(at, format!("part {} of {} {what}", self.n, self.of), detail)
    }

    /// What the trail does not tell: a first attempt that is open, or that succeeded.
    fn steps(&self, trail: &[Step]) -> Vec<Step> {
        if self.attempts != 1 || self.is_told(trail) {
            return Vec::new();
        }
        let detail = format!("attempt {}, key {}", self.attempts, self.key);
        let tried = self.tried.map(|at| self.step(at, "tried", Some(detail)));
        let id = self.platform_id.as_ref().map(|id| format!("as {id}"));
        let sent = self.sent.map(|at| self.step(at, trail::SENT, id));
        tried.into_iter().chain(sent).collect()
    }

    fn is_told(&self, trail: &[Step]) -> bool {
        if self.sent.is_some() {
            let sent = format!("part {} of {} {}", self.n, self.of, trail::SENT);
            return trail.iter().any(|step| step.what == sent);
        }
        // Brought back, it is counted anew: what was told before was of earlier attempts.
        trail
            .iter()
            .rev()
            .take_while(|step| step.what != trail::BROUGHT_BACK)
            .any(|step| part_of(step) == Some(self.n))
    }
}
