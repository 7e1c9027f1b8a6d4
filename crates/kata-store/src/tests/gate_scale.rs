//! No step of the gate costs more in a large database.

use rusqlite::Connection;

use crate::{ApprovalDecision, ChannelId, Retention, Ruling, UnixMs, approval, grant, judge, sweep};

use super::{
    desk::{call, effect, question, reply, rule},
    scale::run,
    support::{Fixture, START},
};

/// A running turn, and that many questions that were answered, grants of theirs, and rows of the audit.
fn filled(fixture: &Fixture, rows: i64) -> Connection {
    fixture.open();
    let conn = fixture.raw();
    conn.execute_batch(&format!(
        r#"BEGIN;
         INSERT INTO kata_channels (id, workspace, slug, first_configured_ms) VALUES (1, 'w', 's', 1);
         INSERT INTO kata_lanes (id, channel, name, conversation, thread_key, seen_ms, state, turn)
           VALUES (1, 1, 'C1/', 'C1', 'C1', 0, 'busy', 1);
         INSERT INTO messages (id, direction, channel_id, status, payload, lane, channel, conversation, platform_id, order_key,
             session_key, sent_ms, claimed_ms, turn)
           VALUES (1, 'inbound', 's', 'processing', '{{"content":"x","metadata":{{}}}}', 1, 1, 'C1', 'p', 1, 's:w:C1:r0', 0, 0, 1);
         CREATE TEMP TABLE n (i INTEGER);
         WITH RECURSIVE up(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM up WHERE i < {rows}) INSERT INTO n SELECT i FROM up;
         INSERT INTO kata_approvals (code, state, workspace, channel, conversation, session_key, message, tool, digest, input,
             rule, reason, requester, asked_ms, expires_ms, closed_ms)
           SELECT 'x' || i, 'allowed_once', 'w', 1, 'C1', 's:w:C1:r0', 1 + i, 'rm', 'd' || i, 'null', 'r', 'r', 'u', {START},
             {START}, {START} FROM n;
         INSERT INTO kata_grants (source, workspace, channel, conversation, session_key, tool, digest, rule, uses, used,
             until_ms, minted_ms, minted_by, over_ms)
           SELECT 'approval', 'w', 1, 'C1', NULL, 'rm', 'd' || i, 'r', 1, 1, {START} + 1, {START}, 'u', {START} + 1 FROM n;
         INSERT INTO kata_audit (v, id, at_ms, kind, prev, hash) SELECT 1, i, {START}, 'verdict', 'p', 'h' FROM n;
         COMMIT;"#
    ))
    .unwrap();
    conn
}

/// The steps of each operation of the gate, on a database of that size.
fn costs(rows: i64) -> Vec<(&'static str, i64)> {
    let fixture = Fixture::new();
    let conn = filled(&fixture, rows);
    let id = ChannelId(1);
    let now = UnixMs(START);
    let mut costs = Vec::new();
    let rules = vec![rule("r", Some(9), None)];
    costs.push(("sync", run(&fixture, &conn, |tx| grant::sync(tx, "w", rules)).1));
    let ask = || call(id, "C1", 1, "new", Ruling::Ask);
    costs.push(("judge", run(&fixture, &conn, |tx| judge::judge(tx, ask())).1));
    let new = || question(id, "C1", 1, "new", now);
    let (opened, cost) = run(&fixture, &conn, |tx| approval::open(tx, new()));
    costs.push(("ask", cost));
    costs.push((
        "ask again",
        run(&fixture, &conn, |tx| approval::open(tx, new())).1,
    ));
    let code = opened.approval.code;
    let yes = effect(&code, ApprovalDecision::AllowOnce);
    let ((heard, _), cost) = run(&fixture, &conn, |tx| approval::consume(tx, id, "C1", yes));
    assert_eq!(heard.what, crate::AnsweredWhat::Taken);
    costs.push(("answer", cost));
    let again = reply(ApprovalDecision::Deny);
    let answer = |tx: &mut crate::tx::Tx<'_>| approval::resolve(tx, opened.approval.id, again);
    costs.push(("answer again", run(&fixture, &conn, answer).1));
    let (judged, cost) = run(&fixture, &conn, |tx| judge::judge(tx, ask()));
    assert_eq!(judged.decision, Ruling::Allow);
    costs.push(("judge with a grant", cost));
    costs.push(("expire", run(&fixture, &conn, approval::expire).1));
    costs.push(("withdraw", run(&fixture, &conn, |tx| approval::withdraw(tx, 1)).1));
    let grant = judged.grant.unwrap();
    costs.push((
        "revoke",
        run(&fixture, &conn, |tx| grant::revoke(tx, grant, "u")).1,
    ));
    let kept = Retention {
        processed: std::time::Duration::MAX,
        failed: std::time::Duration::MAX,
        tombstones: std::time::Duration::MAX,
        audit: std::time::Duration::MAX,
    };
    costs.push(("sweep", run(&fixture, &conn, |tx| sweep::sweep(tx, &kept)).1));
    costs
}

#[test]
fn no_step_of_the_gate_costs_more_in_a_large_database() {
    for ((name, small), (_, large)) in costs(100).iter().zip(&costs(10_000)) {
        assert!(
            *large <= small + 60,
            "{name}: {small} steps among 100 rows, {large} among 10,000"
        );
    }
}

#[test]
fn a_verdict_is_few_statements_none_prepared_twice() {
    let fixture = Fixture::new();
    let conn = filled(&fixture, 100);
    conn.set_prepared_statement_cache_capacity(128);
    let verdict = || call(ChannelId(1), "C1", 1, "new", Ruling::Ask);
    for round in 0..3 {
        super::effort::take_statements();
        run(&fixture, &conn, |tx| judge::judge(tx, verdict()));
        let (statements, again) = super::effort::take_statements();
        assert!(statements <= 3, "{statements} statements");
        assert_eq!(again, 0, "round {round}: statements were prepared anew");
    }
}
