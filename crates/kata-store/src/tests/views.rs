//! Looking without touching.

use std::time::Duration;

use crate::{Answer, MessageFilter, OutClaim, OutWork, QueuePlace, Settle, StoreError, View};

use super::support::{Fixture, channel, claim, failure, message, push, row};

#[tokio::test]
async fn one_message_is_explained_step_by_step_from_the_file_while_the_daemon_runs() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = row(&push(&store, id, message("C1", 41)).await);
    claim(&store, id).await.unwrap();
    fixture.advance(Duration::from_secs(1));
    store.fail(turn, failure("the agent fell over")).await.unwrap();
    fixture.advance(Duration::from_secs(10));
    claim(&store, id).await.unwrap();
    let parts = Some(vec!["hello".to_owned()]);
    store
        .finish(
            turn,
            Some(Answer {
                content: "hello".to_owned(),
                parts,
            }),
        )
        .await
        .unwrap();
    let OutClaim::Work(OutWork::Send(part)) = store.claim_out(vec![id]).await.unwrap() else {
        panic!()
    };
    store
        .settle(
            part.id,
            Settle::Sent {
                platform_id: Some("P9".to_owned()),
            },
        )
        .await
        .unwrap();

    let view = View::open_read_only(&fixture.path()).unwrap();
    let explained = view.explain("41").unwrap();
    assert_eq!(explained, store.explain(&turn.to_string()).await.unwrap());
    assert_eq!(explained, store.explain(&part.answer.to_string()).await.unwrap());
    let steps: Vec<&str> = explained[0].steps.iter().map(|step| step.what.as_str()).collect();
    let tail = [
        "done",
        "answered",
        "part 1 of 1 tried",
        "part 1 of 1 sent",
        "sent",
    ];
    assert_eq!(steps[..4], ["received", "claimed", "attempt failed", "claimed"]);
    assert_eq!(steps[4..], tail);
    assert!(view.explain("never seen").unwrap().is_empty());
}

#[tokio::test]
async fn the_queue_is_paged_without_repeats_in_and_out() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    for n in 1..=6 {
        push(&store, id, message(&format!("C{n}"), n)).await;
        fixture.advance(Duration::from_secs(1));
    }
    let done = claim(&store, id).await.unwrap();
    store
        .finish(
            done.id,
            Some(Answer {
                content: "answer".to_owned(),
                parts: None,
            }),
        )
        .await
        .unwrap();
    claim(&store, id).await.unwrap();
    let (mut seen, mut after): (Vec<i64>, Option<QueuePlace>) = (Vec::new(), None);
    loop {
        let page = store.queue(MessageFilter::default(), after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.place.clone());
        seen.extend(page.iter().map(|row| row.id));
    }
    assert_eq!(seen, [2, 3, 4, 5, 6, 7]);
    let running = MessageFilter {
        status: Some("processing".to_owned()),
        ..MessageFilter::default()
    };
    assert_eq!(store.queue(running, None, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn messages_and_sessions_are_listed_newest_first() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    for n in 1..=3 {
        push(&store, id, message(&format!("C{n}"), n)).await;
    }
    let ids = |rows: Vec<crate::Listed>| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(
        ids(store.messages(MessageFilter::default(), None, 2).await.unwrap()),
        [3, 2]
    );
    assert_eq!(
        ids(store
            .messages(MessageFilter::default(), Some(2), 2)
            .await
            .unwrap()),
        [1]
    );
    let one = MessageFilter {
        conversation: Some("C2".to_owned()),
        ..MessageFilter::default()
    };
    assert_eq!(store.messages(one, None, 9).await.unwrap()[0].content, "text 2");
    let sessions = store.sessions(None, 2).await.unwrap();
    assert_eq!(
        sessions
            .iter()
            .map(|session| session.key.as_str())
            .collect::<Vec<_>>(),
        ["s:w:C3:r0", "s:w:C2:r0"]
    );
    assert_eq!((sessions[0].messages, sessions[0].turns), (1, 0));
}

#[tokio::test]
async fn counts_follow_the_work() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = row(&push(&store, id, message("C1", 1)).await);
    push(&store, id, message("C1", 2)).await;
    claim(&store, id).await.unwrap();
    let counts = store.channel_counts().await.unwrap().remove(0);
    assert_eq!(
        (counts.waiting, counts.running, counts.parked, counts.outgoing),
        (2, 1, 0, 0)
    );
    store
        .finish(
            turn,
            Some(Answer {
                content: "answer".to_owned(),
                parts: None,
            }),
        )
        .await
        .unwrap();
    let counts = store.channel_counts().await.unwrap().remove(0);
    assert_eq!(
        (counts.waiting, counts.running, counts.parked, counts.outgoing),
        (1, 0, 0, 1)
    );
}

#[tokio::test]
async fn readers_cannot_write_and_a_view_needs_no_daemon() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    push(&store, id, message("C1", 1)).await;
    let written = store
        .read(|conn| Ok(conn.execute("DELETE FROM messages", [])?))
        .await;
    assert!(matches!(written, Err(StoreError::Database(_))), "{written:?}");
    store.close().await.unwrap();
    let view = View::open_read_only(&fixture.path()).unwrap();
    assert_eq!(
        view.messages(&MessageFilter::default(), None, 9).unwrap().len(),
        1
    );
    assert_eq!(view.channel_counts().unwrap()[0].waiting, 1);
}

#[test]
fn a_file_that_was_never_ours_is_not_viewed() {
    let fixture = Fixture::new();
    fixture
        .raw()
        .execute_batch(include_str!("../migrations/0001_kata_0_7.sql"))
        .unwrap();
    assert!(matches!(
        View::open_read_only(&fixture.path()),
        Err(StoreError::NotOurs)
    ));
}
