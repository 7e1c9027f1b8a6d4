//! Ten thousand armed tasks cost no more than ten.

use rusqlite::Connection;

use crate::{FireEnd, Fired, NextRun, Skipped, claim, task};

use super::{
    effort,
    planner::{action, agent, slot, turn},
    scale::run,
    support::{Fixture, START},
};

/// So many armed tasks that are due in turn, the first one long before the others, with as many past runs and as many
/// other sessions' tasks.
fn filled(fixture: &Fixture, tasks: i64) -> Connection {
    drop(fixture.open());
    let conn = fixture.raw();
    conn.execute_batch(&format!(
        "BEGIN;
         CREATE TEMP TABLE n (i INTEGER);
         WITH RECURSIVE up(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM up WHERE i < {tasks}) INSERT INTO n SELECT i FROM up;
         INSERT INTO scheduled_tasks (id, workspace_id, type, schedule, action, next_run_at)
           SELECT i, 'w', 'interval', '1', '{{}}', CASE i WHEN 1 THEN '2023-11-14T22:13:20.000Z' ELSE
             strftime('%Y-%m-%dT%H:%M:%fZ', 1800000000 + i, 'unixepoch') END FROM n;
         INSERT INTO kata_tasks (task, creator_channel, creator_session, role, created_ms)
           SELECT i, 1, 'k' || i, 'member', {START} FROM n;
         INSERT INTO kata_fires (task, slot_ms, state, claimed_ms, ended_ms) SELECT i, 1, 'done', {START}, {START} FROM n;
         COMMIT;"
    ))
    .unwrap();
    conn
}

fn costs(tasks: i64) -> Vec<(&'static str, i64)> {
    let fixture = Fixture::new();
    let conn = filled(&fixture, tasks);
    let mut costs = Vec::new();
    let mut note = |name, cost| costs.push((name, cost));
    note("next due", run(&fixture, &conn, |tx| task::next_due(tx.conn)).1);
    let (due, cost) = run(&fixture, &conn, |tx| task::due(tx.conn, slot(0), 100));
    assert_eq!(due.len(), 1);
    note("due", cost);
    let (fired, cost) = run(&fixture, &conn, |tx| task::fire(tx, &turn(1, 0, "key")));
    assert!(matches!(fired, Fired::Taken { .. }));
    note("fire a turn", cost);
    note("claim", run(&fixture, &conn, |tx| claim::claim_task(tx, &[])).1);
    let (fired, cost) = run(&fixture, &conn, |tx| task::fire(tx, &action(2, 0)));
    let Fired::Taken { fire, .. } = fired else {
        panic!("not taken")
    };
    note("fire an action", cost);
    note(
        "overlap",
        run(&fixture, &conn, |tx| task::fire(tx, &action(2, 1))).1,
    );
    note(
        "end",
        run(&fixture, &conn, |tx| task::end(tx, fire, &FireEnd::Done)).1,
    );
    let missed = Skipped {
        task: 3,
        slot: slot(0),
        slots: 2,
        reason: String::new(),
        next_run: NextRun::At(slot(9)),
    };
    note("skip", run(&fixture, &conn, |tx| task::skip(tx, &missed)).1);
    let new = crate::NewTask {
        creator: agent("k1"),
        ..super::planner::task()
    };
    note("create", run(&fixture, &conn, |tx| task::create(tx, &new)).1);
    note("recover", run(&fixture, &conn, task::recover).1);
    note("cancel", run(&fixture, &conn, |tx| task::cancel(tx, 4)).1);
    costs
}

#[test]
fn no_step_costs_more_with_ten_thousand_tasks() {
    for ((name, few), (_, many)) in costs(10).into_iter().zip(costs(10_000)) {
        assert!(few > 0, "{name} is not measured");
        // One step more or less where a search in an index ends at its edge.
        assert!(
            many <= few + 8,
            "{name}: {few} steps with ten, {many} with ten thousand"
        );
    }
}

#[test]
fn looking_when_the_next_task_is_due_is_one_statement() {
    let fixture = Fixture::new();
    let conn = filled(&fixture, 10_000);
    effort::take_statements();
    run(&fixture, &conn, |tx| task::next_due(tx.conn));
    assert_eq!(effort::take_statements(), (1, 0));
}
