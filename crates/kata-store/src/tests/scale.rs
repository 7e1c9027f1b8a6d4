//! What an operation costs does not grow with what is stored.

use rusqlite::Connection;

use crate::{
    Admit, Answer, Arrival, Claim, OutClaim, OutWork, Record, Settle, StoreError, UnixMs, admit, attempt,
    channel, claim, outbox, reset,
    room::Disk,
    settle, turn_end,
    tx::{Memo, Tx, Wake},
};

use super::{
    effort,
    support::{Fixture, START, message},
};

/// A database with so many waiting rows, some in one lane and some in a lane each, and as many processed ones.
fn filled(fixture: &Fixture, rows: i64) -> Connection {
    drop(fixture.open());
    let conn = fixture.raw();
    conn.pragma_update(None, "foreign_keys", true).unwrap();
    conn.execute_batch(&format!(
        "BEGIN;
         INSERT INTO kata_channels (id, workspace, slug, first_configured_ms, unended) VALUES (1, 'w', 's', 1, {rows});
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows} / 2)
         INSERT INTO kata_lanes (id, channel, name, conversation, thread_key, seen_ms, state, head, head_order)
           SELECT i, 1, 'C' || i || '/', 'C' || i, 'C' || i, 0, 'ready', i, i FROM n;
         INSERT INTO kata_sessions (channel, key, lane, generation, started_ms, last_ms)
           SELECT 1, 's:w:C' || id || ':r0', id, 0, 0, 0 FROM kata_lanes;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
         INSERT INTO messages (id, direction, channel_id, status, payload, lane, channel, conversation, platform_id,
             order_key, session_key, sent_ms)
           SELECT i, 'inbound', 's', 'pending', '{{\"content\":\"x\",\"metadata\":{{}}}}', MIN(i, {rows} / 2), 1,
             'C' || MIN(i, {rows} / 2), 'p' || i, i, 'k', 0 FROM n;
         WITH RECURSIVE n(i) AS (SELECT {rows} + 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2 * {rows})
         INSERT INTO messages (id, direction, channel_id, status, payload, lane, channel, conversation, platform_id, outcome)
           SELECT i, 'inbound', 's', 'processed', '{{}}', 1, 1, 'C1', 'p' || i, 'done' FROM n;
         COMMIT;"
    ))
    .unwrap();
    conn
}

/// Runs an operation as the writer would; its result and what it cost.
pub(super) fn run<T>(
    fixture: &Fixture,
    conn: &Connection,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError>,
) -> (T, i64) {
    let disk = Disk::new(fixture.path(), 0);
    let (mut wake, mut memo) = (Wake::default(), Memo::default());
    effort::take();
    let result = work(&mut Tx {
        conn,
        options: &fixture.options,
        disk: &disk,
        now: UnixMs(START),
        wake: &mut wake,
        memo: &mut memo,
    })
    .unwrap();
    (result, effort::take())
}

/// The steps of each operation in a message's life, on a database of that size.
fn costs(rows: i64) -> Vec<(&'static str, i64)> {
    let fixture = Fixture::new();
    let conn = filled(&fixture, rows);
    let id = crate::ChannelId(1);
    let mut costs = Vec::new();
    let arrivals = |place: &str, n| vec![Arrival::Turn(message(place, n))];
    let full_lane = format!("C{}", rows / 2);
    for (name, place) in [
        ("admit", "C1"),
        ("admit to a new lane", "new"),
        ("admit to a full lane", full_lane.as_str()),
    ] {
        let admit = Admit {
            channel: id,
            arrivals: arrivals(place, 9_000_000 + rows),
            cursor: None,
        };
        costs.push((name, run(&fixture, &conn, |tx| admit::admit(tx, admit)).1));
    }
    let (claimed, cost) = run(&fixture, &conn, |tx| claim::claim(tx, &[(id, 1).into()]));
    costs.push(("claim", cost));
    let Claim::Turn(turn) = claimed else {
        panic!("nothing to claim")
    };
    costs.push((
        "fail",
        run(&fixture, &conn, |tx| {
            attempt::fail(tx, turn.id, &super::support::failure("no"))
        })
        .1,
    ));
    // The full lane: its head is the newest of all lanes, so it is claimed by its own row.
    conn.execute(
        "UPDATE kata_lanes SET head_order = -1 WHERE conversation = ?1",
        [&full_lane],
    )
    .unwrap();
    let (claimed, cost) = run(&fixture, &conn, |tx| claim::claim(tx, &[(id, 1).into()]));
    costs.push(("claim in a full lane", cost));
    let Claim::Turn(turn) = claimed else {
        panic!("nothing to claim")
    };
    assert_eq!(turn.conversation, full_lane);
    let answer = Some(Answer {
        content: "a".to_owned(),
        parts: Some(vec!["a".to_owned()]),
    });
    costs.push((
        "finish in a full lane",
        run(&fixture, &conn, |tx| {
            turn_end::finish(tx, turn.id, answer, &Record::default())
        })
        .1,
    ));
    let (work, cost) = run(&fixture, &conn, |tx| outbox::claim(tx, &[id]));
    costs.push(("claim_out", cost));
    let OutClaim::Work(OutWork::Send(part)) = work else {
        panic!("nothing to send")
    };
    let sent = Settle::Sent { platform_id: None };
    costs.push((
        "settle",
        run(&fixture, &conn, |tx| settle::settle(tx, part.id, sent)).1,
    ));
    costs.push((
        "channel",
        run(&fixture, &conn, |tx| channel::configure(tx, "w", "s")).1,
    ));
    let reset = |tx: &mut Tx<'_>| reset::reset_session(tx, "w", "s:w:C1:r0");
    let (done, cost) = run(&fixture, &conn, reset);
    assert!(done.is_some());
    costs.push(("reset", cost));
    costs.push(("recover", run(&fixture, &conn, attempt::recover).1));
    costs.push(("recover out", run(&fixture, &conn, settle::recover).1));
    costs
}

/// A message's plain way, in through a lane that is known and out as one part.
fn plain_way(fixture: &Fixture, conn: &Connection) {
    let id = crate::ChannelId(1);
    let (claimed, _) = run(fixture, conn, |tx| claim::claim(tx, &[(id, 1).into()]));
    let Claim::Turn(turn) = claimed else {
        panic!("nothing to claim")
    };
    let answer = Some(Answer {
        content: "a".to_owned(),
        parts: Some(vec!["a".to_owned()]),
    });
    run(fixture, conn, |tx| {
        turn_end::finish(tx, turn.id, answer, &Record::default())
    });
    let (work, _) = run(fixture, conn, |tx| outbox::claim(tx, &[id]));
    let OutClaim::Work(OutWork::Send(part)) = work else {
        panic!("nothing to send")
    };
    let sent = Settle::Sent { platform_id: None };
    assert!(
        run(fixture, conn, |tx| settle::settle(tx, part.id, sent))
            .0
            .answer_done
    );
}

#[test]
fn the_plain_way_of_a_message_is_few_statements_none_prepared_twice_and_leaves_no_trail() {
    let fixture = Fixture::new();
    let conn = filled(&fixture, 100);
    conn.set_prepared_statement_cache_capacity(128);
    effort::take_statements();
    for _ in 0..5 {
        plain_way(&fixture, &conn);
        let (statements, again) = effort::take_statements();
        assert!(statements <= 31, "{statements} statements");
        assert_eq!(again, 0, "statements were prepared anew");
    }
    let told: i64 = conn
        .query_row("SELECT COUNT(*) FROM kata_trail", [], |row| row.get(0))
        .unwrap();
    assert_eq!(told, 0);
}

#[test]
fn no_step_of_a_messages_life_costs_more_in_a_large_database() {
    // Forty times the rows: a scan would show, a deeper tree would not, since a seek is one step of the machine.
    let (small, large) = (costs(500), costs(20_000));
    for ((name, small), (_, large)) in small.iter().zip(&large) {
        assert!(
            *large <= small + 50,
            "{name}: {small} steps among 1,000 rows, {large} among 40,000"
        );
    }
}
