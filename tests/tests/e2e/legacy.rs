//! The database of the 0.7 daemon, opened in place.
#![expect(clippy::unwrap_used, reason = "a helper of tests may panic like a test")]

use std::path::Path;

use kata_testkit::{SLUG, Stage, WORKSPACE, host::Policy, slack::Via};
use rusqlite::{Connection, params};
use serde_json::json;

/// Long ago, in the format of 0.7.
const LONG_AGO: &str = "2026-01-02T03:04:05.678Z";
/// The session that 0.7 gave this channel's only conversation.
const SESSION: &str = "daemon-support-46e6fb0791c6";

/// A row of `messages`, as 0.7 wrote it.
fn insert(db: &Connection, direction: &str, status: &str, content: &str) -> i64 {
    let ts = format!("1767323045.{:06}", count(db));
    let payload = if direction == "inbound" {
        json!({
            "id": ts, "channelId": SLUG, "source": "slack",
            "timestamp": 1_767_323_045_678.5, "content": content,
            "metadata": {"sessionKey": SESSION, "workspaceId": WORKSPACE, "slackChannel": "C1", "team": "T0KATA0001"},
        })
    } else {
        json!({"channelId": "C1", "content": content})
    };
    db.execute(
        "INSERT INTO messages (direction, channel_id, status, payload, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![direction, SLUG, status, payload.to_string(), LONG_AGO],
    )
    .unwrap();
    db.last_insert_rowid()
}

/// A database that a 0.7 daemon left behind when it was killed.
fn old_db(path: &Path, cursor: &str) -> Connection {
    let db = Connection::open(path).unwrap();
    db.execute_batch(include_str!("../../fixtures/kata-0.7/schema.sql"))
        .unwrap();
    insert(&db, "inbound", "processed", "answered long ago");
    insert(&db, "outbound", "processed", "the answer");
    insert(&db, "inbound", "processing", "interrupted");
    insert(&db, "inbound", "pending", "waiting");
    insert(&db, "outbound", "failed", "given up");
    insert(&db, "outbound", "pending", "nobody knows");
    db.execute(
        "INSERT INTO polling_state (adapter_id, channel_source_id, last_timestamp) VALUES (?1, 'C1', ?2)",
        params![SLUG, cursor],
    )
    .unwrap();
    db
}

fn count(db: &Connection) -> i64 {
    db.query_row("SELECT count(*) FROM messages", [], |row| row.get(0))
        .unwrap()
}

#[tokio::test]
async fn pending_work_goes_on_and_what_came_meanwhile_is_caught_up() {
    let stage = Stage::set().await;
    let seen = stage.slack.post_silently("C1", "U1", "seen by 0.7");
    stage.slack.post_silently("C1", "U1", "missed by 0.7");
    let before = count(&old_db(&stage.home.database(), &seen));
    let host = stage.play().await;
    stage.slack.wait_text("missed by 0.7").await;
    let turns: Vec<(String, String)> = host
        .turns()
        .into_iter()
        .map(|t| (t.content, t.session_key))
        .collect();
    let wanted =
        ["interrupted", "waiting", "missed by 0.7"].map(|text| (text.to_owned(), SESSION.to_owned()));
    assert_eq!(turns, wanted);
    // Leftovers of a crash are never sent blindly, and what was given up stays so.
    assert_eq!(stage.said(), ["interrupted", "waiting", "missed by 0.7"]);
    assert!(
        stage
            .slack
            .posted()
            .iter()
            .all(|p| p.via == Via::PostMessage && p.channel == "C1")
    );
    host.stop().await;
    assert!(count(&Connection::open(stage.home.database()).unwrap()) >= before);
}

#[tokio::test]
async fn the_old_daemon_may_go_on_with_our_file_and_we_with_its_rows() {
    let stage = Stage::set().await;
    let host = stage.play().await;
    stage.slack.user_posts("C1", "U1", "hello");
    stage.slack.wait_text("hello").await;
    host.stop().await;
    let db = Connection::open(stage.home.database()).unwrap();
    // What 0.7 does when it starts, and what it reads.
    db.execute_batch("UPDATE messages SET status = 'pending' WHERE status = 'processing'")
        .unwrap();
    let payloads: Vec<String> = db
        .prepare("SELECT payload FROM messages WHERE direction = 'inbound'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for payload in payloads {
        let payload: serde_json::Value = serde_json::from_str(&payload).unwrap();
        assert_eq!(payload["metadata"]["workspaceId"], WORKSPACE);
        assert_eq!(payload["metadata"]["slackChannel"], "C1");
    }
    insert(&db, "inbound", "pending", "written by 0.7");
    drop(db);
    let host = stage.play().await;
    host.wait_turn("written by 0.7").await;
    stage.slack.wait_text("written by 0.7").await;
}

#[tokio::test]
async fn a_row_that_appears_while_we_run_is_found_at_the_next_configuration() {
    let stage = Stage::set().await;
    let host = stage.up(stage.start().policy(Policy::echo())).await;
    insert(
        &Connection::open(stage.home.database()).unwrap(),
        "inbound",
        "pending",
        "slipped in",
    );
    host.configure(Stage::config(&["C1"]));
    stage.slack.wait_text("slipped in").await;
}
