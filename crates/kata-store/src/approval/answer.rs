//! Answers: the first one in time by somebody who may counts.

use super::{Answered, AnsweredWhat, Approval, ApprovalEffect, Reply, Run, close, find};
use crate::{
    ApprovalDecision, ApprovalState, AuditKind, ChannelId, StoreError, Via, grant, row, tx::Tx, words::Status,
};

/// An answer from the host, whose user may answer everything.
pub(crate) fn resolve(tx: &mut Tx<'_>, id: i64, reply: Reply) -> Result<Answered, StoreError> {
    let found = find::one(tx.conn, id)?;
    hear(tx, found, reply, true)
}

/// An answer out of the conversation, and what is said to it. Codes come again after a day: the newest question counts.
pub(crate) fn consume(
    tx: &mut Tx<'_>,
    channel: ChannelId,
    conversation: &str,
    effect: ApprovalEffect,
) -> Result<(Answered, String), StoreError> {
    let found = find::first(
        tx.conn,
        "a.channel = ?1 AND a.code = ?2 AND a.conversation = ?3 ORDER BY a.id DESC",
        (channel, &effect.code, conversation),
    )?;
    let reply = Reply {
        decision: effect.decision,
        by: effect.by,
        via: Via::Conversation,
        reason: None,
    };
    let answered = hear(tx, found, reply, effect.may_answer)?;
    let text = (effect.reply)(&answered);
    Ok((answered, text))
}

fn hear(
    tx: &mut Tx<'_>,
    found: Option<Approval>,
    reply: Reply,
    may_answer: bool,
) -> Result<Answered, StoreError> {
    let Some(approval) = found else {
        return Ok(Answered {
            approval: None,
            what: AnsweredWhat::Unknown,
            run: Run::Over,
        });
    };
    let run = run(tx, approval.message)?;
    let (approval, what) = match approval.state {
        _ if !may_answer => {
            let reason = "an answer by somebody who may not";
            let by = Some(reply.by.as_str());
            close::record(
                tx,
                &approval,
                AuditKind::AnswerRefused,
                Some(&reply),
                by,
                Some(reason),
            )?;
            (approval, AnsweredWhat::NotAllowed)
        }
        ApprovalState::Open if tx.now < approval.expires_at => {
            (take(tx, approval, reply)?, AnsweredWhat::Taken)
        }
        ApprovalState::Open => (close::expired(tx, approval)?, AnsweredWhat::TooLate),
        ApprovalState::Expired => (approval, AnsweredWhat::TooLate),
        ApprovalState::AllowedOnce
        | ApprovalState::AllowedHour
        | ApprovalState::Denied
        | ApprovalState::Withdrawn => (approval, AnsweredWhat::Already),
    };
    Ok(Answered {
        approval: Some(approval),
        what,
        run,
    })
}

fn take(tx: &mut Tx<'_>, mut approval: Approval, reply: Reply) -> Result<Approval, StoreError> {
    let state = match reply.decision {
        ApprovalDecision::AllowOnce => ApprovalState::AllowedOnce,
        ApprovalDecision::AllowHour => ApprovalState::AllowedHour,
        ApprovalDecision::Deny => ApprovalState::Denied,
    };
    approval.reply = Some(reply.clone());
    let mut approval = close::close(tx, approval, state)?;
    approval.grant = grant::mint(tx, &approval, reply.decision, &reply.by)?;
    tx.run(
        "UPDATE kata_approvals SET grant_id = ?2 WHERE id = ?1",
        (approval.id, approval.grant),
    )?;
    Ok(approval)
}

fn run(tx: &Tx<'_>, message: i64) -> Result<Run, StoreError> {
    Ok(match row::load(tx, message)?.map(|row| row.status) {
        Some(Status::Processing) => Run::Open,
        Some(Status::Pending) => Run::Again,
        Some(Status::Processed | Status::Failed) | None => Run::Over,
    })
}
