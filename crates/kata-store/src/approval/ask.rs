//! Asking: one question a call, whoever asks it again.

use super::{Approval, Card, NewApproval, OpenedApproval, close, code, find};
use crate::{
    ApprovalState, AuditKind, StoreError,
    answer::{self, NewAnswer},
    channel::{self, Home},
    lane::{self, Lane},
    row::{self, Ending},
    trail,
    tx::Tx,
};

pub(crate) fn open(tx: &mut Tx<'_>, new: NewApproval) -> Result<OpenedApproval, StoreError> {
    let home = channel::load(tx, new.channel)?;
    let turn = turn(tx, new.message)?;
    if let Some(approval) = again(tx, &turn.0, &new)? {
        return Ok(OpenedApproval {
            approval,
            is_new: false,
        });
    }
    let approval = ask(tx, &home, &turn, new)?;
    Ok(OpenedApproval {
        approval,
        is_new: true,
    })
}

fn turn(tx: &Tx<'_>, message: i64) -> Result<(Ending, Lane), StoreError> {
    let row = row::load(tx, message)?.filter(Ending::is_inbound);
    let lane = match row.as_ref().and_then(|row| row.lane) {
        Some(lane) => lane::by_id(tx, lane)?,
        None => None,
    };
    row.zip(lane).ok_or(StoreError::NoTurn(message))
}

/// The question that was asked about this call before, if it stands, or was denied to this very turn.
fn again(tx: &mut Tx<'_>, turn: &Ending, new: &NewApproval) -> Result<Option<Approval>, StoreError> {
    let same =
        "a.digest = ?1 AND a.channel = ?2 AND a.conversation = ?3 AND a.session_key = ?4 AND a.tool = ?5";
    let call = (
        &new.digest,
        new.channel,
        &new.conversation,
        &new.session_key,
        &new.tool,
    );
    let open = find::first(tx.conn, &format!("{same} AND a.state = 'open'"), call)?;
    if let Some(mut approval) = open {
        if tx.now < approval.expires_at {
            move_to(tx, turn, &mut approval)?;
            return Ok(Some(approval));
        }
        close::expired(tx, approval)?;
    }
    find::first(
        tx.conn,
        "a.message = ?1 AND a.digest = ?2 AND a.tool = ?3 AND a.state = 'denied' ORDER BY a.id DESC",
        (new.message, &new.digest, &new.tool),
    )
}

/// The turn that asked failed, and the next one asks the same.
fn move_to(tx: &mut Tx<'_>, turn: &Ending, approval: &mut Approval) -> Result<(), StoreError> {
    if approval.message == turn.id {
        return Ok(());
    }
    approval.message = turn.id;
    tx.run(
        "UPDATE kata_approvals SET message = ?2 WHERE id = ?1",
        (approval.id, turn.id),
    )?;
    note(tx, turn, "waits for the answer to a question", approval)
}

fn ask(
    tx: &mut Tx<'_>,
    home: &Home,
    turn: &(Ending, Lane),
    new: NewApproval,
) -> Result<Approval, StoreError> {
    let code = code::fresh(tx, home.id)?;
    let id = tx.insert(
        "INSERT INTO kata_approvals (code, workspace, channel, conversation, thread, session_key, message, tool, digest,
           input, rule, reason, requester, asked_ms, expires_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        rusqlite::params![
            code,
            home.workspace,
            home.id,
            new.conversation,
            new.thread,
            new.session_key,
            new.message,
            new.tool,
            new.digest,
            new.input.to_string(),
            new.rule,
            new.reason,
            new.requester,
            tx.now,
            new.expires_at,
        ],
    )?;
    let mut approval = Approval {
        id,
        code,
        state: ApprovalState::Open,
        workspace: home.workspace.clone(),
        channel: home.id,
        slug: home.slug.clone(),
        conversation: new.conversation,
        thread: new.thread,
        session_key: new.session_key,
        message: new.message,
        tool: new.tool,
        digest: new.digest,
        input: new.input,
        rule: new.rule,
        reason: new.reason,
        requester: new.requester,
        asked_at: tx.now,
        expires_at: new.expires_at,
        card: None,
        closed_at: None,
        reply: None,
        grant: None,
    };
    if let Some(card) = new.card {
        let card = card(&approval);
        approval.card = show(tx, &turn.1, &approval, &card)?;
    }
    note(tx, &turn.0, "asked", &approval)?;
    let by = approval.requester.clone();
    close::record(tx, &approval, AuditKind::Asked, None, Some(&by), None)?;
    Ok(approval)
}

/// Puts the card into the conversation: an outbound row of the turn's lane that is ready to send.
fn show(tx: &mut Tx<'_>, lane: &Lane, approval: &Approval, card: &Card) -> Result<Option<i64>, StoreError> {
    if card.text.is_empty() {
        return Ok(None);
    }
    let row = answer::insert(
        tx,
        &NewAnswer {
            lane,
            answers: approval.message,
            thread: approval.thread.as_deref(),
            content: &card.text,
        },
    )?;
    answer::one_part(
        tx,
        row,
        &card.text,
        &format!("approval:{}", approval.id),
        &card.choices,
    )?;
    tx.run(
        "UPDATE kata_approvals SET card = ?2 WHERE id = ?1",
        (approval.id, row),
    )?;
    answer::refresh(tx, lane.id)?;
    Ok(Some(row))
}

/// The claim stands before the question in the turn's trail.
fn note(tx: &Tx<'_>, turn: &Ending, step: &str, approval: &Approval) -> Result<(), StoreError> {
    trail::first_claim(tx, turn)?;
    let detail = format!(
        "approval {}, code {}: {}",
        approval.id, approval.code, approval.tool
    );
    tx.trail(turn.id, step, Some(&detail))
}
