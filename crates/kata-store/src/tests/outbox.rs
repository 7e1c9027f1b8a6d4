//! What goes out.

use std::time::Duration;

use crate::{Answer, ChannelId, OutClaim, OutWork, Part, Retried, Settle, Store, UnixMs};

use super::support::{Fixture, channel, claim, message, push, row};

/// Stores an answer of these parts to a new message; its row.
async fn answer(store: &Store, channel: ChannelId, id: i64, parts: &[&str]) -> i64 {
    let turn = row(&push(store, channel, message("C1", id)).await);
    claim(store, channel).await.unwrap();
    let parts = parts.iter().map(ToString::to_string).collect();
    let answer = Answer {
        content: "raw".to_owned(),
        parts: Some(parts),
    };
    match store.finish(turn, Some(answer)).await.unwrap() {
        crate::Finished::Done {
            answer: Some(answer), ..
        } => answer,
        other => panic!("{other:?}"),
    }
}

async fn work(store: &Store, channel: ChannelId) -> Option<OutWork> {
    match store.claim_out(vec![channel]).await.unwrap() {
        OutClaim::Work(work) => Some(work),
        OutClaim::Nothing { .. } => None,
    }
}

async fn send(store: &Store, channel: ChannelId) -> Part {
    match work(store, channel).await {
        Some(OutWork::Send(part)) => part,
        other => panic!("no part to send: {other:?}"),
    }
}

async fn read_back(store: &Store, channel: ChannelId) -> Part {
    match work(store, channel).await {
        Some(OutWork::ReadBack(part)) => part,
        other => panic!("no part to read back: {other:?}"),
    }
}

fn sent() -> Settle {
    Settle::Sent {
        platform_id: Some("P".to_owned()),
    }
}

fn error() -> String {
    "because".to_owned()
}

#[tokio::test]
async fn an_attempt_without_effect_is_repeated_with_the_same_key_and_holds_the_lane() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    answer(&store, channel, 1, &["one"]).await;
    answer(&store, channel, 2, &["two"]).await;
    let first = send(&store, channel).await;
    let at = fixture.now().plus(Duration::from_secs(3));
    store
        .settle(first.id, Settle::Later { at, error: error() })
        .await
        .unwrap();
    let OutClaim::Nothing { next_due } = store.claim_out(vec![channel]).await.unwrap() else {
        panic!("overtaken")
    };
    assert_eq!(next_due, Some(at));
    fixture.advance(Duration::from_secs(3));
    let again = send(&store, channel).await;
    assert_eq!((again.id, &again.key, again.attempt), (first.id, &first.key, 2));
    assert_eq!(
        (again.first_attempt_at, again.attempt_at),
        (first.attempt_at, fixture.now())
    );
    assert!(store.settle(again.id, sent()).await.unwrap().answer_done);
    assert_eq!(send(&store, channel).await.text, "two");
}

#[tokio::test]
async fn an_unknown_outcome_is_read_back_and_sent_again_only_when_absent() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    answer(&store, channel, 1, &["one"]).await;
    let first = send(&store, channel).await;
    let look_at = fixture.now().plus(Duration::from_secs(5));
    store
        .settle(
            first.id,
            Settle::Unknown {
                look_at,
                error: error(),
            },
        )
        .await
        .unwrap();
    assert!(work(&store, channel).await.is_none());
    fixture.advance(Duration::from_secs(5));
    let looked = read_back(&store, channel).await;
    assert_eq!(
        (looked.id, looked.attempt, looked.attempt_at),
        (first.id, 1, first.attempt_at)
    );
    // Reading back failed: nothing is sent, it is read back again.
    let at = fixture.now();
    store
        .settle(looked.id, Settle::Later { at, error: error() })
        .await
        .unwrap();
    let looked = read_back(&store, channel).await;
    store.settle(looked.id, Settle::Absent).await.unwrap();
    let again = send(&store, channel).await;
    assert_eq!((again.id, again.key, again.attempt), (first.id, first.key, 2));
}

#[tokio::test]
async fn a_part_whose_key_the_platform_knows_is_sent_again_with_it() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    answer(&store, channel, 1, &["one"]).await;
    let first = send(&store, channel).await;
    let look_at = fixture.now();
    let unknown = Settle::Unknown {
        look_at,
        error: error(),
    };
    store.settle(first.id, unknown).await.unwrap();
    let looked = read_back(&store, channel).await;
    store.settle(looked.id, Settle::Again).await.unwrap();
    let again = send(&store, channel).await;
    assert_eq!((again.id, again.key, again.attempt), (first.id, first.key, 2));
    assert_eq!(again.first_attempt_at, first.first_attempt_at);
}

#[tokio::test]
async fn an_attempt_that_the_daemon_did_not_survive_is_read_back_five_seconds_after_it() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    answer(&store, id, 1, &["one"]).await;
    let first = send(&store, id).await;
    drop(store);
    let store = fixture.open();
    let OutClaim::Nothing { next_due } = store.claim_out(vec![id]).await.unwrap() else {
        panic!("repeated blindly")
    };
    assert_eq!(next_due, Some(first.attempt_at.plus(Duration::from_secs(5))));
    fixture.advance(Duration::from_secs(5));
    let looked = read_back(&store, id).await;
    drop(store);
    let store = fixture.open();
    assert_eq!(read_back(&store, id).await.id, looked.id);
    assert!(store.settle(looked.id, sent()).await.unwrap().answer_done);
}

#[tokio::test]
async fn a_preparation_that_the_daemon_did_not_survive_is_done_again() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = row(&push(&store, id, message("C1", 1)).await);
    store
        .finish(
            turn,
            Some(Answer {
                content: "raw".to_owned(),
                parts: None,
            }),
        )
        .await
        .unwrap();
    assert!(matches!(work(&store, id).await, Some(OutWork::Prepare(_))));
    drop(store);
    let store = fixture.open();
    let Some(OutWork::Prepare(raw)) = work(&store, id).await else {
        panic!()
    };
    store.prepare(raw.id, vec!["part".to_owned()]).await.unwrap();
    store
        .prepare(raw.id, vec!["twice".to_owned(), "over".to_owned()])
        .await
        .unwrap();
    assert_eq!(send(&store, id).await.of, 1);
}

#[tokio::test]
async fn an_answer_without_parts_ends_unsaid() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    let answer = answer(&store, channel, 1, &[]).await;
    assert!(work(&store, channel).await.is_none());
    assert_eq!(store.retry(answer).await.unwrap(), Retried::NotParked);
}

#[tokio::test]
async fn an_answer_that_is_withheld_ends_with_its_reason_and_frees_its_lane() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    push(&store, channel, message("C1", 1)).await;
    let turn = claim(&store, channel).await.unwrap();
    let raw = Answer {
        content: "secret".to_owned(),
        parts: None,
    };
    store.finish(turn.id, Some(raw)).await.unwrap();
    let Some(OutWork::Prepare(raw)) = work(&store, channel).await else {
        panic!("nothing to prepare");
    };
    store.withhold(raw.id, "by the hook censor").await.unwrap();
    store.prepare(raw.id, vec!["too late".to_owned()]).await.unwrap();
    assert!(work(&store, channel).await.is_none());
    let explained = store.explain(&raw.id.to_string()).await.unwrap();
    let said = explained[0].answer.as_ref().unwrap();
    assert_eq!(said.outcome.as_deref(), Some("withheld"));
    assert_eq!(said.error.as_deref(), Some("by the hook censor"));
}

#[tokio::test]
async fn a_part_that_was_not_tried_was_not_tried() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    answer(&store, channel, 1, &["one"]).await;
    let first = send(&store, channel).await;
    store.settle(first.id, Settle::NotTried).await.unwrap();
    drop(store);
    let store = fixture.open();
    let again = send(&store, channel).await;
    assert_eq!((again.key, again.attempt), (first.key, 1));
}

#[tokio::test]
async fn a_parked_part_parks_its_answer_and_comes_back_without_what_was_sent() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    let parked = answer(&store, channel, 1, &["one", "two", "three"]).await;
    answer(&store, channel, 2, &["next"]).await;
    let first = send(&store, channel).await;
    assert!(!store.settle(first.id, sent()).await.unwrap().answer_done);
    let second = send(&store, channel).await;
    let settled = store
        .settle(second.id, Settle::Park { error: error() })
        .await
        .unwrap();
    assert!(settled.parked && !settled.answer_done);
    let next = send(&store, channel).await;
    assert_eq!(next.text, "next");
    store.settle(next.id, sent()).await.unwrap();
    assert_eq!(store.retry(parked).await.unwrap(), Retried::Outbound);
    for text in ["two", "three"] {
        let part = send(&store, channel).await;
        assert_eq!((part.text.as_str(), part.attempt), (text, 1));
        store.settle(part.id, sent()).await.unwrap();
    }
    assert!(work(&store, channel).await.is_none());
}

#[tokio::test]
async fn a_settlement_repeated_changes_nothing() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    answer(&store, channel, 1, &["one"]).await;
    let part = send(&store, channel).await;
    assert!(store.settle(part.id, sent()).await.unwrap().answer_done);
    assert!(!store.settle(part.id, sent()).await.unwrap().answer_done);
    store.settle(part.id, Settle::Absent).await.unwrap();
    assert!(work(&store, channel).await.is_none());
    assert!(store.settle(part.id + 9, sent()).await.is_err());
}

#[tokio::test]
async fn an_answer_is_discarded_while_it_waits_but_not_while_it_flies() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    let first = answer(&store, channel, 1, &["one"]).await;
    let part = send(&store, channel).await;
    assert!(!store.discard(first).await.unwrap());
    let at = UnixMs(0);
    store
        .settle(part.id, Settle::Later { at, error: error() })
        .await
        .unwrap();
    assert!(store.discard(first).await.unwrap());
    assert!(work(&store, channel).await.is_none());
}

#[tokio::test]
async fn an_answer_discarded_while_it_is_prepared_frees_its_lane() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    let turn = row(&push(&store, channel, message("C1", 1)).await);
    store
        .finish(
            turn,
            Some(Answer {
                content: "raw".to_owned(),
                parts: None,
            }),
        )
        .await
        .unwrap();
    let Some(OutWork::Prepare(raw)) = work(&store, channel).await else {
        panic!()
    };
    answer(&store, channel, 2, &["next"]).await;
    assert!(store.discard(raw.id).await.unwrap());
    store.prepare(raw.id, vec!["late".to_owned()]).await.unwrap();
    assert_eq!(send(&store, channel).await.text, "next");
}

#[tokio::test]
async fn conversations_do_not_wait_for_each_other() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    for place in ["C1", "C2"] {
        let turn = row(&push(&store, channel, message(place, 1)).await);
        let parts = Some(vec![place.to_owned()]);
        store
            .finish(
                turn,
                Some(Answer {
                    content: String::new(),
                    parts,
                }),
            )
            .await
            .unwrap();
    }
    assert_eq!(send(&store, channel).await.conversation, "C1");
    assert_eq!(send(&store, channel).await.conversation, "C2");
}

#[tokio::test]
async fn platform_secrets_leave_the_row_when_its_answer_is_out() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    let mut secret = message("C1", 1);
    secret
        .metadata
        .insert("responseUrl".to_owned(), "https://hooks.invalid/x".into());
    secret.secret_until = Some(fixture.now().plus(Duration::from_secs(1800)));
    let turn = row(&push(&store, channel, secret).await);
    let parts = Some(vec!["one".to_owned()]);
    store
        .finish(
            turn,
            Some(Answer {
                content: "raw".to_owned(),
                parts,
            }),
        )
        .await
        .unwrap();
    let part = send(&store, channel).await;
    assert_eq!(part.metadata["responseUrl"], "https://hooks.invalid/x");
    store.settle(part.id, sent()).await.unwrap();
    let left: String = fixture
        .raw()
        .query_row("SELECT payload FROM messages WHERE id = ?1", [turn], |row| {
            row.get(0)
        })
        .unwrap();
    assert!(!left.contains("hooks.invalid"), "{left}");
    assert!(left.contains("workspaceId"), "{left}");
}
