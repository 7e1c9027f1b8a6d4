//! What the tests of the gate share: turns that ask, and people who answer.

use serde_json::json;

use crate::{
    Answered, Approval, ApprovalDecision, ApprovalEffect, AuditFilter, AuditKind, Card, ChannelId, Counted,
    Effect, FileGrant, Judge, Judged, NewApproval, OpenedApproval, OutClaim, OutWork, Outcome, Part, Reply,
    Ruling, Scope, Settle, Store, UnixMs, Via,
};

use super::support::{claim, command, message, push, row};

/// How long a question stands in these tests, in ms.
pub(super) const STANDS: i64 = 600_000;

/// A turn of conversation `place` that runs.
pub(super) async fn turn(store: &Store, channel: ChannelId, place: &str, n: i64) -> i64 {
    let turn = row(&push(store, channel, message(place, n)).await);
    assert_eq!(claim(store, channel).await.unwrap().id, turn);
    turn
}

pub(super) fn session(place: &str) -> String {
    format!("s:w:{place}:r0")
}

/// A call of `rm` with the arguments `digest`, about which the rules say `decision`.
pub(super) fn call(channel: ChannelId, place: &str, turn: i64, digest: &str, decision: Ruling) -> Judge {
    Judge {
        scope: Scope {
            workspace: "w".to_owned(),
            channel: Some(channel),
            conversation: Some(place.to_owned()),
            session_key: Some(session(place)),
            message: Some(turn),
        },
        tool: "rm".to_owned(),
        digest: digest.to_owned(),
        decision,
        rule: "rule".to_owned(),
        reason: "because".to_owned(),
        role: "owner".to_owned(),
        origin: Some(json!({"sender": "U1"})),
        counted: None,
    }
}

/// What becomes of that call, where the rules say that somebody is to be asked.
pub(super) async fn judged(
    store: &Store,
    channel: ChannelId,
    place: &str,
    turn: i64,
    digest: &str,
) -> Judged {
    store
        .judge(call(channel, place, turn, digest, Ruling::Ask))
        .await
        .unwrap()
}

/// What becomes of a call that the rule `rule` of the file allows.
pub(super) async fn counted(store: &Store, rule: &str, limit: Option<u64>) -> Judged {
    let scope = Scope {
        workspace: "w".to_owned(),
        channel: None,
        conversation: None,
        session_key: None,
        message: None,
    };
    store
        .judge(Judge {
            scope,
            counted: Some(Counted {
                rule: rule.to_owned(),
                limit,
            }),
            ..call(ChannelId(0), "", 0, "d", Ruling::Allow)
        })
        .await
        .unwrap()
}

pub(super) fn rule(name: &str, uses: Option<u64>, until: Option<UnixMs>) -> FileGrant {
    FileGrant {
        rule: name.to_owned(),
        fingerprint: format!("{name} {uses:?} {until:?}"),
        tools: "rm".to_owned(),
        uses,
        until,
    }
}

/// A question about the call `digest`, with a card of two buttons.
pub(super) fn question(channel: ChannelId, place: &str, turn: i64, digest: &str, now: UnixMs) -> NewApproval {
    NewApproval {
        channel,
        conversation: place.to_owned(),
        thread: None,
        session_key: session(place),
        message: turn,
        tool: "rm".to_owned(),
        digest: digest.to_owned(),
        input: json!({"path": "x"}),
        rule: "rule".to_owned(),
        reason: "because".to_owned(),
        requester: "U1".to_owned(),
        expires_at: UnixMs(now.0 + STANDS),
        card: Some(Box::new(|approval| Card {
            text: format!("yes {} or no {}?", approval.code, approval.code),
            choices: vec![
                json!({"says": format!("yes {}", approval.code)}),
                json!({"says": "no"}),
            ],
        })),
    }
}

pub(super) async fn open(store: &Store, new: NewApproval) -> OpenedApproval {
    store.open_approval(new).await.unwrap()
}

/// A question that was asked just now.
pub(super) async fn asked(
    store: &Store,
    channel: ChannelId,
    place: &str,
    turn: i64,
    digest: &str,
    now: UnixMs,
) -> Approval {
    let opened = open(store, question(channel, place, turn, digest, now)).await;
    assert!(opened.is_new);
    opened.approval
}

pub(super) fn reply(decision: ApprovalDecision) -> Reply {
    Reply {
        decision,
        by: "U2".to_owned(),
        via: Via::Host,
        reason: None,
    }
}

pub(super) async fn resolve(store: &Store, id: i64, decision: ApprovalDecision) -> Answered {
    store.resolve_approval(id, reply(decision)).await.unwrap()
}

/// What somebody says in the conversation, with the answer's own row.
pub(super) async fn said(
    store: &Store,
    channel: ChannelId,
    place: &str,
    n: i64,
    effect: ApprovalEffect,
) -> (Outcome, Option<Answered>) {
    let outcome = command(store, channel, message(place, n), Effect::Approval(effect)).await;
    let answered = match &outcome {
        Outcome::Consumed { answered, .. } => answered.as_deref().cloned(),
        _ => None,
    };
    (outcome, answered)
}

pub(super) fn effect(code: &str, decision: ApprovalDecision) -> ApprovalEffect {
    ApprovalEffect {
        code: code.to_owned(),
        decision,
        may_answer: true,
        by: "U2".to_owned(),
        reply: Box::new(|answered| format!("{:?}", answered.what)),
    }
}

/// The next part to send, if there is one.
pub(super) async fn out(store: &Store, channel: ChannelId) -> Option<Part> {
    match store.claim_out(vec![channel]).await.unwrap() {
        OutClaim::Work(OutWork::Send(part)) => Some(part),
        OutClaim::Nothing { .. } => None,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn sent(store: &Store, part: &Part, platform_id: &str) {
    let platform_id = Some(platform_id.to_owned());
    store.settle(part.id, Settle::Sent { platform_id }).await.unwrap();
}

/// The kinds of the audit's rows, the oldest first, each with its decision.
pub(super) async fn audited(store: &Store) -> Vec<(AuditKind, Option<String>)> {
    let mut rows = store.audit(AuditFilter::default(), None, 1_000).await.unwrap();
    rows.reverse();
    rows.into_iter().map(|row| (row.kind, row.decision)).collect()
}
