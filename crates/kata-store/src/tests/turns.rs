//! How turns end.

use std::time::Duration;

use crate::{Answer, Claim, Failed, Failure, Finished, NoticeFn, OutClaim, OutWork, Retried, Store};

use super::support::{Fixture, channel, claim, claim_rows, failure, message, push, row};

fn leased() -> Failure {
    Failure {
        lease: true,
        ..failure("no answer")
    }
}

#[tokio::test]
async fn the_second_attempt_that_ends_by_its_lease_is_the_last() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    let id = row(&push(&store, channel, message("C1", 1)).await);
    claim(&store, channel).await.unwrap();
    assert!(matches!(
        store.fail(id, leased()).await.unwrap(),
        Failed::Retry { .. }
    ));
    fixture.advance(Duration::from_secs(60));
    claim(&store, channel).await.unwrap();
    assert!(matches!(
        store.fail(id, leased()).await.unwrap(),
        Failed::Parked {
            attempt: 2,
            notice: None
        }
    ));
}

#[tokio::test]
async fn a_success_that_comes_after_the_lease_is_taken_from_the_queue_and_from_the_parked() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    let waiting = row(&push(&store, channel, message("C1", 1)).await);
    claim(&store, channel).await.unwrap();
    store.fail(waiting, leased()).await.unwrap();
    assert!(matches!(
        store.finish(waiting, None).await.unwrap(),
        Finished::Done { .. }
    ));
    fixture.advance(Duration::from_secs(60));
    assert!(claim(&store, channel).await.is_none());

    let parked = row(&push(&store, channel, message("C1", 2)).await);
    for _ in 0..2 {
        claim(&store, channel).await.unwrap();
        store.fail(parked, leased()).await.unwrap();
        fixture.advance(Duration::from_secs(60));
    }
    let answer = Some(Answer {
        content: "late".to_owned(),
        parts: None,
    });
    assert!(matches!(
        store.finish(parked, answer).await.unwrap(),
        Finished::Done { answer: Some(_), .. }
    ));
    assert_eq!(store.retry(parked).await.unwrap(), Retried::NotParked);
}

#[tokio::test]
async fn a_success_opened_by_an_earlier_process_is_taken() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = row(&push(&store, id, message("C1", 1)).await);
    claim(&store, id).await.unwrap();
    drop(store);
    let store = fixture.open();
    assert!(matches!(
        store.finish(turn, None).await.unwrap(),
        Finished::Done { .. }
    ));
    fixture.advance(Duration::from_secs(60));
    assert!(claim(&store, id).await.is_none());
}

#[tokio::test]
async fn a_claim_found_open_at_start_counts_as_an_attempt_and_the_last_one_is_told() {
    let fixture = Fixture::new();
    let mut store = fixture.open();
    let id = channel(&store).await;
    let turn = row(&push(&store, id, message("C1", 1)).await);
    for attempt in 1..=5 {
        assert_eq!(claim(&store, id).await.unwrap().attempt, attempt);
        drop(store);
        let opened = fixture.opened();
        assert_eq!(opened.parked, if attempt < 5 { vec![] } else { vec![turn] });
        store = opened.store;
        fixture.advance(Duration::from_secs(60));
    }
    assert!(claim(&store, id).await.is_none());
    let text = || -> NoticeFn { Box::new(|n| format!("{n} given up")) };
    assert!(store.say_parked(turn, text()).await.unwrap().is_some());
    assert_eq!(store.say_parked(turn, text()).await.unwrap(), None);
}

#[tokio::test]
async fn what_was_given_back_was_no_attempt() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    for id in 1..=3 {
        push(&store, channel, message("C1", id)).await;
        push(&store, channel, message("C2", id)).await;
    }
    let one = claim_rows(&store, channel, 2).await.unwrap();
    claim_rows(&store, channel, 2).await.unwrap();
    store.give_back(one.id).await.unwrap();
    store.give_back_all().await.unwrap();
    for _ in 0..2 {
        let turn = claim_rows(&store, channel, 2).await.unwrap();
        assert_eq!((turn.attempt, turn.rows.len()), (1, 2));
    }
}

#[tokio::test]
async fn a_busy_agent_is_asked_again_uncounted_until_the_lease_would_have_run() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    let id = row(&push(&store, channel, message("C1", 1)).await);
    let lease = Duration::from_secs(60);
    for _ in 0..4 {
        assert_eq!(claim(&store, channel).await.unwrap().attempt, 1);
        let again = fixture.now().plus(Duration::from_secs(15));
        assert_eq!(
            store.busy(id, again, lease, failure("busy")).await.unwrap(),
            Failed::GivenBack { again }
        );
        assert!(claim(&store, channel).await.is_none());
        fixture.advance(Duration::from_secs(15));
    }
    claim(&store, channel).await.unwrap();
    let failed = store
        .busy(id, fixture.now(), lease, failure("busy"))
        .await
        .unwrap();
    assert!(matches!(failed, Failed::Retry { attempt: 1, .. }));
}

#[tokio::test]
async fn a_cancelled_turn_stays_ended_whatever_is_said_later() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    let id = row(&push(&store, channel, message("C1", 1)).await);
    push(&store, channel, message("C1", 2)).await;
    claim(&store, channel).await.unwrap();
    assert!(store.cancel(id, "by hand").await.unwrap());
    assert!(!store.cancel(id, "by hand").await.unwrap());
    let late = Some(Answer {
        content: "late".to_owned(),
        parts: None,
    });
    assert_eq!(store.finish(id, late).await.unwrap(), Finished::Already);
    assert_eq!(store.fail(id, failure("late")).await.unwrap(), Failed::NotOpen);
    assert_eq!(claim(&store, channel).await.unwrap().rows[0].content, "text 2");
    assert!(matches!(
        store.claim_out(vec![channel]).await.unwrap(),
        OutClaim::Nothing { .. }
    ));
}

#[tokio::test]
async fn a_parked_message_comes_back_with_a_fresh_count_or_ends() {
    let fixture = Fixture::with(|options| options.max_attempts = 1);
    let store = fixture.open();
    let channel = channel(&store).await;
    let id = row(&push(&store, channel, message("C1", 1)).await);
    claim(&store, channel).await.unwrap();
    assert!(matches!(
        store.fail(id, failure("no")).await.unwrap(),
        Failed::Parked { .. }
    ));
    assert_eq!(store.retry(id).await.unwrap(), Retried::Inbound);
    assert_eq!(claim(&store, channel).await.unwrap().attempt, 1);
    store.fail(id, failure("no")).await.unwrap();
    assert!(store.discard(id).await.unwrap());
    assert_eq!(store.retry(id).await.unwrap(), Retried::NotParked);
    assert_eq!(store.retry(id + 9).await.unwrap(), Retried::Unknown);
    assert_eq!(store.finish(id, None).await.unwrap(), Finished::Already);
}

async fn park(store: &Store, fixture: &Fixture, id: crate::ChannelId, n: i64) -> Option<i64> {
    let turn = row(&push(store, id, message("C1", n)).await);
    claim(store, id).await.unwrap();
    let notice: NoticeFn = Box::new(|count| format!("{count}"));
    fixture.advance(Duration::from_secs(1));
    match store
        .fail(
            turn,
            Failure {
                notice: Some(notice),
                ..failure("no")
            },
        )
        .await
        .unwrap()
    {
        Failed::Parked { notice, .. } => notice,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_conversation_hears_of_parked_messages_once_an_hour_with_their_count() {
    let fixture = Fixture::with(|options| options.max_attempts = 1);
    let store = fixture.open();
    let id = channel(&store).await;
    assert!(park(&store, &fixture, id, 1).await.is_some());
    assert!(park(&store, &fixture, id, 2).await.is_none());
    assert!(park(&store, &fixture, id, 3).await.is_none());
    fixture.advance(Duration::from_secs(3600));
    let notice = park(&store, &fixture, id, 4).await.unwrap();
    let mut said = Vec::new();
    while let OutClaim::Work(OutWork::Send(part)) = store.claim_out(vec![id]).await.unwrap() {
        store
            .settle(part.id, crate::Settle::Sent { platform_id: None })
            .await
            .unwrap();
        said.push((part.answer, part.text));
    }
    assert_eq!(said.last(), Some(&(notice, "3".to_owned())));
    assert_eq!(said.len(), 2);
}

#[tokio::test]
async fn a_paused_channel_is_not_claimed_and_channels_are_taken_in_the_order_asked() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let a = store.channel("w", "a").await.unwrap().id;
    let b = store.channel("w", "b").await.unwrap().id;
    push(&store, a, message("C1", 1)).await;
    push(&store, b, message("C1", 2)).await;
    let claimed = |claim| match claim {
        Claim::Turn(turn) => turn.channel,
        Claim::Nothing { .. } => panic!("nothing"),
    };
    store.set_paused(b, true).await.unwrap();
    assert_eq!(claimed(store.claim(vec![(b, 1), (a, 1)]).await.unwrap()), a);
    store.give_back_all().await.unwrap();
    store.set_paused(b, false).await.unwrap();
    assert_eq!(claimed(store.claim(vec![(b, 1), (a, 1)]).await.unwrap()), b);
}
