//! Reading questions.

use rusqlite::{Connection, OptionalExtension, Params, Row};

use super::{Approval, ApprovalFilter, CardPlace, Reply};
use crate::{ChannelId, StoreError, UnixMs};

const COLUMNS: &str = "a.id, a.code, a.state, a.workspace, a.channel, c.slug, a.conversation, a.thread, a.session_key, \
    a.message, a.tool, a.digest, a.input, a.rule, a.reason, a.requester, a.asked_ms, a.expires_ms, a.card, a.closed_ms, \
    a.decision, a.answered_by, a.via, a.answer_reason, a.grant_id";

fn read(row: &Row<'_>) -> rusqlite::Result<Approval> {
    let input: String = row.get(12)?;
    let reply = match (row.get(20)?, row.get(21)?, row.get(22)?) {
        (Some(decision), Some(by), Some(via)) => Some(Reply {
            decision,
            by,
            via,
            reason: row.get(23)?,
        }),
        _ => None,
    };
    Ok(Approval {
        id: row.get(0)?,
        code: row.get(1)?,
        state: row.get(2)?,
        workspace: row.get(3)?,
        channel: row.get(4)?,
        slug: row.get(5)?,
        conversation: row.get(6)?,
        thread: row.get(7)?,
        session_key: row.get(8)?,
        message: row.get(9)?,
        tool: row.get(10)?,
        digest: row.get(11)?,
        input: serde_json::from_str(&input).unwrap_or_default(),
        rule: row.get(13)?,
        reason: row.get(14)?,
        requester: row.get(15)?,
        asked_at: row.get(16)?,
        expires_at: row.get(17)?,
        card: row.get(18)?,
        closed_at: row.get(19)?,
        reply,
        grant: row.get(24)?,
    })
}

/// The questions that meet a condition on `a`.
pub(super) fn those(
    conn: &Connection,
    condition: &str,
    params: impl Params,
) -> Result<Vec<Approval>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM kata_approvals a JOIN kata_channels c ON c.id = a.channel WHERE {condition}"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let found = statement.query_map(params, read)?.collect::<Result<_, _>>()?;
    #[cfg(test)]
    crate::tests::effort::note(&statement);
    Ok(found)
}

/// The first question that meets a condition on `a`.
pub(super) fn first(
    conn: &Connection,
    condition: &str,
    params: impl Params,
) -> Result<Option<Approval>, StoreError> {
    Ok(those(conn, &format!("{condition} LIMIT 1"), params)?.pop())
}

pub(crate) fn one(conn: &Connection, id: i64) -> Result<Option<Approval>, StoreError> {
    first(conn, "a.id = ?1", [id])
}

/// The newest first, with ids below `before`.
pub(crate) fn list(
    conn: &Connection,
    filter: &ApprovalFilter,
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<Approval>, StoreError> {
    those(
        conn,
        "a.id < :before AND (:workspace IS NULL OR a.workspace = :workspace)
           AND (:channel IS NULL OR a.channel = :channel) AND (:conversation IS NULL OR a.conversation = :conversation)
           AND (:session IS NULL OR a.session_key = :session) AND (:message IS NULL OR a.message = :message)
           AND (:state IS NULL OR a.state = :state)
         ORDER BY a.id DESC LIMIT :limit",
        rusqlite::named_params! {
            ":before": before.unwrap_or(i64::MAX),
            ":workspace": filter.workspace,
            ":channel": filter.channel,
            ":conversation": filter.conversation,
            ":session": filter.session_key,
            ":message": filter.message,
            ":state": filter.state,
            ":limit": i64::try_from(limit).unwrap_or(i64::MAX),
        },
    )
}

pub(crate) fn next_expiry(conn: &Connection) -> Result<Option<UnixMs>, StoreError> {
    Ok(conn
        .prepare_cached("SELECT MIN(expires_ms) FROM kata_approvals WHERE state = 'open'")?
        .query_row([], |row| row.get(0))?)
}

/// What an answer may name: questions that are open, or were closed since then.
pub(crate) fn known_codes(
    conn: &Connection,
    since: UnixMs,
) -> Result<Vec<(ChannelId, String, String)>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT channel, conversation, code FROM kata_approvals WHERE state = 'open'
         UNION SELECT channel, conversation, code FROM kata_approvals WHERE closed_ms IS NOT NULL AND closed_ms >= ?1",
    )?;
    let rows = statement.query_map([since], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn card_of(conn: &Connection, approval: i64) -> Result<Option<CardPlace>, StoreError> {
    Ok(conn
        .prepare_cached(
            "SELECT m.channel, m.conversation, m.thread, p.platform_id
             FROM kata_approvals a JOIN messages m ON m.id = a.card JOIN kata_parts p ON p.answer = m.id AND p.n = 1
             WHERE a.id = ?1 AND p.platform_id IS NOT NULL",
        )?
        .query_row([approval], |row| {
            Ok(CardPlace {
                channel: row.get(0)?,
                conversation: row.get(1)?,
                thread: row.get(2)?,
                platform_id: row.get(3)?,
            })
        })
        .optional()?)
}
