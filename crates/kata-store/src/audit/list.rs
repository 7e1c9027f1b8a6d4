//! The audit, page by page.

use rusqlite::{Connection, Row};
use serde_json::Value;

use crate::{AuditKind, StoreError, UnixMs};

/// Which audit rows to list; none of them: all.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Of this workspace.
    pub workspace: Option<String>,
    /// Of this session.
    pub session_key: Option<String>,
    /// Of the turn of this message row.
    pub message: Option<i64>,
    /// Of this kind.
    pub kind: Option<AuditKind>,
    /// About this tool.
    pub tool: Option<String>,
    /// With this decision: `allow`, `deny`, `ask`; of answers `allow_once`, `allow_1h`, `deny`.
    pub decision: Option<String>,
}

/// A row of the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its place in the chain; places have no gaps.
    pub id: i64,
    /// When.
    pub at: UnixMs,
    /// What it is about.
    pub kind: AuditKind,
    /// The workspace.
    pub workspace: Option<String>,
    /// The channel's folder name.
    pub slug: Option<String>,
    /// The platform's place of talk.
    pub conversation: Option<String>,
    /// The session's key.
    pub session_key: Option<String>,
    /// The turn: its newest message row.
    pub message: Option<i64>,
    /// The tool; of a grant from the file its patterns.
    pub tool: Option<String>,
    /// The digest of the tool and its arguments.
    pub digest: Option<String>,
    /// What was decided.
    pub decision: Option<String>,
    /// The rule that decided.
    pub rule: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// What the turn's sender may do.
    pub role: Option<String>,
    /// Who asked, answered, minted or revoked.
    pub by: Option<String>,
    /// The grant that it is about, or that let the call through.
    pub grant: Option<i64>,
    /// The question that it is about.
    pub approval: Option<i64>,
    /// Who and what the turn was made from.
    pub origin: Option<Value>,
    /// The hash of the row before it.
    pub prev: String,
    /// Its hash.
    pub hash: String,
}

fn read(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    let origin: Option<String> = row.get(17)?;
    Ok(AuditRow {
        id: row.get(0)?,
        at: row.get(1)?,
        kind: row.get(2)?,
        workspace: row.get(3)?,
        slug: row.get(4)?,
        conversation: row.get(5)?,
        session_key: row.get(6)?,
        message: row.get(7)?,
        tool: row.get(8)?,
        digest: row.get(9)?,
        decision: row.get(10)?,
        rule: row.get(11)?,
        reason: row.get(12)?,
        role: row.get(13)?,
        by: row.get(14)?,
        grant: row.get(15)?,
        approval: row.get(16)?,
        origin: origin.and_then(|text| serde_json::from_str(&text).ok()),
        prev: row.get(18)?,
        hash: row.get(19)?,
    })
}

/// The newest first, with ids below `before`.
pub(crate) fn list(
    conn: &Connection,
    filter: &AuditFilter,
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<AuditRow>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, at_ms, kind, workspace, slug, conversation, session_key, message, tool, digest, decision, rule, reason,
           role, by_whom, grant_id, approval_id, origin, prev, hash
         FROM kata_audit WHERE id < :before AND (:workspace IS NULL OR workspace = :workspace)
           AND (:session IS NULL OR session_key = :session) AND (:message IS NULL OR message = :message)
           AND (:kind IS NULL OR kind = :kind) AND (:tool IS NULL OR tool = :tool)
           AND (:decision IS NULL OR decision = :decision)
         ORDER BY id DESC LIMIT :limit",
    )?;
    let rows = statement.query_map(
        rusqlite::named_params! {
            ":before": before.unwrap_or(i64::MAX),
            ":workspace": filter.workspace,
            ":session": filter.session_key,
            ":message": filter.message,
            ":kind": filter.kind,
            ":tool": filter.tool,
            ":decision": filter.decision,
            ":limit": i64::try_from(limit).unwrap_or(i64::MAX),
        },
        read,
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}
