//! Grants of the permissions file, and lists of grants.

use std::time::Duration;

use crate::{
    ApprovalDecision, AuditKind, FileGrant, Grant, GrantFilter, GrantSource, Retention, Ruling, Store,
    UnixMs, View,
};

use super::{
    desk::{asked, audited, counted, judged, resolve, rule, turn},
    support::{Fixture, channel},
};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

async fn sync(store: &Store, rules: &[FileGrant]) {
    store.sync_file_grants("w", rules.to_vec()).await.unwrap();
}

async fn all(store: &Store) -> Vec<Grant> {
    store.grants(GrantFilter::default(), None, 100).await.unwrap()
}

async fn live(store: &Store, at: UnixMs) -> Vec<String> {
    let filter = GrantFilter {
        workspace: Some("w".to_owned()),
        live_at: Some(at),
    };
    let grants = store.grants(filter, None, 100).await.unwrap();
    grants.into_iter().map(|grant| grant.rule).collect()
}

#[tokio::test]
async fn the_same_file_again_changes_nothing() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let rules = [
        rule("a", Some(2), None),
        rule("b", None, Some(fixture.now().plus(HOUR))),
    ];
    sync(&store, &rules).await;
    counted(&store, "a", Some(2)).await;
    let (before, rows) = (all(&store).await, audited(&store).await.len());
    sync(&store, &rules).await;
    assert_eq!(all(&store).await, before);
    assert_eq!(audited(&store).await.len(), rows);
}

#[tokio::test]
async fn a_changed_rule_is_a_new_grant_and_one_that_is_gone_ends_its_own() {
    let fixture = Fixture::new();
    let store = fixture.open();
    sync(&store, &[rule("a", Some(1), None), rule("b", Some(1), None)]).await;
    counted(&store, "a", Some(1)).await;
    sync(&store, &[rule("a", Some(3), None)]).await;
    assert_eq!(store.grant_uses("w").await.unwrap(), [("a".to_owned(), 0)]);
    assert_eq!(counted(&store, "a", Some(3)).await.decision, Ruling::Allow);
    assert_eq!(counted(&store, "b", Some(1)).await.decision, Ruling::Deny);
    let ended: Vec<String> = all(&store)
        .await
        .into_iter()
        .filter(|grant| grant.ended_at == Some(fixture.now()))
        .map(|grant| grant.rule)
        .collect();
    assert_eq!(ended, ["b", "a"]);
    let kinds: Vec<_> = audited(&store).await.into_iter().map(|(kind, _)| kind).collect();
    let ends = kinds
        .iter()
        .filter(|kind| **kind == AuditKind::GrantEnded)
        .count();
    let granted = kinds.iter().filter(|kind| **kind == AuditKind::Granted).count();
    assert_eq!((granted, ends), (3, 2));
}

#[tokio::test]
async fn taking_a_spent_or_revoked_rule_out_and_putting_it_back_does_not_make_it_whole() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let rules = [rule("revoked", Some(5), None), rule("spent", Some(1), None)];
    sync(&store, &rules).await;
    counted(&store, "spent", Some(1)).await;
    let revoked = counted(&store, "revoked", Some(5)).await.grant.unwrap();
    store.revoke_grant(revoked, "U1").await.unwrap();
    sync(&store, &[]).await;
    assert_eq!(store.grant_uses("w").await.unwrap(), []);
    sync(&store, &rules).await;
    assert_eq!(counted(&store, "spent", Some(1)).await.decision, Ruling::Deny);
    assert_eq!(counted(&store, "revoked", Some(5)).await.decision, Ruling::Deny);
}

#[tokio::test]
async fn files_of_two_workspaces_do_not_touch_each_other() {
    let fixture = Fixture::new();
    let store = fixture.open();
    sync(&store, &[rule("a", Some(1), None)]).await;
    store.sync_file_grants("v", Vec::new()).await.unwrap();
    assert_eq!(counted(&store, "a", Some(1)).await.decision, Ruling::Allow);
}

#[tokio::test]
async fn lists_tell_what_is_live_and_where_it_comes_from() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let soon = fixture.now().plus(HOUR / 2);
    sync(
        &store,
        &[rule("ends", None, Some(soon)), rule("spent", Some(1), None)],
    )
    .await;
    counted(&store, "spent", Some(1)).await;
    let turn = turn(&store, id, "C1", 1).await;
    let approval = asked(&store, id, "C1", turn, "d", fixture.now()).await;
    let grant = resolve(&store, approval.id, ApprovalDecision::AllowHour)
        .await
        .approval
        .unwrap()
        .grant;
    assert_eq!(live(&store, fixture.now()).await, ["rule", "ends"]);
    fixture.advance(HOUR / 2);
    assert_eq!(live(&store, fixture.now()).await, ["rule"]);
    fixture.advance(HOUR / 2);
    assert_eq!(live(&store, fixture.now()).await, Vec::<String>::new());
    let view = View::open_read_only(&fixture.path()).unwrap();
    let minted = view.grants(&GrantFilter::default(), None, 1).unwrap().remove(0);
    assert_eq!((Some(minted.id), minted.approval), (grant, Some(approval.id)));
    assert_eq!((minted.source, minted.uses), (GrantSource::Approval, None));
    assert_eq!(
        (minted.slug.as_deref(), minted.minted_by.as_str()),
        (Some("s"), "U2")
    );
    assert_eq!(minted.until, Some(fixture.now()));
    assert!(
        !store.revoke_grant(minted.id, "U1").await.unwrap(),
        "it is over already"
    );
    let older = store
        .grants(GrantFilter::default(), Some(minted.id), 100)
        .await
        .unwrap();
    assert_eq!(older.len(), 2);
}

#[tokio::test]
async fn dead_grants_and_closed_questions_go_after_their_time_but_a_rule_that_stands_keeps_its_count() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    sync(
        &store,
        &[rule("stands", Some(1), None), rule("goes", Some(1), None)],
    )
    .await;
    counted(&store, "stands", Some(1)).await;
    sync(&store, &[rule("stands", Some(1), None)]).await;
    let turn = turn(&store, id, "C1", 1).await;
    let closed = asked(&store, id, "C1", turn, "d", fixture.now()).await;
    let open = asked(&store, id, "C1", turn, "e", fixture.now()).await;
    resolve(&store, closed.id, ApprovalDecision::AllowOnce).await;
    judged(&store, id, "C1", turn, "d").await;
    let retention = Retention {
        processed: DAY * 30,
        failed: DAY * 90,
        tombstones: DAY * 180,
        audit: DAY * 365,
    };
    let rows = audited(&store).await.len();
    fixture.advance(DAY * 90);
    store.sweep(&retention).await.unwrap();
    assert_eq!(all(&store).await.len(), 3);
    assert!(store.approval(closed.id).await.unwrap().is_some());
    fixture.advance(HOUR + Duration::from_millis(1));
    store.sweep(&retention).await.unwrap();
    let left: Vec<String> = all(&store).await.into_iter().map(|grant| grant.rule).collect();
    assert_eq!(left, ["stands"]);
    assert!(store.approval(closed.id).await.unwrap().is_none());
    assert!(store.approval(open.id).await.unwrap().is_some());
    assert_eq!(
        audited(&store).await.len(),
        rows,
        "what was decided is known for longer"
    );
    assert_eq!(counted(&store, "stands", Some(1)).await.decision, Ruling::Deny);
}
