//! Retention in small steps (D25), and what must not stay in a row (D26).

use std::time::Duration;

use crate::{ChannelId, StoreError, approval, audit, grant, pairing, settle, task, tx::Tx};

/// Rows that one step looks at.
const STEP: i64 = 200;

/// Closed questions, and grants from which nothing comes any more, are kept for so long after their end.
const GATE: Duration = Duration::from_secs(90 * 24 * 3600);

/// How long rows are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Rows that ended, runs of tasks, and tasks that are over.
    pub processed: Duration,
    /// Rows that were given up.
    pub failed: Duration,
    /// What is left of a deleted message, so that it is known when it is seen again.
    pub tombstones: Duration,
    /// Rows of the audit.
    pub audit: Duration,
}

/// What a step of retention did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swept {
    /// Rows that are gone.
    pub rows: usize,
    /// There may be more.
    pub more: bool,
    /// Rows that are gone and had files: their files may go too.
    pub files: Vec<i64>,
}

/// A row that retention looks at.
struct Old {
    id: i64,
    status: String,
    created_at: String,
    ended_at: String,
    name: Option<(ChannelId, String, String)>,
    has_files: bool,
}

pub(crate) fn sweep(tx: &mut Tx<'_>, retention: &Retention) -> Result<Swept, StoreError> {
    blank(tx)?;
    let stones = tombstones(tx, retention)?;
    let decided = decided(tx, retention)?;
    let mut swept = rows(tx, retention)?;
    swept.more |= stones | decided;
    Ok(swept)
}

/// True: there may be more.
fn decided(tx: &mut Tx<'_>, retention: &Retention) -> Result<bool, StoreError> {
    let cutoff = tx.now.minus(GATE);
    let approvals = approval::sweep(tx, cutoff, STEP)?;
    let grants = grant::sweep(tx, cutoff, STEP)?;
    let audit = audit::sweep(tx, retention.audit, STEP)?;
    let tasks = task::sweep(tx, tx.now.minus(retention.processed), STEP)?;
    let pairings = pairing::sweep(tx, STEP)?;
    Ok(approvals | grants | audit | tasks | pairings)
}

/// Walks along the ids, which ascend with age, as far as anything can be old enough. No index is kept for this: behind
/// the walk only rows are left that wait or were given up.
fn rows(tx: &mut Tx<'_>, retention: &Retention) -> Result<Swept, StoreError> {
    let processed = tx.now.minus(retention.processed).to_iso();
    let failed = tx.now.minus(retention.failed).to_iso();
    let newest = (&processed).max(&failed).clone();
    let old = look(tx, tx.memo.swept)?;
    let mut swept = Swept {
        rows: 0,
        more: i64::try_from(old.len()).unwrap_or(0) == STEP,
        files: Vec::new(),
    };
    for row in old {
        if row.created_at > newest {
            swept.more = false;
            break;
        }
        tx.memo.swept = row.id;
        let gone = (row.status == "processed" && row.ended_at < processed)
            || (row.status == "failed" && row.ended_at < failed);
        if gone {
            delete(tx, &row)?;
            swept.rows += 1;
            swept.files.extend(row.has_files.then_some(row.id));
        }
    }
    if !swept.more {
        tx.memo.swept = 0;
    }
    Ok(swept)
}

fn look(tx: &Tx<'_>, after: i64) -> Result<Vec<Old>, StoreError> {
    tx.all(
        "SELECT id, status, created_at, COALESCE(processed_at, created_at), channel, conversation, platform_id, has_files
         FROM messages WHERE id > ?1 ORDER BY id LIMIT ?2",
        (after, STEP),
        |row| {
            let name = (row.get::<_, Option<_>>(4)?, row.get::<_, Option<_>>(5)?, row.get::<_, Option<_>>(6)?);
            Ok(Old {
                id: row.get(0)?,
                status: row.get(1)?,
                created_at: row.get(2)?,
                ended_at: row.get(3)?,
                name: match name {
                    (Some(channel), Some(conversation), Some(id)) => Some((channel, conversation, id)),
                    _ => None,
                },
                has_files: row.get(7)?,
            })
        },
    )
}

fn delete(tx: &mut Tx<'_>, row: &Old) -> Result<(), StoreError> {
    if let Some((channel, conversation, platform_id)) = &row.name {
        tx.run(
            "INSERT INTO kata_tombstones (channel, conversation, platform_id, gone_ms) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
            (channel, conversation, platform_id, tx.now),
        )?;
    }
    tx.run("DELETE FROM messages WHERE id = ?1", [row.id])?;
    Ok(())
}

/// True: there may be more.
fn tombstones(tx: &mut Tx<'_>, retention: &Retention) -> Result<bool, StoreError> {
    let gone = tx.run(
        "DELETE FROM kata_tombstones WHERE id IN
           (SELECT id FROM kata_tombstones WHERE gone_ms < ?1 ORDER BY gone_ms LIMIT ?2)",
        (tx.now.minus(retention.tombstones), STEP),
    )?;
    Ok(i64::try_from(gone).unwrap_or(0) == STEP)
}

fn blank(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let rows: Vec<i64> = tx.all(
        "SELECT id FROM messages WHERE secret_until_ms IS NOT NULL AND secret_until_ms <= ?1 LIMIT ?2",
        (tx.now, STEP),
        |row| row.get(0),
    )?;
    for row in rows {
        settle::blank_secrets(tx, row)?;
    }
    Ok(())
}
