//! Files of our own earlier schema, and the 0.7 daemon on a file of the present one.

use rusqlite::Connection;

use crate::{ApprovalDecision, Ruling};

use super::{
    desk::{asked, judged, out, question, resolve, sent, turn},
    support::{Fixture, channel},
};

/// A file as it was before there was a gate: schema 2, with a turn that runs and an answer that waits to be sent.
fn before_the_gate(fixture: &Fixture) {
    let conn = fixture.raw();
    conn.pragma_update(None, "journal_mode", "WAL").unwrap();
    conn.execute_batch(include_str!("../migrations/0001_kata_0_7.sql"))
        .unwrap();
    conn.execute_batch("CREATE TABLE kata_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
        .unwrap();
    conn.execute_batch(include_str!("../migrations/0002_queue.sql"))
        .unwrap();
    conn.execute_batch(
        r#"INSERT INTO kata_meta VALUES ('schema', '2');
           INSERT INTO kata_channels (id, workspace, slug, first_configured_ms, unended) VALUES (1, 'w', 's', 1, 1);
           INSERT INTO messages (id, direction, channel_id, status, payload, lane, channel, conversation, platform_id,
             order_key, session_key, sent_ms)
             VALUES (1, 'inbound', 's', 'pending', '{"content":"text 1","metadata":{}}', 1, 1, 'C1', '1', 1, 's:w:C1:r0', 0);
           INSERT INTO messages (id, direction, channel_id, status, payload, lane, channel, conversation, sent_ms, answers)
             VALUES (2, 'outbound', 's', 'pending', '{"channelId":"C1","content":"hello"}', 1, 1, 'C1', 0, 1);
           INSERT INTO kata_parts (answer, n, of, text, key) VALUES (2, 1, 1, 'hello', 'k');
           INSERT INTO kata_lanes (id, channel, name, conversation, thread_key, seen_ms, state, head, head_order, out_state,
             out_head) VALUES (1, 1, 'C1/', 'C1', 'C1', 0, 'ready', 1, 1, 'ready', 2);"#,
    )
    .unwrap();
}

fn schema(fixture: &Fixture) -> Vec<String> {
    let conn = fixture.raw();
    let mut statement = conn
        .prepare("SELECT replace(sql, 'IF NOT EXISTS ', '') FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
        .unwrap();
    statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

#[tokio::test]
async fn a_file_from_before_the_gate_goes_on_where_it_stopped_and_can_ask() {
    let (fixture, fresh) = (Fixture::new(), Fixture::new());
    before_the_gate(&fixture);
    let store = fixture.open();
    let id = channel(&store).await;
    let part = out(&store, id).await.unwrap();
    assert_eq!((part.text.as_str(), part.choices.len()), ("hello", 0));
    sent(&store, &part, "P1").await;
    let turn = super::support::claim(&store, id).await.unwrap().id;
    assert!(
        super::desk::open(&store, question(id, "C1", turn, "d", fixture.now()))
            .await
            .is_new
    );
    store.close().await.unwrap();
    fresh.open().close().await.unwrap();
    // Where the table came from a later ALTER the text of its statement tells, and nothing else does.
    let written = |schema: Vec<String>| -> Vec<String> {
        let squeeze = |sql: String| sql.split_whitespace().collect::<String>();
        schema.into_iter().map(squeeze).collect()
    };
    assert_eq!(written(schema(&fixture)), written(schema(&fresh)));
}

/// What the 0.7 daemon does with its tables, from the facts of its schema: it puts a message in, takes one, answers, and
/// takes back what it had open when it started.
fn seven_at_work(conn: &Connection) {
    conn.execute_batch(
        r#"UPDATE messages SET status = 'pending' WHERE status = 'processing';
           INSERT INTO messages (direction, channel_id, payload) VALUES ('inbound', 's', '{"id":"7","content":"x","metadata":{}}');
           UPDATE messages SET status = 'processing' WHERE id = last_insert_rowid();
           UPDATE messages SET status = 'processed', processed_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
             WHERE id = (SELECT MAX(id) FROM messages);
           INSERT INTO messages (direction, channel_id, payload) VALUES ('outbound', 's', '{"channelId":"C1","content":"y"}');
           UPDATE messages SET status = 'failed', error = 'e', retry_count = retry_count + 1
             WHERE id = (SELECT MAX(id) FROM messages);
           DELETE FROM messages WHERE status = 'failed';"#,
    )
    .unwrap();
}

#[tokio::test]
async fn the_earlier_daemon_works_on_a_file_with_questions_and_grants_and_they_are_there_afterwards() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = turn(&store, id, "C1", 1).await;
    let answered = asked(&store, id, "C1", turn, "d", fixture.now()).await;
    let open = asked(&store, id, "C1", turn, "e", fixture.now()).await;
    resolve(&store, answered.id, ApprovalDecision::AllowOnce).await;
    store.close().await.unwrap();
    seven_at_work(&fixture.raw());
    let store = fixture.open();
    assert_eq!(store.approval(open.id).await.unwrap(), Some(open));
    assert_eq!(judged(&store, id, "C1", turn, "d").await.decision, Ruling::Allow);
}

#[tokio::test]
async fn a_question_of_a_database_that_was_set_aside_is_never_taken_for_a_new_one() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let first = turn(&store, id, "C1", 1).await;
    let old = asked(&store, id, "C1", first, "d", fixture.now()).await;
    store.close().await.unwrap();
    std::fs::write(fixture.path(), b"no database at all".repeat(1_000)).unwrap();
    let opened = fixture.opened();
    assert!(opened.set_aside.is_some());
    let store = opened.store;
    let id = channel(&store).await;
    let second = turn(&store, id, "C1", 1).await;
    let new = asked(&store, id, "C1", second, "other arguments", fixture.now()).await;
    assert!(new.id > old.id + 1_000_000);
    let late = resolve(&store, old.id, ApprovalDecision::AllowHour).await;
    assert_eq!(late.what, crate::AnsweredWhat::Unknown);
}
