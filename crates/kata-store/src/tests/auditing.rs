//! The chain: what was tampered with is found, and its head in a file tells of rows that are gone.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::Connection;

use crate::{
    AuditFilter, AuditKind, AuditReport, Break, Broken, ChannelId, HeadStanding, Retention, Ruling, Store,
    View,
};

use super::{
    desk::{audited, call},
    support::{Fixture, START},
};

const DAY: Duration = Duration::from_secs(24 * 3600);
const RETENTION: Retention = Retention {
    processed: DAY,
    failed: DAY,
    tombstones: DAY,
    audit: DAY,
};

/// A database with a head file beside it.
fn fixture() -> (Fixture, PathBuf) {
    let mut fixture = Fixture::new();
    let head = fixture.path().with_file_name("daemon.audit");
    fixture.options.audit_head = Some(head.clone());
    (fixture, head)
}

async fn judge(store: &Store, digests: std::ops::Range<u32>) {
    for n in digests {
        let call = call(ChannelId(1), "C1", 1, &n.to_string(), Ruling::Deny);
        store.judge(call).await.unwrap();
    }
}

/// A closed database with that many rows in its audit.
async fn written(rows: u32) -> (Fixture, PathBuf) {
    let (fixture, head) = fixture();
    let store = fixture.open();
    judge(&store, 0..rows).await;
    store.close().await.unwrap();
    (fixture, head)
}

fn verify(fixture: &Fixture, head: &Path) -> AuditReport {
    View::open_read_only(&fixture.path())
        .unwrap()
        .verify_audit(head)
        .unwrap()
}

fn broken(row: i64, how: Break) -> Option<Broken> {
    Some(Broken { row, how })
}

/// Moves what two rows say into each other's places.
fn swap(conn: &Connection, a: i64, b: i64) {
    conn.execute_batch(&format!(
        "UPDATE kata_audit SET id = -1 WHERE id = {a}; UPDATE kata_audit SET id = {a} WHERE id = {b};
         UPDATE kata_audit SET id = {b} WHERE id = -1;"
    ))
    .unwrap();
}

#[tokio::test]
async fn a_chain_that_nobody_touched_holds_and_ends_at_its_head() {
    let (fixture, head) = written(5).await;
    let report = AuditReport {
        rows: 5,
        starts_after: 0,
        last: Some(5),
        broken: None,
        disputes: 0,
        head: HeadStanding::Same,
    };
    assert_eq!(verify(&fixture, &head), report);
    let store = fixture.open();
    assert_eq!(verify(&fixture, &head), report, "beside a daemon, too");
    judge(&store, 5..6).await;
    assert_eq!(verify(&fixture, &head).rows, 6);
    assert_eq!(verify(&fixture, &head).head, HeadStanding::Same);
    let mode = fs::metadata(&head).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
}

#[tokio::test]
async fn a_row_is_hashed_in_a_form_that_does_not_change() {
    let (fixture, head) = written(2).await;
    let store = fixture.open();
    let rows = store.audit(AuditFilter::default(), None, 9).await.unwrap();
    assert_eq!(rows[1].prev, "0".repeat(64));
    assert_eq!(rows[0].prev, rows[1].hash);
    // Another form needs another number in the column `v`: the rows of older daemons must still be checked.
    assert_eq!(
        rows[1].hash,
        "7a09ec857da1047e753255932f35aca58507300aa338e9b693ff295f75f65785"
    );
    let line = fs::read_to_string(head).unwrap();
    assert_eq!(
        line,
        format!("katad-audit 1 2 {} 2023-11-14T22:13:20.000Z\n", rows[0].hash)
    );
    assert_eq!(START, 1_700_000_000_000);
}

#[tokio::test]
async fn tampering_is_found_at_the_first_row_that_does_not_fit() {
    for (what, tamper, expected) in [
        ("an update", "UPDATE kata_audit SET decision = 'allow' WHERE id = 3", broken(3, Break::Changed)),
        ("a later time", "UPDATE kata_audit SET at_ms = at_ms + 1 WHERE id = 2", broken(2, Break::Changed)),
        ("another kind of value", "UPDATE kata_audit SET message = '1' || '' || 'x' WHERE id = 2", broken(2, Break::Changed)),
        (
            "text moved into the next column",
            "UPDATE kata_audit SET tool = tool || digest, digest = '' WHERE id = 4",
            broken(4, Break::Changed),
        ),
        ("an empty text for none", "UPDATE kata_audit SET taint = '' WHERE id = 1", broken(1, Break::Changed)),
        ("another version", "UPDATE kata_audit SET v = 2 WHERE id = 5", broken(5, Break::Changed)),
        ("a new hash", "UPDATE kata_audit SET hash = prev WHERE id = 3", broken(3, Break::Changed)),
        ("a row taken out", "DELETE FROM kata_audit WHERE id = 3", broken(4, Break::Unlinked)),
        (
            "a row taken out and the rest moved up",
            "DELETE FROM kata_audit WHERE id = 3; UPDATE kata_audit SET id = id - 1 WHERE id > 3",
            broken(3, Break::Unlinked),
        ),
        ("the first row taken out", "DELETE FROM kata_audit WHERE id = 1", broken(2, Break::Unlinked)),
        (
            "a row put in",
            "UPDATE kata_audit SET id = id + 100 WHERE id > 2; UPDATE kata_audit SET id = id - 99 WHERE id > 100;
             INSERT INTO kata_audit SELECT v, 3, at_ms, kind, workspace, slug, conversation, session_key, message, tool,
               digest, decision, rule, reason, role, by_whom, grant_id, approval_id, origin, taint, hash, hash
             FROM kata_audit WHERE id = 2",
            broken(3, Break::Changed),
        ),
    ] {
        let (fixture, head) = written(6).await;
        fixture.raw().execute_batch(tamper).unwrap();
        assert_eq!(verify(&fixture, &head).broken, expected, "{what}");
    }
    let (fixture, head) = written(6).await;
    swap(&fixture.raw(), 2, 5);
    assert_eq!(verify(&fixture, &head).broken, broken(2, Break::Unlinked));
}

#[tokio::test]
async fn rows_cut_off_the_end_are_missed_by_the_head_alone() {
    let (fixture, head) = written(6).await;
    fixture
        .raw()
        .execute("DELETE FROM kata_audit WHERE id > 4", [])
        .unwrap();
    let report = verify(&fixture, &head);
    assert_eq!((report.broken, report.last), (None, Some(4)));
    assert_eq!(report.head, HeadStanding::Ahead { rows: 2 });
    fixture.raw().execute("DELETE FROM kata_audit", []).unwrap();
    assert_eq!(verify(&fixture, &head).head, HeadStanding::Ahead { rows: 6 });
}

#[tokio::test]
async fn a_head_that_is_behind_elsewhere_missing_or_garbage_is_named() {
    let (fixture, head) = written(3).await;
    let old = fs::read_to_string(&head).unwrap();
    let store = fixture.open();
    judge(&store, 3..5).await;
    store.close().await.unwrap();
    fs::write(&head, &old).unwrap();
    assert_eq!(verify(&fixture, &head).head, HeadStanding::Behind { rows: 2 });
    fs::write(&head, old.replace(" 3 ", " 2 ")).unwrap();
    assert_eq!(verify(&fixture, &head).head, HeadStanding::Other { row: 2 });
    fs::write(&head, "all is well\n").unwrap();
    assert!(matches!(
        verify(&fixture, &head).head,
        HeadStanding::Unreadable { .. }
    ));
    fs::remove_file(&head).unwrap();
    assert_eq!(verify(&fixture, &head).head, HeadStanding::Missing);
}

#[tokio::test]
async fn a_chain_made_anew_is_another_one_than_the_head_names() {
    let (fixture, head) = written(3).await;
    let (forged, _) = fixture_with(Ruling::Allow).await;
    let conn = fixture.raw();
    conn.execute("DELETE FROM kata_audit", []).unwrap();
    conn.execute("ATTACH ?1 AS forged", [forged.path().to_str().unwrap()])
        .unwrap();
    conn.execute("INSERT INTO kata_audit SELECT * FROM forged.kata_audit", [])
        .unwrap();
    let report = verify(&fixture, &head);
    assert_eq!((report.rows, report.broken), (3, None));
    assert_eq!(report.head, HeadStanding::Other { row: 3 });
}

async fn fixture_with(decision: Ruling) -> (Fixture, Store) {
    let fixture = Fixture::new();
    let store = fixture.open();
    for n in 0..3_u32 {
        let call = call(ChannelId(1), "C1", 1, &n.to_string(), decision);
        store.judge(call).await.unwrap();
    }
    store.checkpoint().await.unwrap();
    (fixture, store)
}

#[tokio::test]
async fn the_next_start_notes_a_cut_in_the_chain_and_keeps_the_head_that_tells_of_it() {
    let (fixture, head) = written(6).await;
    let line = fs::read_to_string(&head).unwrap();
    fixture
        .raw()
        .execute("DELETE FROM kata_audit WHERE id > 4", [])
        .unwrap();
    let store = fixture.open();
    judge(&store, 6..8).await;
    let report = verify(&fixture, &head);
    assert_eq!((report.rows, report.broken), (7, None));
    assert_eq!((report.disputes, report.head), (1, HeadStanding::Same));
    let rows = store.audit(AuditFilter::default(), None, 9).await.unwrap();
    let dispute = rows
        .iter()
        .find(|row| row.kind == AuditKind::HeadDisputed)
        .unwrap();
    assert_eq!(dispute.id, 5);
    assert_eq!(
        dispute.reason.as_deref(),
        Some("the chain ends 2 rows before the head")
    );
    let aside = head.with_file_name("daemon.audit.disputed-20231114T221320000Z");
    assert_eq!(fs::read_to_string(aside).unwrap(), line);
}

#[tokio::test]
async fn a_start_disputes_a_missing_or_foreign_head_but_neither_a_late_nor_a_first_one() {
    let (fixture, head) = fixture();
    let kinds = |store: Store| async move {
        audited(&store)
            .await
            .into_iter()
            .map(|(kind, _)| kind)
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds(fixture.open()).await, []);
    assert_eq!(
        verify(&fixture, &head).head,
        HeadStanding::Same,
        "also of no rows"
    );
    let first = fs::read_to_string(&head).unwrap();
    let store = fixture.open();
    judge(&store, 0..1).await;
    drop(store);
    fs::write(&head, first).unwrap();
    assert_eq!(
        kinds(fixture.open()).await,
        [AuditKind::Verdict],
        "as after a crash before the head"
    );
    assert_eq!(verify(&fixture, &head).head, HeadStanding::Same);
    fs::remove_file(&head).unwrap();
    assert_eq!(
        kinds(fixture.open()).await,
        [AuditKind::Verdict, AuditKind::HeadDisputed]
    );
    fs::write(&head, "katad-audit 1 1 00 2023-11-14T22:13:20.000Z\n").unwrap();
    assert_eq!(kinds(fixture.open()).await.len(), 3);
    fs::write(&head, "").unwrap();
    assert_eq!(kinds(fixture.open()).await.len(), 4);
    assert_eq!(verify(&fixture, &head).disputes, 3);
}

#[tokio::test]
async fn a_new_database_after_a_damaged_one_does_not_go_by_the_old_head() {
    let (fixture, head) = written(3).await;
    fs::write(fixture.path(), b"no database at all".repeat(1_000)).unwrap();
    let opened = fixture.opened();
    assert!(opened.set_aside.is_some());
    let report = verify(&fixture, &head);
    assert_eq!(
        (report.rows, report.disputes, report.head),
        (1, 1, HeadStanding::Same)
    );
}

#[tokio::test]
async fn a_head_that_cannot_be_written_fails_no_verdict_and_is_written_when_it_can_be() {
    let (mut fixture, _) = fixture();
    let folder = fixture.path().with_file_name("later");
    let head = folder.join("daemon.audit");
    fixture.options.audit_head = Some(head.clone());
    let store = fixture.open();
    judge(&store, 0..2).await;
    assert_eq!(verify(&fixture, &head).head, HeadStanding::Missing);
    fs::create_dir(&folder).unwrap();
    judge(&store, 2..3).await;
    assert_eq!(verify(&fixture, &head).head, HeadStanding::Same);
}

#[tokio::test]
async fn retention_moves_the_start_and_the_rest_holds() {
    let (fixture, head) = written(250).await;
    fixture.advance(DAY + Duration::from_millis(1));
    let store = fixture.open();
    judge(&store, 250..252).await;
    assert!(store.sweep(&RETENTION).await.unwrap().more, "small steps");
    let report = verify(&fixture, &head);
    assert_eq!((report.starts_after, report.rows), (200, 52));
    assert_eq!((report.broken, report.head), (None, HeadStanding::Same));
    assert!(!store.sweep(&RETENTION).await.unwrap().more);
    assert_eq!(verify(&fixture, &head).starts_after, 250);
    fixture.advance(DAY * 2);
    store.sweep(&RETENTION).await.unwrap();
    let report = verify(&fixture, &head);
    assert_eq!((report.rows, report.last, report.starts_after), (0, None, 252));
    assert_eq!(report.head, HeadStanding::Same);
    store.close().await.unwrap();
    let store = fixture.open();
    judge(&store, 252..253).await;
    let report = verify(&fixture, &head);
    assert_eq!((report.rows, report.last, report.broken), (1, Some(253), None));
    assert_eq!((report.disputes, report.head), (0, HeadStanding::Same));
}

#[tokio::test]
async fn more_taken_off_the_front_than_retention_says_is_found() {
    let (fixture, head) = written(6).await;
    let store = fixture.open();
    fixture.advance(DAY * 2);
    store.sweep(&RETENTION).await.unwrap();
    judge(&store, 6..9).await;
    store.close().await.unwrap();
    fixture
        .raw()
        .execute("DELETE FROM kata_audit WHERE id = 7", [])
        .unwrap();
    assert_eq!(verify(&fixture, &head).broken, broken(8, Break::Unlinked));
}

#[tokio::test]
async fn the_audit_is_read_page_by_page_and_by_what_is_sought() {
    let (fixture, _) = written(3).await;
    let store = fixture.open();
    let mut other = call(ChannelId(1), "C1", 8, "x", Ruling::Ask);
    other.tool = "mv".to_owned();
    other.scope.workspace = "v".to_owned();
    other.scope.session_key = Some("k".to_owned());
    store.judge(other).await.unwrap();
    let ids = |filter: AuditFilter, before, limit| {
        let view = View::open_read_only(&fixture.path()).unwrap();
        let rows = view.audit(&filter, before, limit).unwrap();
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(AuditFilter::default(), None, 2), [4, 3]);
    assert_eq!(ids(AuditFilter::default(), Some(3), 2), [2, 1]);
    let text = |text: &str| Some(text.to_owned());
    for filter in [
        AuditFilter {
            workspace: text("v"),
            ..Default::default()
        },
        AuditFilter {
            session_key: text("k"),
            ..Default::default()
        },
        AuditFilter {
            message: Some(8),
            ..Default::default()
        },
        AuditFilter {
            tool: text("mv"),
            ..Default::default()
        },
        AuditFilter {
            decision: text("ask"),
            ..Default::default()
        },
    ] {
        assert_eq!(ids(filter.clone(), None, 9), [4], "{filter:?}");
    }
    let kind = Some(AuditKind::Verdict);
    assert_eq!(
        ids(
            AuditFilter {
                kind,
                ..Default::default()
            },
            None,
            9
        )
        .len(),
        4
    );
}
