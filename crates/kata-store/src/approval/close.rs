//! The end of a question, whichever it is.

use super::{Approval, Reply, find};
use crate::{
    ApprovalState, AuditKind, StoreError, UnixMs,
    audit::{self, Entry},
    cancel, trail,
    tx::Tx,
};

/// Questions that expire in one step.
const STEP: i64 = 256;

/// Closes the questions whose time is over; those just closed.
pub(crate) fn expire(tx: &mut Tx<'_>) -> Result<Vec<Approval>, StoreError> {
    let due = find::those(
        tx.conn,
        "a.state = 'open' AND a.expires_ms <= ?1 ORDER BY a.expires_ms, a.id LIMIT ?2",
        (tx.now, STEP),
    )?;
    due.into_iter().map(|approval| expired(tx, approval)).collect()
}

pub(super) fn expired(tx: &mut Tx<'_>, approval: Approval) -> Result<Approval, StoreError> {
    close(tx, approval, ApprovalState::Expired)
}

/// Closes the questions of a turn that ended without needing the answers.
pub(crate) fn withdraw(tx: &mut Tx<'_>, message: i64) -> Result<Vec<Approval>, StoreError> {
    let open = find::those(
        tx.conn,
        "a.message = ?1 AND a.state = 'open' ORDER BY a.id",
        [message],
    )?;
    open.into_iter()
        .map(|approval| close(tx, approval, ApprovalState::Withdrawn))
        .collect()
}

/// Ends an open question, with the answer that stands in it.
pub(super) fn close(
    tx: &mut Tx<'_>,
    mut approval: Approval,
    state: ApprovalState,
) -> Result<Approval, StoreError> {
    approval.state = state;
    approval.closed_at = Some(tx.now);
    let reply = approval.reply.as_ref();
    tx.run(
        "UPDATE kata_approvals SET state = ?2, closed_ms = ?3, decision = ?4, answered_by = ?5, via = ?6, answer_reason = ?7
         WHERE id = ?1",
        (
            approval.id,
            state,
            tx.now,
            reply.map(|reply| reply.decision),
            reply.map(|reply| &reply.by),
            reply.map(|reply| reply.via),
            reply.and_then(|reply| reply.reason.as_ref()),
        ),
    )?;
    // A card that was not sent yet would ask what nobody wants to know any more.
    if let Some(card) = approval.card {
        cancel::discard(tx, card)?;
    }
    let (kind, step) = match state {
        ApprovalState::Expired => (AuditKind::Expired, "not answered in time"),
        ApprovalState::Withdrawn => (AuditKind::Withdrawn, "question withdrawn"),
        ApprovalState::AllowedOnce => (AuditKind::Answered, "allowed once"),
        ApprovalState::AllowedHour => (AuditKind::Answered, "allowed for an hour"),
        ApprovalState::Open | ApprovalState::Denied => (AuditKind::Answered, "denied"),
    };
    let (by, why) = (
        reply.map(|reply| reply.by.as_str()),
        reply.and_then(|reply| reply.reason.as_deref()),
    );
    record(tx, &approval, kind, reply, by, why)?;
    let said = reply.map(|reply| format!(" by {} ({})", reply.by, reply.via.as_str()));
    let detail = format!("approval {}{}", approval.id, said.unwrap_or_default());
    trail::if_kept(tx, approval.message, step, &detail)?;
    Ok(approval)
}

/// Writes down what became of a question.
pub(super) fn record(
    tx: &mut Tx<'_>,
    approval: &Approval,
    kind: AuditKind,
    reply: Option<&Reply>,
    by: Option<&str>,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    audit::append(
        tx,
        &Entry {
            workspace: Some(&approval.workspace),
            slug: Some(&approval.slug),
            conversation: Some(&approval.conversation),
            session_key: Some(&approval.session_key),
            message: Some(approval.message),
            tool: Some(&approval.tool),
            digest: Some(&approval.digest),
            decision: reply.map(|reply| reply.decision.as_str()),
            rule: Some(&approval.rule),
            reason: reason.or(Some(&approval.reason)),
            by,
            approval: Some(approval.id),
            ..Entry::new(kind)
        },
    )?;
    Ok(())
}

/// Deletes questions that were closed before `cutoff`. True: there may be more.
pub(crate) fn sweep(tx: &mut Tx<'_>, cutoff: UnixMs, step: i64) -> Result<bool, StoreError> {
    let gone = tx.run(
        "DELETE FROM kata_approvals WHERE id IN
           (SELECT id FROM kata_approvals WHERE closed_ms IS NOT NULL AND closed_ms < ?1 ORDER BY closed_ms LIMIT ?2)",
        (cutoff, step),
    )?;
    Ok(i64::try_from(gone).unwrap_or(0) == step)
}
