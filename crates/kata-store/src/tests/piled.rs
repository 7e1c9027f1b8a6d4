//! What piled up while nobody was there: one turn for all of it.

use std::time::Duration;

use crate::{
    Answer, Arrival, Away, ChannelId, Claim, ClaimedTurn, Effect, Failed, Finished, NewMessage, Retried,
    Store, Take, UnixMs,
};

use super::support::{Fixture, START, admit, channel, command, failure, message, push, row};

const MINUTE: Duration = Duration::from_secs(60);
const NIGHT: Duration = Duration::from_secs(8 * 3600);

/// A channel in which half an hour is long ago, after a night.
fn digests(channel: ChannelId, until: UnixMs) -> Take {
    Take {
        channel,
        max_rows: 1,
        digest: Some(Away {
            after: 30 * MINUTE,
            until,
        }),
    }
}

async fn claim(store: &Store, take: Take) -> Option<ClaimedTurn> {
    match store.claim([take]).await.unwrap() {
        Claim::Turn(turn) => Some(*turn),
        Claim::Nothing { .. } => None,
    }
}

fn ids(turn: &ClaimedTurn) -> Vec<String> {
    let ids = turn.rows.iter().map(|row| row.platform_id.clone().unwrap());
    ids.collect()
}

fn said(place: &str, id: i64, at: UnixMs) -> NewMessage {
    NewMessage {
        sent_at: at,
        ..message(place, id)
    }
}

/// `ids` were said before the night, of which nothing is known until it is over.
async fn a_night(fixture: &Fixture, store: &Store, channel: ChannelId, ids: std::ops::RangeInclusive<i64>) {
    fixture.advance(NIGHT);
    let arrivals = ids.map(|id| Arrival::Turn(message("C1", id))).collect();
    admit(store, channel, arrivals, None).await.unwrap();
}

#[tokio::test]
async fn a_night_of_messages_is_one_turn_in_their_order_and_what_is_news_is_another() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    a_night(&fixture, &store, channel, 1..=300).await;
    push(&store, channel, said("C1", 301, fixture.now())).await;
    let take = digests(channel, UnixMs(START));

    let turn = claim(&store, take).await.unwrap();
    assert!(turn.is_digest);
    assert_eq!(ids(&turn), (1..=300).map(|id| id.to_string()).collect::<Vec<_>>());
    assert_eq!(
        Some(turn.id),
        turn.rows.last().map(|row| row.id),
        "it is known by its newest row"
    );
    assert!(claim(&store, take).await.is_none(), "its lane is held");
    let answer = Answer {
        content: "good morning".into(),
        parts: None,
    };
    assert!(matches!(
        store.finish(turn.id, Some(answer)).await.unwrap(),
        Finished::Done { answer: Some(_), .. }
    ));

    let news = claim(&store, take).await.unwrap();
    assert_eq!((ids(&news), news.is_digest), (vec!["301".to_owned()], false));
    store.finish(news.id, None).await.unwrap();
    assert!(
        claim(&store, take).await.is_none(),
        "all rows ended with their turns"
    );
}

#[tokio::test]
async fn without_digests_each_has_its_turn() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    a_night(&fixture, &store, channel, 1..=3).await;
    let turn = claim(&store, (channel, 1).into()).await.unwrap();
    assert_eq!((ids(&turn), turn.is_digest), (vec!["1".to_owned()], false));
}

#[tokio::test]
async fn what_waited_when_we_went_away_has_piled_up_when_we_come_back_and_not_before() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    for id in 1..=2 {
        push(&store, channel, message("C1", id)).await;
    }
    fixture.advance(NIGHT);
    // It has waited for a night because the agent was busy: nobody was away.
    let turn = claim(&store, digests(channel, UnixMs(START))).await.unwrap();
    assert_eq!((ids(&turn).len(), turn.is_digest), (1, false));
    store.give_back(turn.id).await.unwrap();

    let turn = claim(&store, digests(channel, fixture.now())).await.unwrap();
    assert_eq!((ids(&turn).len(), turn.is_digest), (2, true));
}

#[tokio::test]
async fn a_digest_that_was_cut_off_by_a_crash_is_offered_again_as_one() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    a_night(&fixture, &store, id, 1..=40).await;
    claim(&store, digests(id, UnixMs(START))).await.unwrap();
    drop(store);

    let store = fixture.open();
    fixture.advance(MINUTE);
    let again = claim(&store, digests(id, fixture.now())).await.unwrap();
    assert_eq!((again.rows.len(), again.attempt, again.is_digest), (40, 2, true));
}

#[tokio::test]
async fn a_digest_that_fails_stays_one_is_given_up_as_one_and_comes_back_as_one() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    a_night(&fixture, &store, channel, 1..=40).await;
    let take = digests(channel, UnixMs(START));
    let mut last = 0;
    for attempt in 1..=5 {
        let turn = claim(&store, take).await.unwrap();
        assert_eq!((turn.rows.len(), turn.attempt), (40, attempt));
        last = turn.id;
        let failed = store.fail(last, failure("no network yet")).await.unwrap();
        assert_eq!(
            matches!(failed, Failed::Parked { .. }),
            attempt == 5,
            "{failed:?}"
        );
        fixture.advance(MINUTE);
    }
    assert!(claim(&store, take).await.is_none());
    assert_eq!(store.retry(last).await.unwrap(), Retried::Inbound);
    let turn = claim(&store, take).await.unwrap();
    assert_eq!((turn.rows.len(), turn.attempt), (40, 1));
}

#[tokio::test]
async fn a_reset_in_the_pile_parts_it() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    a_night(&fixture, &store, channel, 1..=2).await;
    let reset = Effect::Reset(Box::new(|_| String::new()));
    command(&store, channel, message("C1", 3), reset).await;
    for id in 4..=5 {
        push(&store, channel, message("C1", id)).await;
    }
    let take = digests(channel, UnixMs(START));
    let before = claim(&store, take).await.unwrap();
    assert_eq!(ids(&before), ["1", "2"]);
    store.finish(before.id, None).await.unwrap();
    let after = claim(&store, take).await.unwrap();
    assert_eq!(ids(&after), ["4", "5"]);
    assert_ne!(before.session_key, after.session_key);
}

#[tokio::test]
async fn each_conversation_has_its_own_digest() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    fixture.advance(NIGHT);
    for (place, id) in [("C1", 1), ("C2", 2), ("C1", 3)] {
        push(&store, channel, message(place, id)).await;
    }
    let take = digests(channel, UnixMs(START));
    let (one, two) = (
        claim(&store, take).await.unwrap(),
        claim(&store, take).await.unwrap(),
    );
    assert_eq!(
        (ids(&one), ids(&two)),
        (vec!["1".into(), "3".into()], vec!["2".to_owned()])
    );
}

#[tokio::test]
async fn a_digest_has_an_end_and_the_next_one_goes_on_there() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    fixture.advance(NIGHT);
    for id in 1..=5 {
        let long = NewMessage {
            content: "x".repeat(40 << 10),
            ..message("C1", id)
        };
        row(&push(&store, channel, long).await);
    }
    let take = digests(channel, UnixMs(START));
    let first = claim(&store, take).await.unwrap();
    assert_eq!(ids(&first), ["1", "2", "3"]);
    store.finish(first.id, None).await.unwrap();
    assert_eq!(ids(&claim(&store, take).await.unwrap()), ["4", "5"]);
}
