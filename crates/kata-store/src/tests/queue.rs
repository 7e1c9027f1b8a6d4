//! In, claimed, ended.

use std::time::Duration;

use crate::{
    Answer, Claim, Failed, Failure, Finished, NewMessage, NoticeFn, OutClaim, OutWork, Outcome, Settle,
};

use super::support::{Fixture, channel, claim, claim_rows, failure, message, push, row};

#[tokio::test]
async fn a_message_seen_twice_is_one_row() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    let first = push(&store, channel, message("C1", 1)).await;
    assert!(matches!(
        first,
        Outcome::New {
            session_started: Some(_),
            ..
        }
    ));
    assert_eq!(push(&store, channel, message("C1", 1)).await, Outcome::Known);
    assert!(matches!(
        push(&store, channel, message("C1", 2)).await,
        Outcome::New {
            session_started: None,
            ..
        }
    ));
}

#[tokio::test]
async fn a_lane_has_one_turn_in_flight_and_keeps_its_order() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    for id in [2, 1, 3] {
        push(&store, channel, message("C1", id)).await;
    }
    push(&store, channel, message("C2", 9)).await;
    let first = claim(&store, channel).await.unwrap();
    assert_eq!(first.rows[0].content, "text 1");
    let other = claim(&store, channel).await.unwrap();
    assert_eq!(other.conversation, "C2");
    assert!(claim(&store, channel).await.is_none());
    store.finish(first.id, None).await.unwrap();
    assert_eq!(claim(&store, channel).await.unwrap().rows[0].content, "text 2");
}

#[tokio::test]
async fn a_lane_of_several_conversations_answers_each_in_its_own() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    for (place, id) in [("C1", 1), ("C2", 2)] {
        let wide = NewMessage {
            lane: "instance".to_owned(),
            thread_key: "s".to_owned(),
            ..message(place, id)
        };
        push(&store, channel, wide).await;
    }
    for place in ["C1", "C2"] {
        let turn = claim_rows(&store, channel, 5).await.unwrap();
        assert_eq!((turn.rows.len(), turn.conversation.as_str()), (1, place));
        let answer = Answer {
            content: "hi".to_owned(),
            parts: Some(vec!["hi".to_owned()]),
        };
        store.finish(turn.id, Some(answer)).await.unwrap();
        let OutClaim::Work(OutWork::Send(part)) = store.claim_out(vec![channel]).await.unwrap() else {
            panic!("no part to send");
        };
        assert_eq!(part.conversation, place);
        let sent = Settle::Sent { platform_id: None };
        assert!(store.settle(part.id, sent).await.unwrap().answer_done);
    }
}

#[tokio::test]
async fn the_first_success_counts_and_the_second_changes_nothing() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    let id = row(&push(&store, channel, message("C1", 1)).await);
    claim(&store, channel).await.unwrap();
    let answer = || {
        Some(Answer {
            content: "hello".to_owned(),
            parts: None,
        })
    };
    assert!(matches!(
        store.finish(id, answer()).await.unwrap(),
        Finished::Done { answer: Some(_), .. }
    ));
    assert_eq!(store.finish(id, answer()).await.unwrap(), Finished::Already);
    assert_eq!(store.finish(id + 100, answer()).await.unwrap(), Finished::Unknown);
}

#[tokio::test]
async fn an_answer_goes_out_part_by_part_and_is_done_once() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    let id = row(&push(&store, channel, message("C1", 1)).await);
    claim(&store, channel).await.unwrap();
    store
        .finish(
            id,
            Some(Answer {
                content: "raw".to_owned(),
                parts: None,
            }),
        )
        .await
        .unwrap();
    let OutClaim::Work(OutWork::Prepare(raw)) = store.claim_out(vec![channel]).await.unwrap() else {
        panic!()
    };
    assert_eq!(raw.content, "raw");
    store
        .prepare(raw.id, vec!["one".to_owned(), "two".to_owned()])
        .await
        .unwrap();
    for (n, text, done) in [(1, "one", false), (2, "two", true)] {
        let OutClaim::Work(OutWork::Send(part)) = store.claim_out(vec![channel]).await.unwrap() else {
            panic!()
        };
        assert_eq!(
            (part.part, part.of, part.text.as_str(), part.attempt),
            (n, 2, text, 1)
        );
        assert!(part.key.len() <= 25 && part.key.is_ascii());
        assert_eq!(part.reply_to.as_deref(), Some("1"));
        assert!(matches!(
            store.claim_out(vec![channel]).await.unwrap(),
            OutClaim::Nothing { .. }
        ));
        let settled = store
            .settle(part.id, Settle::Sent { platform_id: None })
            .await
            .unwrap();
        assert_eq!((settled.answer, settled.answer_done), (raw.id, done));
    }
    assert!(matches!(
        store.claim_out(vec![channel]).await.unwrap(),
        OutClaim::Nothing { next_due: None }
    ));
}

#[tokio::test]
async fn a_failing_message_is_retried_with_backoff_then_parked_and_said_once() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    let id = row(&push(&store, channel, message("C1", 1)).await);
    push(&store, channel, message("C1", 2)).await;
    for attempt in 1..=4 {
        assert_eq!(claim(&store, channel).await.unwrap().attempt, attempt);
        let Failed::Retry { attempt: failed, at } = store.fail(id, failure("no")).await.unwrap() else {
            panic!()
        };
        assert_eq!(failed, attempt);
        let nominal = 5.0 * f64::from(1 << (attempt - 1));
        let wait = at.since(fixture.now()).as_secs_f64();
        assert!(
            (nominal * 0.8..=nominal * 1.2).contains(&wait),
            "attempt {attempt} waits {wait}"
        );
        let Claim::Nothing { next_due } = store.claim(vec![(channel, 1)]).await.unwrap() else {
            panic!()
        };
        assert_eq!(next_due, Some(at));
        fixture.advance(at.since(fixture.now()));
    }
    claim(&store, channel).await.unwrap();
    let notice: NoticeFn = Box::new(|count| format!("gave up {count}"));
    let failed = store
        .fail(
            id,
            Failure {
                notice: Some(notice),
                ..failure("no")
            },
        )
        .await
        .unwrap();
    assert!(matches!(
        failed,
        Failed::Parked {
            attempt: 5,
            notice: Some(_)
        }
    ));
    assert_eq!(store.fail(id, failure("no")).await.unwrap(), Failed::NotOpen);
    assert_eq!(claim(&store, channel).await.unwrap().rows[0].content, "text 2");
    let OutClaim::Work(OutWork::Send(part)) = store.claim_out(vec![channel]).await.unwrap() else {
        panic!()
    };
    assert_eq!(
        (part.text.as_str(), part.key),
        ("gave up 1", format!("notice:parked:{id}"))
    );
}

#[tokio::test]
async fn messages_of_a_lane_share_a_turn_until_that_fails() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    for id in 1..=3 {
        push(&store, channel, message("C1", id)).await;
    }
    let turn = claim_rows(&store, channel, 2).await.unwrap();
    assert_eq!(turn.rows.len(), 2);
    assert_eq!(turn.id, turn.rows[1].id);
    store.fail(turn.id, failure("no")).await.unwrap();
    fixture.advance(Duration::from_secs(10));
    let alone = claim_rows(&store, channel, 3).await.unwrap();
    assert_eq!(alone.rows.len(), 1);
    // The answer to the turn of two comes late: it ends both, the one that runs again too.
    assert!(matches!(
        store.finish(turn.id, None).await.unwrap(),
        Finished::Done { .. }
    ));
    assert_eq!(claim(&store, channel).await.unwrap().rows[0].content, "text 3");
    assert_eq!(store.finish(alone.id, None).await.unwrap(), Finished::Already);
}
