//! Files of the Kata 0.7 daemon, and that daemon's statements on files of ours. The statements are written from the
//! facts of its schema.

use rusqlite::{Connection, params};

use crate::{Answer, Finished, OutClaim, OutWork, Outcome, Retried, Settle, Store};

use super::support::{Fixture, channel, claim, message, push, row};

const SCHEMA: &str = include_str!("../migrations/0001_kata_0_7.sql");

fn old_file(fixture: &Fixture) -> Connection {
    let conn = fixture.raw();
    conn.pragma_update(None, "journal_mode", "WAL").unwrap();
    conn.execute_batch(SCHEMA).unwrap();
    conn
}

/// An inbound payload as 0.7 writes it.
fn payload(id: &str, place: &str) -> String {
    serde_json::json!({
        "id": id, "channelId": "s", "source": "slack", "timestamp": 1_700_000_000_000.5, "content": format!("old {id}"),
        "metadata": {"sessionKey": "daemon-s-0123456789ab", "workspaceId": "w", "slackChannel": place},
        "replyTo": {"threadId": id, "messageId": id},
    })
    .to_string()
}

fn enqueue(conn: &Connection, id: &str, place: &str, status: &str) -> i64 {
    conn.execute(
        "INSERT INTO messages (direction, channel_id, status, payload) VALUES ('inbound', 's', ?1, ?2)",
        params![status, payload(id, place)],
    )
    .unwrap();
    conn.last_insert_rowid()
}

fn enqueue_out(conn: &Connection, text: &str, status: &str, created_at: &str) -> i64 {
    conn.execute(
        "INSERT INTO messages (direction, channel_id, status, payload, created_at) VALUES ('outbound', 's', ?1, ?2, ?3)",
        params![status, serde_json::json!({"channelId": "C1", "content": text}).to_string(), created_at],
    )
    .unwrap();
    conn.last_insert_rowid()
}

fn status(conn: &Connection, id: i64) -> String {
    conn.query_row("SELECT status FROM messages WHERE id = ?1", [id], |row| {
        row.get(0)
    })
    .unwrap()
}

async fn drain(store: &Store, id: crate::ChannelId) -> Vec<String> {
    let mut seen = Vec::new();
    while let Some(turn) = claim(store, id).await {
        seen.push(turn.rows[0].content.clone());
        store.finish(turn.id, None).await.unwrap();
    }
    seen
}

#[tokio::test]
async fn pending_work_goes_on_before_newer_messages_and_every_row_is_kept() {
    let fixture = Fixture::new();
    let conn = old_file(&fixture);
    enqueue(&conn, "1.1", "C1", "processed");
    let running = enqueue(&conn, "1.2", "C1", "processing");
    enqueue(&conn, "1.3", "C1", "pending");
    enqueue(&conn, "1.4", "C2", "failed");
    conn.execute(
        "INSERT INTO polling_state (adapter_id, channel_source_id, last_timestamp) VALUES ('s', 'C1', '1.3')",
        [],
    )
    .unwrap();
    drop(conn);
    let store = fixture.open();
    let id = channel(&store).await;
    assert_eq!(
        store.cursor(id, "C1", None).await.unwrap().as_deref(),
        Some("1.3")
    );
    push(&store, id, message("C1", 5)).await;
    let turn = claim(&store, id).await.unwrap();
    assert_eq!(
        (turn.id, turn.session_key.as_str()),
        (running, "daemon-s-0123456789ab")
    );
    assert_eq!(
        (turn.conversation.as_str(), turn.thread, turn.rows[0].sent_at.0),
        ("C1", None, 1_700_000_000_000)
    );
    assert_eq!(turn.rows[0].metadata["slackChannel"], "C1");
    store.finish(turn.id, None).await.unwrap();
    assert_eq!(drain(&store, id).await, ["old 1.3", "text 5"]);
    let rows: i64 = fixture
        .raw()
        .query_row("SELECT COUNT(*) FROM messages", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 5);
}

#[tokio::test]
async fn a_message_that_came_to_both_daemons_is_one_turn() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    push(&store, id, message("C1", 7)).await;
    let conn = fixture.raw();
    let twin = enqueue(&conn, "7", "C1", "pending");
    let adopted = store.adopt(500).await.unwrap();
    assert_eq!((adopted.rows, adopted.more), (1, false));
    assert_eq!(status(&conn, twin), "processed");
    assert_eq!(drain(&store, id).await, ["text 7"]);
    let other = enqueue(&conn, "8", "C1", "pending");
    store.adopt(500).await.unwrap();
    assert_eq!(push(&store, id, message("C1", 8)).await, Outcome::Known);
    assert_eq!(claim(&store, id).await.unwrap().id, other);
}

#[tokio::test]
async fn nothing_overtakes_a_row_that_is_not_adopted_yet() {
    let fixture = Fixture::new();
    let conn = old_file(&fixture);
    for n in 0..1_200 {
        enqueue(&conn, &format!("1.{n}"), "C9", "pending");
    }
    drop(conn);
    let store = fixture.open();
    let id = channel(&store).await;
    push(&store, id, message("C1", 1)).await;
    let seen = drain(&store, id).await;
    assert_eq!(seen.len(), 1_201);
    assert_eq!(seen[1_200], "text 1");
    assert!(
        seen[..1_200]
            .iter()
            .enumerate()
            .all(|(n, text)| *text == format!("old 1.{n}"))
    );
}

#[tokio::test]
async fn an_answer_that_the_host_owes_the_earlier_daemon_is_taken() {
    let fixture = Fixture::new();
    let conn = old_file(&fixture);
    let open = enqueue(&conn, "1.1", "C1", "processing");
    let failed = enqueue(&conn, "1.2", "C1", "failed");
    let done = enqueue(&conn, "1.3", "C1", "processed");
    let store = fixture.open();
    channel(&store).await;
    let answer = || {
        Some(Answer {
            content: "late".to_owned(),
            parts: None,
        })
    };
    for id in [open, failed] {
        assert!(matches!(
            store.finish(id, answer()).await.unwrap(),
            Finished::Done { answer: Some(_), .. }
        ));
    }
    assert_eq!(store.finish(done, answer()).await.unwrap(), Finished::Already);
}

#[tokio::test]
async fn a_failed_message_of_the_earlier_daemon_can_be_brought_back() {
    let fixture = Fixture::new();
    let conn = old_file(&fixture);
    let failed = enqueue(&conn, "1.1", "C1", "failed");
    let final_one = enqueue_out(&conn, "gone", "failed", "2023-11-14T22:00:00.000Z");
    let store = fixture.open();
    let id = channel(&store).await;
    assert!(claim(&store, id).await.is_none());
    assert_eq!(store.retry(failed).await.unwrap(), Retried::Inbound);
    assert_eq!(claim(&store, id).await.unwrap().id, failed);
    assert_eq!(store.retry(final_one).await.unwrap(), Retried::NotParked);
}

#[tokio::test]
async fn leftover_answers_are_looked_up_and_the_old_ones_are_parked() {
    let fixture = Fixture::new();
    let conn = old_file(&fixture);
    let old = enqueue_out(&conn, "too old", "pending", "2023-11-12T22:00:00.000Z");
    let left = enqueue_out(&conn, "left", "processing", "2023-11-14T22:00:00.000Z");
    let elsewhere = enqueue_out(&conn, "other slug", "pending", "2023-11-14T22:00:00.000Z");
    conn.execute(
        "UPDATE messages SET channel_id = 'other' WHERE id = ?1",
        [elsewhere],
    )
    .unwrap();
    let store = fixture.open();
    let id = channel(&store).await;
    assert_eq!(store.adopt(500).await.unwrap().rows, 2);
    let OutClaim::Work(OutWork::ReadBack(part)) = store.claim_out(vec![id]).await.unwrap() else {
        panic!()
    };
    assert_eq!(
        (
            part.answer,
            part.text.as_str(),
            part.legacy,
            part.conversation.as_str()
        ),
        (left, "left", true, "C1")
    );
    store
        .settle(part.id, Settle::Sent { platform_id: None })
        .await
        .unwrap();
    assert!(matches!(
        store.claim_out(vec![id]).await.unwrap(),
        OutClaim::Nothing { .. }
    ));
    assert_eq!(
        [old, left, elsewhere].map(|id| status(&conn, id)),
        ["failed", "processed", "pending"]
    );
    store.channel("w", "other").await.unwrap();
    assert_eq!(store.adopt(500).await.unwrap().rows, 1);
}

#[tokio::test]
async fn a_row_that_is_no_message_is_given_up_and_holds_up_nobody() {
    let fixture = Fixture::new();
    let conn = old_file(&fixture);
    let bad = enqueue(&conn, "1.1", "C1", "pending");
    conn.execute("UPDATE messages SET payload = '{' WHERE id = ?1", [bad])
        .unwrap();
    enqueue(&conn, "1.2", "C1", "pending");
    let store = fixture.open();
    let id = channel(&store).await;
    assert_eq!(drain(&store, id).await, ["old 1.2"]);
    assert_eq!(status(&conn, bad), "failed");
}

#[tokio::test]
async fn the_earlier_daemon_runs_on_our_file_in_between_and_we_go_on() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let ids: Vec<i64> = {
        let mut ids = Vec::new();
        for n in 1..=4 {
            ids.push(row(&push(&store, id, message("C1", n)).await));
        }
        ids
    };
    claim(&store, id).await.unwrap();
    store
        .finish(
            ids[0],
            Some(Answer {
                content: "answer 1".to_owned(),
                parts: None,
            }),
        )
        .await
        .unwrap();
    claim(&store, id).await.unwrap();
    store.close().await.unwrap();

    let conn = fixture.raw();
    // Start: open claims go back.
    conn.execute(
        "UPDATE messages SET status = 'pending' WHERE status = 'processing'",
        [],
    )
    .unwrap();
    // Its outbound loop sends what waits; its queue takes the oldest.
    let answers: Vec<(i64, String)> = conn
        .prepare("SELECT id, payload FROM messages WHERE direction = 'outbound' AND status = 'pending' ORDER BY created_at")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(answers.len(), 1);
    let theirs: serde_json::Value = serde_json::from_str(&answers[0].1).unwrap();
    assert_eq!(
        (&theirs["channelId"], &theirs["content"]),
        (&"C1".into(), &"answer 1".into())
    );
    let done = "UPDATE messages SET status = 'processed', processed_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE id = ?1";
    conn.execute(done, [answers[0].0]).unwrap();
    conn.execute(done, [ids[1]]).unwrap();
    // It dies while it runs the next one, and a message came that it never took.
    conn.execute(
        "UPDATE messages SET status = 'processing' WHERE id = ?1",
        [ids[2]],
    )
    .unwrap();
    enqueue(&conn, "77", "C1", "pending");
    conn.execute(
        "INSERT INTO polling_state (adapter_id, channel_source_id, last_timestamp) VALUES ('s', 'C1', '77')",
        [],
    )
    .unwrap();
    drop(conn);

    let store = fixture.open();
    let id = channel(&store).await;
    assert_eq!(store.cursor(id, "C1", None).await.unwrap().as_deref(), Some("77"));
    assert!(matches!(
        store.claim_out(vec![id]).await.unwrap(),
        OutClaim::Nothing { .. }
    ));
    fixture.advance(std::time::Duration::from_secs(10));
    assert_eq!(drain(&store, id).await, ["text 3", "text 4", "old 77"]);
    assert_eq!(store.channel_counts().await.unwrap()[0].running, 0);
}

#[tokio::test]
async fn our_rows_read_as_the_earlier_daemons_own() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let mut new = message("C1", 1);
    new.metadata.insert("slackChannel".to_owned(), "C1".into());
    new.reply_thread = Some("T".to_owned());
    push(&store, id, new).await;
    let (channel_id, text, created_at): (String, String, String) = fixture
        .raw()
        .query_row(
            "SELECT channel_id, payload, created_at FROM messages",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .unwrap();
    assert_eq!(
        (channel_id.as_str(), created_at.as_str()),
        ("s", "2023-11-14T22:13:20.000Z")
    );
    let payload: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        payload,
        serde_json::json!({
            "id": "1", "channelId": "s", "source": "slack", "timestamp": 1_700_000_000_000_i64, "content": "text 1",
            "metadata": {"sessionKey": "s:w:C1:r0", "workspaceId": "w", "slackChannel": "C1"},
            "replyTo": {"threadId": "T", "messageId": "1"},
        })
    );
}

#[tokio::test]
async fn a_message_that_the_earlier_daemon_ended_lately_is_known_when_it_is_read_again() {
    let fixture = Fixture::new();
    let conn = old_file(&fixture);
    let lately = "2023-11-13T22:00:00.000Z";
    let done = enqueue(&conn, "1", "C1", "processed");
    let twin = enqueue(&conn, "1", "C1", "processed");
    let failed = enqueue(&conn, "2", "C1", "failed");
    let bad = enqueue(&conn, "3", "C1", "processed");
    conn.execute("UPDATE messages SET payload = '{' WHERE id = ?1", [bad])
        .unwrap();
    conn.execute("UPDATE messages SET created_at = ?1", [lately])
        .unwrap();
    let old = enqueue(&conn, "4", "C1", "processed");
    conn.execute(
        "UPDATE messages SET created_at = '2023-10-01T00:00:00.000Z' WHERE id = ?1",
        [old],
    )
    .unwrap();
    let store = fixture.open();
    let id = channel(&store).await;
    assert_eq!(
        (
            push(&store, id, message("C1", 1)).await,
            push(&store, id, message("C1", 2)).await
        ),
        (Outcome::Known, Outcome::Known)
    );
    assert!(matches!(
        push(&store, id, message("C1", 4)).await,
        Outcome::New { .. }
    ));
    assert_eq!(store.adopt(500).await.unwrap().rows, 0);
    assert_eq!(
        [done, twin, failed, bad].map(|id| status(&conn, id)),
        ["processed", "processed", "failed", "processed"]
    );
    // It can still be brought back.
    assert_eq!(store.retry(failed).await.unwrap(), Retried::Inbound);
    assert_eq!(claim(&store, id).await.unwrap().id, failed);
    assert_eq!(push(&store, id, message("C1", 2)).await, Outcome::Known);
}
