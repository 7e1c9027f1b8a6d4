//! Verdicts: what stands after grants and counts, and what is kept of them.

use std::time::Duration;

use crate::{ApprovalDecision, AuditFilter, AuditKind, ChannelId, Judge, Ruling, Store};

use super::{
    desk::{asked, audited, call, counted, judged, resolve, rule, session, turn},
    support::{Fixture, channel},
};

const HOUR: Duration = Duration::from_secs(3600);

/// A store with a running turn in `C1` to which the call `d` was allowed.
async fn allowed(fixture: &Fixture, decision: ApprovalDecision) -> (Store, ChannelId, i64) {
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = turn(&store, id, "C1", 1).await;
    let approval = asked(&store, id, "C1", turn, "d", fixture.now()).await;
    resolve(&store, approval.id, decision).await;
    (store, id, turn)
}

async fn decides(store: &Store, judge: Judge) -> Ruling {
    store.judge(judge).await.unwrap().decision
}

#[tokio::test]
async fn a_question_without_a_grant_stays_one_and_every_verdict_is_a_row() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    for (decision, n) in [(Ruling::Allow, 1), (Ruling::Deny, 2), (Ruling::Ask, 3)] {
        let judged = store.judge(call(id, "C1", 7, "d", decision)).await.unwrap();
        assert_eq!(
            (judged.decision, judged.rule.as_str(), judged.reason.as_str()),
            (decision, "rule", "because")
        );
        assert_eq!((judged.grant, judged.audit), (None, n));
    }
    let rows = store.audit(AuditFilter::default(), None, 10).await.unwrap();
    let row = &rows[0];
    assert_eq!(rows.len(), 3);
    assert_eq!((row.kind, row.at), (AuditKind::Verdict, fixture.now()));
    assert_eq!(row.workspace.as_deref(), Some("w"));
    assert_eq!(row.slug.as_deref(), Some("s"));
    assert_eq!(row.conversation.as_deref(), Some("C1"));
    assert_eq!(row.session_key, Some(session("C1")));
    assert_eq!(row.message, Some(7));
    assert_eq!(row.tool.as_deref(), Some("rm"));
    assert_eq!(row.digest.as_deref(), Some("d"));
    assert_eq!(row.decision.as_deref(), Some("ask"));
    assert_eq!(row.role.as_deref(), Some("owner"));
    assert_eq!(row.origin, Some(serde_json::json!({"sender": "U1"})));
}

#[tokio::test]
async fn once_is_once_also_across_a_restart() {
    let fixture = Fixture::new();
    let (store, id, turn) = allowed(&fixture, ApprovalDecision::AllowOnce).await;
    store.close().await.unwrap();
    let store = fixture.open();
    let first = judged(&store, id, "C1", turn, "d").await;
    assert_eq!(first.decision, Ruling::Allow);
    assert_eq!(first.rule, format!("grant:{}", first.grant.unwrap()));
    assert_eq!(first.reason, "rm was approved by U2.");
    assert_eq!(judged(&store, id, "C1", turn, "d").await.decision, Ruling::Ask);
    let verdicts: Vec<_> = audited(&store)
        .await
        .into_iter()
        .filter(|(kind, _)| *kind == AuditKind::Verdict)
        .filter_map(|(_, decision)| decision)
        .collect();
    assert_eq!(verdicts, ["allow", "ask"]);
}

#[tokio::test]
async fn an_hour_is_any_number_of_times_until_its_last_millisecond() {
    let fixture = Fixture::new();
    let (store, id, turn) = allowed(&fixture, ApprovalDecision::AllowHour).await;
    assert_eq!(judged(&store, id, "C1", turn, "d").await.decision, Ruling::Allow);
    fixture.advance(HOUR - Duration::from_millis(1));
    assert_eq!(judged(&store, id, "C1", turn, "d").await.decision, Ruling::Allow);
    fixture.advance(Duration::from_millis(1));
    assert_eq!(judged(&store, id, "C1", turn, "d").await.decision, Ruling::Ask);
}

#[tokio::test]
async fn a_grant_for_once_ends_after_an_hour_too() {
    let fixture = Fixture::new();
    let (store, id, turn) = allowed(&fixture, ApprovalDecision::AllowOnce).await;
    fixture.advance(HOUR);
    assert_eq!(judged(&store, id, "C1", turn, "d").await.decision, Ruling::Ask);
}

#[tokio::test]
async fn a_grant_covers_this_tool_with_these_arguments_in_this_conversation_alone() {
    let fixture = Fixture::new();
    let (store, id, turn) = allowed(&fixture, ApprovalDecision::AllowHour).await;
    let other = store.channel("w", "other").await.unwrap().id;
    let call = || call(id, "C1", turn, "d", Ruling::Ask);
    let with = |change: &dyn Fn(&mut Judge)| {
        let mut judge = call();
        change(&mut judge);
        judge
    };
    for (what, judge) in [
        ("tool", with(&|judge| judge.tool = "mv".to_owned())),
        ("arguments", with(&|judge| judge.digest = "e".to_owned())),
        (
            "conversation",
            with(&|judge| judge.scope.conversation = Some("C2".to_owned())),
        ),
        ("no conversation", with(&|judge| judge.scope.conversation = None)),
        ("channel", with(&|judge| judge.scope.channel = Some(other))),
        ("no channel", with(&|judge| judge.scope.channel = None)),
        ("workspace", with(&|judge| judge.scope.workspace = "v".to_owned())),
    ] {
        assert_eq!(decides(&store, judge).await, Ruling::Ask, "{what}");
    }
    assert_eq!(decides(&store, call()).await, Ruling::Allow);
}

#[tokio::test]
async fn once_is_the_sessions_that_asked_and_an_hour_is_the_conversations() {
    for (decision, elsewhere) in [
        (ApprovalDecision::AllowOnce, Ruling::Ask),
        (ApprovalDecision::AllowHour, Ruling::Allow),
    ] {
        let fixture = Fixture::new();
        let (store, id, turn) = allowed(&fixture, decision).await;
        let mut other = call(id, "C1", turn, "d", Ruling::Ask);
        other.scope.session_key = Some("another thread".to_owned());
        assert_eq!(decides(&store, other).await, elsewhere, "{decision:?}");
        assert_eq!(judged(&store, id, "C1", turn, "d").await.decision, Ruling::Allow);
    }
}

#[tokio::test]
async fn a_denial_beats_a_grant_and_takes_no_use_of_it() {
    let fixture = Fixture::new();
    let (store, id, turn) = allowed(&fixture, ApprovalDecision::AllowOnce).await;
    let denied = call(id, "C1", turn, "d", Ruling::Deny);
    assert_eq!(decides(&store, denied).await, Ruling::Deny);
    assert_eq!(judged(&store, id, "C1", turn, "d").await.decision, Ruling::Allow);
}

#[tokio::test]
async fn a_revoked_grant_lets_nothing_through() {
    let fixture = Fixture::new();
    let (store, id, turn) = allowed(&fixture, ApprovalDecision::AllowHour).await;
    let grant = judged(&store, id, "C1", turn, "d").await.grant.unwrap();
    assert!(store.revoke_grant(grant, "U1").await.unwrap());
    assert!(!store.revoke_grant(grant, "U1").await.unwrap());
    assert_eq!(judged(&store, id, "C1", turn, "d").await.decision, Ruling::Ask);
    let revoked = store
        .audit(AuditFilter::default(), None, 2)
        .await
        .unwrap()
        .remove(1);
    assert_eq!((revoked.kind, revoked.grant), (AuditKind::Revoked, Some(grant)));
    assert_eq!(revoked.by.as_deref(), Some("U1"));
}

#[tokio::test]
async fn a_rule_of_the_file_is_used_as_often_as_it_says() {
    let fixture = Fixture::new();
    let store = fixture.open();
    store
        .sync_file_grants("w", vec![rule("two", Some(2), None)])
        .await
        .unwrap();
    for used in 1..=2 {
        let judged = counted(&store, "two", Some(2)).await;
        assert_eq!((judged.decision, judged.rule.as_str()), (Ruling::Allow, "rule"));
        assert_eq!(store.grant_uses("w").await.unwrap(), [("two".to_owned(), used)]);
    }
    let spent = counted(&store, "two", Some(2)).await;
    assert_eq!(spent.decision, Ruling::Deny);
    assert_eq!(spent.reason, "The rule two that allows rm has no use left.");
    let row = store
        .audit(AuditFilter::default(), None, 1)
        .await
        .unwrap()
        .remove(0);
    assert_eq!((row.decision.as_deref(), row.grant), (Some("deny"), spent.grant));
    assert_eq!(store.grant_uses("w").await.unwrap(), [("two".to_owned(), 2)]);
    assert_eq!(store.grant_uses("v").await.unwrap(), []);
}

#[tokio::test]
async fn a_rule_that_ended_was_revoked_or_is_unknown_denies_and_says_so() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let soon = fixture.now().plus(HOUR);
    let rules = vec![rule("ends", None, Some(soon)), rule("revoked", Some(9), None)];
    store.sync_file_grants("w", rules).await.unwrap();
    assert_eq!(counted(&store, "ends", None).await.decision, Ruling::Allow);
    let grant = counted(&store, "revoked", Some(9)).await.grant.unwrap();
    store.revoke_grant(grant, "U1").await.unwrap();
    fixture.advance(HOUR);
    for (name, limit, why) in [
        ("ends", None, "has ended"),
        ("revoked", Some(9), "was revoked"),
        ("unknown", Some(9), "is not in force any more"),
    ] {
        let judged = counted(&store, name, limit).await;
        assert_eq!(judged.decision, Ruling::Deny);
        assert_eq!(judged.reason, format!("The rule {name} that allows rm {why}."));
    }
    let uses = store.grant_uses("w").await.unwrap();
    assert_eq!(uses, [("ends".to_owned(), 1), ("revoked".to_owned(), 9)]);
}

#[tokio::test]
async fn the_smaller_of_two_limits_counts() {
    let fixture = Fixture::new();
    let store = fixture.open();
    store
        .sync_file_grants("w", vec![rule("r", Some(5), None)])
        .await
        .unwrap();
    assert_eq!(counted(&store, "r", Some(1)).await.decision, Ruling::Allow);
    assert_eq!(counted(&store, "r", Some(1)).await.decision, Ruling::Deny);
    assert_eq!(counted(&store, "r", Some(2)).await.decision, Ruling::Allow);
}
