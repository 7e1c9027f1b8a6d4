//! Views of what the gate keeps: questions, grants, the audit, and the tools that there are.

use kata_channel::Timestamp;
use kata_ipc::{
    command::Query,
    event::view::{
        ApprovalState, ApprovalView, AuditKind, AuditView, GrantSource, GrantState, GrantView, Page,
        PairingView, ToolView,
    },
};
use kata_perm::preview;
use kata_store::{Approval, ApprovalFilter, AuditFilter, AuditRow, Grant, GrantFilter, UnixMs};

use super::{channel, id_cursor, iso, limit};
use crate::{commands::Refused, daemon::Daemon, pairing, tools, wire};

/// The most of a question's arguments in a list of them; one that is asked for by its id is told as it was asked. Bytes.
const LISTED: usize = 8 << 10;

/// `query` `approvals`: those that wait; with `approvalId` that one, also when it is closed.
pub(super) async fn approvals(daemon: &Daemon, query: &Query) -> Result<Page<ApprovalView>, Refused> {
    if let Some(id) = query.approval_id {
        let found = daemon.store.approval(id).await?;
        return Ok(whole(found.into_iter().map(approval).collect()));
    }
    let filter = ApprovalFilter {
        workspace: query.workspace_id.clone(),
        channel: channel(daemon, query).await?,
        session_key: query.session_key.clone(),
        message: query.message_id,
        state: Some(kata_store::ApprovalState::Open),
        ..ApprovalFilter::default()
    };
    let limit = limit(query);
    let listed = daemon.store.approvals(filter, id_cursor(query)?, limit).await?;
    let next = next(&listed, limit, |a| a.id);
    Ok(Page {
        items: listed
            .into_iter()
            .map(|a| {
                let input = preview::bounded(&a.input, LISTED);
                approval(Approval { input, ..a })
            })
            .collect(),
        next_cursor: next,
    })
}

/// `query` `grants`: those in force.
pub(super) async fn grants(daemon: &Daemon, query: &Query) -> Result<Page<GrantView>, Refused> {
    let now = now(daemon);
    let filter = GrantFilter {
        workspace: query.workspace_id.clone(),
        live_at: Some(now),
    };
    let limit = limit(query);
    let listed = daemon.store.grants(filter, id_cursor(query)?, limit).await?;
    let next = next(&listed, limit, |g| g.id);
    Ok(Page {
        items: listed.into_iter().map(|g| grant(g, now)).collect(),
        next_cursor: next,
    })
}

/// `query` `pairings`: who was let in, and who has a code.
pub(super) async fn pairings(daemon: &Daemon, query: &Query) -> Result<Page<PairingView>, Refused> {
    let limit = limit(query);
    let listed = daemon.store.pairings(false, id_cursor(query)?, limit).await?;
    let next = next(&listed, limit, |p| p.id);
    let wanted = |p: &kata_store::Pairing| {
        query.workspace_id.as_ref().is_none_or(|w| *w == p.workspace)
            && query.slug.as_ref().is_none_or(|slug| *slug == p.slug)
    };
    let now = daemon.clock.wall();
    Ok(Page {
        items: listed
            .into_iter()
            .filter(wanted)
            .map(|p| pairing::shown(p, now))
            .collect(),
        next_cursor: next,
    })
}

/// All grants in force, for the command line.
pub(crate) async fn live_grants(daemon: &Daemon) -> Result<Vec<GrantView>, String> {
    let now = now(daemon);
    let filter = GrantFilter {
        live_at: Some(now),
        ..GrantFilter::default()
    };
    let listed = daemon.store.grants(filter, None, super::LARGEST as usize).await;
    let listed = listed.map_err(|error| error.to_string())?;
    Ok(listed.into_iter().map(|g| grant(g, now)).collect())
}

/// `query` `audit`, the newest row first.
pub(super) async fn audit(daemon: &Daemon, query: &Query) -> Result<Page<AuditView>, Refused> {
    let filter = AuditFilter {
        workspace: query.workspace_id.clone(),
        session_key: query.session_key.clone(),
        message: query.message_id,
        ..AuditFilter::default()
    };
    let limit = limit(query);
    let listed = daemon.store.audit(filter, id_cursor(query)?, limit).await?;
    let next = next(&listed, limit, |row| row.id);
    Ok(Page {
        items: listed.into_iter().map(row).collect(),
        next_cursor: next,
    })
}

/// `query` `tools`: those of a workspace, or of this build.
pub(super) fn all_tools(daemon: &Daemon, query: &Query) -> Page<ToolView> {
    whole(match &query.workspace_id {
        Some(workspace) => tools::of_workspace(daemon, workspace).collect(),
        None => daemon.registrar().tools().map(wire::tool).collect(),
    })
}

/// A view that is never long.
pub(super) fn whole<T>(items: Vec<T>) -> Page<T> {
    Page {
        items,
        next_cursor: None,
    }
}

fn next<T>(listed: &[T], limit: usize, id: impl Fn(&T) -> i64) -> Option<String> {
    listed
        .last()
        .filter(|_| listed.len() == limit)
        .map(|last| id(last).to_string())
}

fn now(daemon: &Daemon) -> UnixMs {
    UnixMs(daemon.clock.wall().as_millis())
}

fn approval(a: Approval) -> ApprovalView {
    ApprovalView {
        approval_id: a.id,
        state: wire::approval_outcome(&a).map_or(ApprovalState::Open, wire::approval_state),
        code: a.code,
        workspace_id: a.workspace,
        channel_id: Some(a.slug),
        session_key: a.session_key,
        message_id: Some(a.message),
        tool: a.tool,
        input: a.input,
        rule: a.rule,
        reason: a.reason,
        requester: a.requester,
        requested_at: iso(a.asked_at),
        expires_at: iso(a.expires_at),
        resolved_at: a.closed_at.map(iso),
        by: a.reply.as_ref().map(|reply| reply.by.clone()),
        answer: a.reply.and_then(|reply| reply.reason),
    }
}

/// A grant as it is told, with its state at this moment.
pub(crate) fn grant(g: Grant, now: UnixMs) -> GrantView {
    let is_from_file = g.source == kata_store::GrantSource::File;
    let state = if g.revoked_at.is_some() || g.ended_at.is_some_and(|at| at <= now) {
        GrantState::Revoked
    } else if g.uses.is_some_and(|uses| g.used >= uses) {
        GrantState::Spent
    } else if g.until.is_some_and(|at| at <= now) {
        GrantState::Expired
    } else {
        GrantState::Live
    };
    GrantView {
        grant_id: g.id,
        source: if is_from_file {
            GrantSource::File
        } else {
            GrantSource::Approval
        },
        state,
        workspace_id: g.workspace,
        channel_id: g.slug,
        conversation: g.conversation,
        session_key: g.session_key,
        tool: g.tool,
        digest: g.digest,
        rule: is_from_file.then_some(g.rule),
        approval_id: g.approval,
        uses: g.uses,
        used: g.used,
        created_at: iso(g.minted_at),
        expires_at: g.until.map(iso),
        revoked_at: g.revoked_at.or(g.ended_at).map(iso),
    }
}

fn row(row: AuditRow) -> AuditView {
    AuditView {
        audit_id: row.id,
        at: Timestamp::from_millis(row.at.0).to_iso(),
        kind: kind(row.kind),
        workspace_id: row.workspace,
        channel_id: row.slug,
        session_key: row.session_key,
        message_id: row.message,
        tool: row.tool,
        digest: row.digest,
        decision: row.decision,
        rule: row.rule,
        reason: row.reason,
        role: row.role,
        by: row.by,
        grant_id: row.grant,
        approval_id: row.approval,
        origin: row.origin,
        hash: row.hash,
    }
}

fn kind(kind: kata_store::AuditKind) -> AuditKind {
    use kata_store::AuditKind as Stored;
    match kind {
        Stored::Verdict => AuditKind::Verdict,
        Stored::Asked => AuditKind::Asked,
        Stored::Answered => AuditKind::Answered,
        Stored::AnswerRefused => AuditKind::AnswerRefused,
        Stored::Expired => AuditKind::Expired,
        Stored::Withdrawn => AuditKind::Withdrawn,
        Stored::Granted => AuditKind::Granted,
        Stored::GrantEnded => AuditKind::GrantEnded,
        Stored::Revoked => AuditKind::Revoked,
        Stored::Paired => AuditKind::Paired,
        Stored::Unpaired => AuditKind::Unpaired,
        Stored::HeadDisputed => AuditKind::HeadDisputed,
    }
}
