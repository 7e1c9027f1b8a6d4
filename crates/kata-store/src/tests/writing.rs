//! The writer thread: shared commits, lack of room.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crate::{Arrival, NewMessage, Outcome, Room, StoreError};

use super::support::{Fixture, admit, channel, claim, failure, message, push};

#[tokio::test]
async fn operations_that_wait_together_share_a_commit() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let commits = Arc::new(AtomicUsize::new(0));
    let counter = commits.clone();
    store
        .write("test", move |tx| {
            tx.conn.commit_hook(Some(move || {
                counter.fetch_add(1, Ordering::SeqCst);
                false
            }))?;
            Ok(())
        })
        .await
        .unwrap();
    commits.store(0, Ordering::SeqCst);
    let pushes = (0..500).map(|n| {
        let store = store.clone();
        async move { push(&store, id, message(&format!("C{n}"), n)).await }
    });
    let outcomes = futures_all(pushes).await;
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Outcome::New { .. }))
    );
    let commits = commits.load(Ordering::SeqCst);
    assert!(commits < 50, "{commits} commits for 500 messages");
}

async fn futures_all<T: Send + 'static>(
    work: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let mut set = tokio::task::JoinSet::new();
    work.for_each(|work| {
        set.spawn(work);
    });
    set.join_all().await
}

#[tokio::test]
async fn an_operation_that_fails_harms_no_neighbour_in_its_commit() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let bad = admit(
        &store,
        crate::ChannelId(99),
        vec![Arrival::Turn(message("C1", 1))],
        None,
    );
    let (bad, good) = tokio::join!(bad, push(&store, id, message("C1", 1)));
    assert!(matches!(bad, Err(StoreError::NoChannel(99))));
    assert!(matches!(good, Outcome::New { .. }));
}

#[tokio::test]
async fn a_full_disk_refuses_whole_admissions_and_recovers_without_a_restart() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = push(&store, id, message("C0", 0)).await;
    assert!(matches!(turn, Outcome::New { .. }));
    let limit = |pages: i64| {
        store.write("test", move |tx| {
            let now: i64 = tx.conn.query_row("PRAGMA page_count", [], |row| row.get(0))?;
            tx.conn.query_row(
                &format!("PRAGMA max_page_count = {}", now + pages),
                [],
                |_| Ok(()),
            )?;
            Ok(())
        })
    };
    limit(0).await.unwrap();
    let room = store.room();
    let big = |n| NewMessage {
        content: "x".repeat(100_000),
        ..message("C1", n)
    };
    let page = vec![Arrival::Turn(message("C1", 1)), Arrival::Turn(big(2))];
    let refused = admit(&store, id, page, None).await;
    assert!(matches!(refused, Err(StoreError::Full { .. })), "{refused:?}");
    assert!(matches!(*room.borrow(), Room::Full { .. }));
    // What is there goes on.
    let claimed = claim(&store, id).await.unwrap();
    store.fail(claimed.id, failure("no")).await.unwrap();
    limit(1_000).await.unwrap();
    let outcomes = admit(
        &store,
        id,
        vec![Arrival::Turn(message("C1", 1)), Arrival::Turn(big(2))],
        None,
    )
    .await
    .unwrap();
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Outcome::New { .. }))
    );
    assert_eq!(*room.borrow(), Room::Enough);
}

#[tokio::test]
async fn below_the_free_space_that_is_kept_nothing_is_taken_in() {
    let fixture = Fixture::with(|options| options.min_free_bytes = u64::MAX);
    let store = fixture.open();
    let id = channel(&store).await;
    let refused = admit(&store, id, vec![Arrival::Turn(message("C1", 1))], None).await;
    assert!(matches!(refused, Err(StoreError::Full { reason }) if reason.contains("MB")));
    assert!(store.check_room().await.is_err());
    assert!(matches!(*store.room().borrow(), Room::Full { .. }));
}

#[tokio::test]
async fn plugin_state_is_kept_by_plugin_and_workspace() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let value = serde_json::json!({"a": [1, "two"]});
    store.state_put("kata-slack", "w", "k", &value).await.unwrap();
    assert_eq!(
        store.state_get("kata-slack", "w", "k").await.unwrap(),
        Some(value)
    );
    assert_eq!(store.state_get("kata-slack", "other", "k").await.unwrap(), None);
    store.state_delete("kata-slack", "w", "k").await.unwrap();
    assert_eq!(store.state_get("kata-slack", "w", "k").await.unwrap(), None);
}

#[tokio::test]
async fn signs_of_life_survive_the_daemon_until_they_are_taken_off() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = super::support::row(&push(&store, id, message("C1", 1)).await);
    store.set_sign(turn, Some("eyes")).await.unwrap();
    drop(store);
    let store = fixture.open();
    assert_eq!(store.open_signs().await.unwrap(), [(turn, id, "eyes".to_owned())]);
    store.set_sign(turn, None).await.unwrap();
    assert!(store.open_signs().await.unwrap().is_empty());
}
