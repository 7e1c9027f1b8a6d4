//! Tasks of the 0.7 daemon, and that daemon on a file with tasks of ours. The statements are written from the facts of
//! its schema.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{Creator, FireState, Fired, NextRun, TaskFilter, TaskKind, UnixMs};

use super::{
    planner::{action, create, fired, get, slot, taken, task, turn},
    support::Fixture,
};

fn old_file(fixture: &Fixture) -> Connection {
    let conn = fixture.raw();
    conn.pragma_update(None, "journal_mode", "WAL").unwrap();
    conn.execute_batch(include_str!("../migrations/0001_kata_0_7.sql"))
        .unwrap();
    conn
}

fn schedule(conn: &Connection, action: &Value, next: &str) -> i64 {
    conn.execute(
        "INSERT INTO scheduled_tasks (workspace_id, type, schedule, action, next_run_at) VALUES ('w', 'cron', '* * * * *', ?1, ?2)",
        (action.to_string(), next),
    )
    .unwrap();
    conn.last_insert_rowid()
}

#[tokio::test]
async fn tasks_of_the_earlier_daemon_go_on_with_defaults() {
    let fixture = Fixture::new();
    let conn = old_file(&fixture);
    let action_of_old =
        json!({"type": "send_message", "workspaceId": "w", "sessionKey": "k", "message": "m"});
    let id = schedule(&conn, &action_of_old, "2023-11-14T22:13:20.000Z");
    let store = fixture.open();
    let due = store.due_tasks(slot(0), 10).await.unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!(
        (due[0].id, due[0].kind, &due[0].action, &due[0].creator),
        (id, TaskKind::Cron, &action_of_old, &Creator::Host)
    );
    assert_eq!(
        (&due[0].zone, &due[0].settings, due[0].next_run),
        (&None, &Value::Null, Some(slot(0)))
    );
    let opened = fired(&store, turn(id, 0, "daemon-s-0123456789ab")).await;
    store
        .fail(opened.row, super::support::failure("not open"))
        .await
        .unwrap();
    assert!(store.park_task(id, "why").await.unwrap());
    assert_eq!(
        get(&store, id).await.parked,
        Some((fixture.now(), "why".to_owned()))
    );
}

#[tokio::test]
async fn the_earlier_daemon_finds_only_tasks_that_it_can_read() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = create(&store, task()).await;
    let far = create(&store, task()).await;
    let paused = create(&store, task()).await;
    store.set_task_enabled(paused, false, None).await.unwrap();
    let never = crate::Fire {
        next_run: NextRun::Never,
        ..action(far, 0)
    };
    taken(&store, never).await;
    taken(&store, action(id, 0)).await;
    let conn = fixture.raw();
    let armed: Vec<(i64, String, String)> = conn
        .prepare("SELECT id, next_run_at, action FROM scheduled_tasks WHERE enabled = 1 ORDER BY next_run_at")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(armed.len(), 1);
    assert_eq!(
        (armed[0].0, armed[0].1.as_str()),
        (id, "2023-11-14T22:14:20.000Z")
    );
    assert_eq!(serde_json::from_str::<Value>(&armed[0].2).unwrap(), task().action);
    let unreadable: i64 = conn
        .query_row(
            "SELECT COUNT(*) FROM scheduled_tasks WHERE NOT json_valid(action)
               OR strftime('%Y-%m-%dT%H:%M:%fZ', next_run_at) IS NOT next_run_at",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(unreadable, 0);
}

#[tokio::test]
async fn what_the_earlier_daemon_did_to_tasks_of_ours_holds() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = create(&store, task()).await;
    let gone = create(&store, task()).await;
    let parked = create(&store, task()).await;
    let opened = fired(&store, turn(id, 0, "daemon-s-0123456789ab")).await;
    store.park_task(parked, "why").await.unwrap();
    store.close().await.unwrap();
    let conn = fixture.raw();
    conn.execute_batch(&format!(
        "UPDATE messages SET status = 'processing' WHERE id = {row};
         UPDATE messages SET status = 'processed', processed_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE id = {row};
         UPDATE scheduled_tasks SET last_run_at = '2023-11-14T22:20:00.000Z', next_run_at = '2023-11-14T22:30:00.000Z'
           WHERE id = {id};
         UPDATE scheduled_tasks SET enabled = 1 WHERE id = {parked};
         DELETE FROM scheduled_tasks WHERE id = {gone};",
        row = opened.row
    ))
    .unwrap();
    let new = schedule(&conn, &json!({}), "2023-11-14T22:13:20.000Z");
    let store = fixture.open();
    assert_eq!(store.fire(action(gone, 0)).await.unwrap(), Fired::Gone);
    assert_eq!(get(&store, parked).await.parked, None);
    assert!(get(&store, new).await.enabled);
    assert_eq!(
        get(&store, id).await.next_run,
        Some(UnixMs::from_iso("2023-11-14T22:30:00.000Z").unwrap())
    );
    // That daemon ended the turn, and the task's next run is none over it.
    taken(&store, action(id, 17)).await;
    let fires = store.fires(id, None, 9).await.unwrap();
    assert_eq!(fires[1].state, FireState::Done);
}

#[tokio::test]
async fn a_stored_time_that_cannot_be_read_is_shown_to_whoever_looks_for_due_tasks() {
    for text in [
        "Invalid Date",
        "",
        "+010000-01-01T00:00:00.000Z",
        "2099-01-01 00:00:00",
    ] {
        let fixture = Fixture::new();
        let conn = old_file(&fixture);
        let id = schedule(&conn, &json!({}), text);
        let store = fixture.open();
        assert!(store.next_task_due().await.unwrap() <= Some(slot(0)), "{text}");
        let due = store.due_tasks(slot(0), 10).await.unwrap();
        assert_eq!(
            due.iter()
                .map(|task| (task.id, task.next_run))
                .collect::<Vec<_>>(),
            [(id, None)]
        );
        store.set_task_enabled(id, true, Some(slot(9))).await.unwrap();
        assert_eq!(store.next_task_due().await.unwrap(), Some(slot(9)));
    }
}

#[tokio::test]
async fn an_action_that_is_no_json_does_not_hide_the_others() {
    let fixture = Fixture::new();
    let conn = old_file(&fixture);
    schedule(&conn, &json!({}), "2023-11-14T22:13:20.000Z");
    conn.execute("UPDATE scheduled_tasks SET action = '{'", [])
        .unwrap();
    schedule(&conn, &json!({"type": "x"}), "2023-11-14T22:13:20.000Z");
    let store = fixture.open();
    let tasks = store.tasks(TaskFilter::default(), None, 10).await.unwrap();
    assert_eq!(
        (&tasks[0].action, &tasks[1].action),
        (&json!({"type": "x"}), &Value::Null)
    );
}
