//! Grants for one call, from an answer to a question (D28).

use std::time::Duration;

use super::note;
use crate::{Approval, ApprovalDecision, AuditKind, Judge, StoreError, tx::Tx};

/// D28: an approval mints at most a grant of one hour.
const LASTS: Duration = Duration::from_secs(3600);

/// Mints what the answer allows: this tool with these arguments in this conversation. "Once" is also this session's
/// alone, so that no other one of the conversation takes it away.
pub(crate) fn mint(
    tx: &mut Tx<'_>,
    approval: &Approval,
    decision: ApprovalDecision,
    by: &str,
) -> Result<Option<i64>, StoreError> {
    let (uses, session_key) = match decision {
        ApprovalDecision::AllowOnce => (Some(1), Some(&approval.session_key)),
        ApprovalDecision::AllowHour => (None, None),
        ApprovalDecision::Deny => return Ok(None),
    };
    let id = tx.insert(
        "INSERT INTO kata_grants (source, workspace, channel, conversation, session_key, tool, digest, rule, uses,
           until_ms, minted_ms, minted_by, approval, over_ms)
         VALUES ('approval', ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?9)",
        rusqlite::params![
            approval.workspace,
            approval.channel,
            approval.conversation,
            session_key,
            approval.tool,
            approval.digest,
            approval.rule,
            uses,
            tx.now.plus(LASTS),
            tx.now,
            by,
            approval.id,
        ],
    )?;
    note(tx, id, AuditKind::Granted, by)?;
    Ok(Some(id))
}

/// Takes one use of a grant that covers the call: its id, and who gave it. One that may be used any number of times is
/// preferred, so that none is spent without need.
pub(crate) fn take(tx: &mut Tx<'_>, judge: &Judge) -> Result<Option<(i64, String)>, StoreError> {
    let scope = &judge.scope;
    // A grant belongs to a conversation: without one there is none.
    let (Some(channel), Some(conversation)) = (scope.channel, &scope.conversation) else {
        return Ok(None);
    };
    tx.first(
        "UPDATE kata_grants SET used = used + 1 WHERE id =
           (SELECT id FROM kata_grants WHERE source = 'approval' AND digest = ?1 AND channel = ?2 AND conversation = ?3
              AND workspace = ?4 AND tool = ?5 AND (session_key IS NULL OR session_key = ?6) AND revoked_ms IS NULL
              AND until_ms > ?7 AND (uses IS NULL OR used < uses)
            ORDER BY uses IS NOT NULL, id LIMIT 1)
         RETURNING id, minted_by",
        (
            &judge.digest,
            channel,
            conversation,
            &scope.workspace,
            &judge.tool,
            &scope.session_key,
            tx.now,
        ),
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}
