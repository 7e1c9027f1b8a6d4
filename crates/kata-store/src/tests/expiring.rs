//! The end of sessions by retention.

use std::time::Duration;

use crate::{Expired, NewMessage, Outcome, Retention, Store};

use super::{
    support::{Fixture, channel, claim, message, push},
    talk::{KEY, exchanged, fold, session, shown, texts, turn},
};

const DAY: Duration = Duration::from_secs(24 * 3600);
const RETENTION: Retention = Retention {
    processed: Duration::from_secs(30 * 24 * 3600),
    failed: Duration::from_secs(90 * 24 * 3600),
    tombstones: Duration::from_secs(180 * 24 * 3600),
    audit: Duration::from_secs(365 * 24 * 3600),
};

async fn expire(store: &Store) -> Expired {
    let mut all = Expired::default();
    loop {
        let step = store.expire_sessions(&RETENTION).await.unwrap();
        all.ended.extend(step.ended);
        all.cleared.extend(step.cleared);
        if !step.more {
            return all;
        }
    }
}

fn keys(names: &[crate::SessionName]) -> Vec<&str> {
    names.iter().map(|name| name.key.as_str()).collect()
}

fn entries(fixture: &Fixture) -> i64 {
    let count = "SELECT COUNT(*) FROM kata_transcript";
    fixture.raw().query_row(count, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_silent_session_ends_its_transcript_goes_and_its_conversation_comes_back_under_its_key() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    exchanged(&store, id, 1).await;
    fixture.advance(DAY * 29);
    assert_eq!(expire(&store).await, Expired::default());
    fixture.advance(DAY * 2);
    let expired = expire(&store).await;
    assert_eq!(keys(&expired.ended), [KEY]);
    assert_eq!(keys(&expired.cleared), [KEY]);
    assert_eq!(session(&store, id).await.ended_why.as_deref(), Some("retention"));
    assert_eq!(entries(&fixture), 0);
    assert_eq!(expire(&store).await, Expired::default(), "it is said once");

    let back = push(&store, id, message("C1", 2)).await;
    assert!(matches!(back, Outcome::New { session_started: Some(key), .. } if key == KEY));
    let session = session(&store, id).await;
    assert_eq!((session.messages, session.turns, session.tokens), (1, 0, 0));
    assert_eq!(session.ended_at, None);
}

#[tokio::test]
async fn a_conversation_that_comes_back_before_the_last_of_it_is_gone_remembers_none_of_it() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    for n in 0..150 {
        exchanged(&store, id, n).await;
    }
    fixture.advance(DAY * 31);
    let first = store.expire_sessions(&RETENTION).await.unwrap();
    assert!(
        first.more && first.cleared.is_empty(),
        "300 entries are no small step"
    );
    assert_eq!(entries(&fixture), 100);
    push(&store, id, message("C1", 999)).await;
    assert!(shown(&store, id).await.is_empty());
    assert!(expire(&store).await.cleared.is_empty(), "it lives again");
}

#[tokio::test]
async fn a_session_in_which_something_waits_is_not_silent() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    push(&store, id, message("C1", 1)).await;
    claim(&store, id).await.unwrap();
    fixture.advance(DAY * 31);
    assert!(expire(&store).await.ended.is_empty());
    store.give_back_all().await.unwrap();
    assert!(expire(&store).await.ended.is_empty());
}

#[tokio::test]
async fn what_was_archived_goes_after_its_time_and_the_session_lives_on() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    for n in 1..=2 {
        exchanged(&store, id, n).await;
    }
    let before = shown(&store, id).await;
    assert!(store.compact(fold(id, &before, 2, "a summary")).await.unwrap());
    fixture.advance(DAY * 20);
    exchanged(&store, id, 3).await;
    fixture.advance(DAY * 11);
    assert!(expire(&store).await.ended.is_empty());
    assert_eq!(entries(&fixture), 5, "the two that were folded are gone");
    assert_eq!(texts(&store, id).await[0], "a summary");
}

#[tokio::test]
async fn of_a_session_that_was_reset_and_of_a_message_alone_nothing_is_left_in_the_end() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    exchanged(&store, id, 1).await;
    store.reset_session("w", KEY).await.unwrap().unwrap();
    let alone = NewMessage {
        alone: true,
        ..message("C2", 2)
    };
    turn(&store, id, alone, crate::Record::default()).await;
    fixture.advance(DAY * 31);
    let expired = expire(&store).await;
    assert!(expired.ended.is_empty(), "their ends were told before");
    assert_eq!(keys(&expired.cleared), [KEY, "s:w:C2#2:r0"]);
    assert_eq!(entries(&fixture), 0);
    let left = store.sessions(None, 10).await.unwrap();
    assert_eq!(
        left.len(),
        1,
        "the row of a conversation stays, that of a message goes: {left:?}"
    );
    assert_eq!(expire(&store).await, Expired::default());
}

#[tokio::test]
async fn a_step_is_small() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    for n in 0..450 {
        push(&store, id, message(&format!("C{n}"), n)).await;
    }
    while let Some(turn) = claim(&store, id).await {
        store.finish(turn.id, None).await.unwrap();
    }
    fixture.advance(DAY * 31);
    let first = store.expire_sessions(&RETENTION).await.unwrap();
    assert!(first.ended.len() < 450 && first.more);
    assert_eq!(first.ended.len() + expire(&store).await.ended.len(), 450);
}
