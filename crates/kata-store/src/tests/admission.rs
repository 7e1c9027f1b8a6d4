//! What comes in.

use std::time::Duration;

use crate::{
    Arrival, Claim, ClaimedTurn, CursorMove, Effect, LaneView, NewMessage, OutClaim, OutWork, Outcome,
    ReplyFn, StoreError,
};

use super::support::{Fixture, admit, channel, claim, command, message, push, row};

fn edit(id: i64, edited: i64, text: &str) -> Arrival {
    Arrival::Edit {
        conversation: "C1".to_owned(),
        platform_id: id.to_string(),
        edited,
        content: text.to_owned(),
        prompt: text.to_owned(),
    }
}

fn withdraw(id: i64) -> Arrival {
    Arrival::Withdraw {
        conversation: "C1".to_owned(),
        platform_id: id.to_string(),
    }
}

#[tokio::test]
async fn the_newest_edit_of_a_waiting_message_wins_whatever_the_order() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    let id = row(&push(&store, channel, message("C1", 1)).await);
    let edits = vec![
        edit(1, 20, "newest"),
        edit(1, 10, "older"),
        edit(7, 10, "unknown"),
    ];
    let outcomes = admit(&store, channel, edits, None).await.unwrap();
    assert_eq!(
        outcomes,
        [Outcome::Edited { row: id }, Outcome::Ignored, Outcome::Ignored]
    );
    let turn = claim(&store, channel).await.unwrap();
    assert_eq!(
        (turn.rows[0].content.as_str(), turn.rows[0].prompt.as_str()),
        ("newest", "newest")
    );
    // It was claimed: what the agent saw is not changed any more, not even when it waits again.
    store.give_back(turn.id).await.unwrap();
    assert_eq!(
        admit(&store, channel, vec![edit(1, 30, "late")], None)
            .await
            .unwrap(),
        [Outcome::Ignored]
    );
}

#[tokio::test]
async fn a_deleted_message_that_waits_is_withdrawn_and_never_comes_again() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    let id = row(&push(&store, channel, message("C1", 1)).await);
    assert_eq!(
        admit(&store, channel, vec![withdraw(1)], None).await.unwrap(),
        [Outcome::Withdrawn { row: id }]
    );
    assert_eq!(
        admit(&store, channel, vec![withdraw(1)], None).await.unwrap(),
        [Outcome::Ignored]
    );
    assert!(claim(&store, channel).await.is_none());
    assert_eq!(push(&store, channel, message("C1", 1)).await, Outcome::Known);
    assert_eq!(store.channel_counts().await.unwrap()[0].waiting, 0);
}

fn to(cursor: &str) -> Option<CursorMove> {
    Some(CursorMove::To {
        conversation: "C1".to_owned(),
        thread: None,
        cursor: cursor.to_owned(),
    })
}

fn page(ids: &[i64], ready: bool) -> Vec<Arrival> {
    ids.iter()
        .map(|id| {
            Arrival::Turn(NewMessage {
                ready,
                ..message("C1", *id)
            })
        })
        .collect()
}

#[tokio::test]
async fn rows_over_a_gap_wait_until_it_is_closed_and_then_come_in_order() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    let gap = Some(CursorMove::Gap {
        conversation: "C1".to_owned(),
        thread: None,
    });
    admit(&store, channel, page(&[5, 6], false), gap.clone())
        .await
        .unwrap();
    admit(&store, channel, page(&[3, 4], false), gap).await.unwrap();
    assert_eq!(store.cursor(channel, "C1", None).await.unwrap(), None);
    assert!(claim(&store, channel).await.is_none());
    let mut work = store.work();
    work.mark_unchanged();
    admit(&store, channel, page(&[1, 2], false), to("6"))
        .await
        .unwrap();
    assert!(work.has_changed().unwrap());
    assert_eq!(
        store.cursor(channel, "C1", None).await.unwrap().as_deref(),
        Some("6")
    );
    for id in 1..=6 {
        let turn = claim(&store, channel).await.unwrap();
        assert_eq!(turn.rows[0].platform_id, Some(id.to_string()));
        store.finish(turn.id, None).await.unwrap();
    }
}

#[tokio::test]
async fn a_cursor_is_kept_for_the_earlier_daemon_too_and_a_thread_has_its_own() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    admit(&store, channel, vec![], to("17.5")).await.unwrap();
    let in_thread = CursorMove::To {
        conversation: "C1".to_owned(),
        thread: Some("T".to_owned()),
        cursor: "9".to_owned(),
    };
    admit(&store, channel, vec![], Some(in_thread)).await.unwrap();
    assert_eq!(
        store.cursor(channel, "C1", Some("T")).await.unwrap().as_deref(),
        Some("9")
    );
    let theirs: Vec<(String, String, String)> = fixture
        .raw()
        .prepare("SELECT adapter_id, channel_source_id, last_timestamp FROM polling_state")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(theirs, [("s".to_owned(), "C1".to_owned(), "17.5".to_owned())]);
    assert_eq!(store.conversations(channel).await.unwrap(), ["C1"]);
}

#[tokio::test]
async fn a_message_is_not_claimed_before_its_time_and_the_claim_says_when() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    let at = fixture.now().plus(Duration::from_secs(30));
    push(
        &store,
        channel,
        NewMessage {
            not_before: Some(at),
            ..message("C1", 1)
        },
    )
    .await;
    let Claim::Nothing { next_due } = store.claim(vec![(channel, 1)]).await.unwrap() else {
        panic!("early")
    };
    assert_eq!(next_due, Some(at));
    fixture.advance(Duration::from_secs(30));
    assert!(claim(&store, channel).await.is_some());
}

fn reply(text: impl Fn(&LaneView) -> String + Send + 'static) -> ReplyFn {
    Box::new(text)
}

#[tokio::test]
async fn a_reset_counts_once_and_only_later_messages_get_the_fresh_key() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    push(&store, channel, message("C1", 1)).await;
    let reset = || Effect::Reset(reply(|lane| format!("fresh: {}", lane.session_key)));
    let outcome = command(&store, channel, message("C1", 2), reset()).await;
    let Outcome::Consumed {
        row: id,
        reply: Some(_),
        ended_session,
        ..
    } = outcome
    else {
        panic!("{outcome:?}")
    };
    assert_eq!(ended_session.as_deref(), Some("s:w:C1:r0"));
    assert_eq!(
        command(&store, channel, message("C1", 2), reset()).await,
        Outcome::Known
    );
    let later = push(&store, channel, message("C1", 3)).await;
    assert!(matches!(later, Outcome::New { session_started: Some(key), .. } if key == "s:w:C1:r1"));
    let key = |turn: ClaimedTurn| (turn.id, turn.session_key);
    let (first, old) = key(claim(&store, channel).await.unwrap());
    store.finish(first, None).await.unwrap();
    let (_, new) = key(claim(&store, channel).await.unwrap());
    assert_eq!((old.as_str(), new.as_str()), ("s:w:C1:r0", "s:w:C1:r1"));
    let OutClaim::Work(OutWork::Send(part)) = store.claim_out(vec![channel]).await.unwrap() else {
        panic!()
    };
    assert_eq!(
        (part.text.as_str(), part.key),
        ("fresh: s:w:C1:r1", format!("notice:reset:{id}"))
    );
}

#[tokio::test]
async fn messages_of_two_sessions_never_share_a_turn() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    push(&store, channel, message("C1", 1)).await;
    command(
        &store,
        channel,
        message("C1", 2),
        Effect::Reset(reply(|_| String::new())),
    )
    .await;
    push(&store, channel, message("C1", 3)).await;
    assert_eq!(
        super::support::claim_rows(&store, channel, 9)
            .await
            .unwrap()
            .rows
            .len(),
        1
    );
}

#[tokio::test]
async fn a_session_is_reset_by_its_key_once() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    push(&store, channel, message("C1", 1)).await;
    assert!(store.reset_session("w", "s:w:C1:r0").await.unwrap().is_some());
    assert!(store.reset_session("w", "s:w:C1:r0").await.unwrap().is_none());
    assert!(store.reset_session("other", "s:w:C1:r0").await.unwrap().is_none());
    let next = push(&store, channel, message("C1", 2)).await;
    assert!(matches!(next, Outcome::New { session_started: Some(key), .. } if key == "s:w:C1:r1"));
}

#[tokio::test]
async fn stop_cancels_the_lanes_turn_and_its_answer_sees_the_lane_afterwards() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    let first = row(&push(&store, channel, message("C1", 1)).await);
    push(&store, channel, message("C1", 2)).await;
    claim(&store, channel).await.unwrap();
    let stop = Effect::Stop(reply(move |lane| {
        assert_eq!(
            (lane.cancelled, lane.running_since, lane.waiting),
            (Some(first), None, 1)
        );
        "stopped".to_owned()
    }));
    let outcome = command(&store, channel, message("C1", 3), stop).await;
    assert!(
        matches!(outcome, Outcome::Consumed { cancelled: Some(turn), reply: Some(_), .. } if turn == first)
    );
    assert_eq!(claim(&store, channel).await.unwrap().rows[0].content, "text 2");
}

#[tokio::test]
async fn status_sees_what_runs_and_what_waits() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    push(&store, channel, message("C1", 1)).await;
    push(&store, channel, message("C1", 2)).await;
    claim(&store, channel).await.unwrap();
    let since = fixture.now();
    let status = Effect::Reply(reply(move |lane| {
        assert_eq!(
            (lane.waiting, lane.parked, lane.running_since, lane.generation),
            (1, 0, Some(since), 0)
        );
        "fine".to_owned()
    }));
    let outcome = command(&store, channel, message("C1", 3), status).await;
    assert!(
        matches!(outcome, Outcome::Consumed { reply: Some(_), .. }),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_text_that_panics_takes_its_whole_admission_back_and_nothing_else() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    let bad = Arrival::Consumed {
        message: message("C1", 1),
        effect: Effect::Reply(reply(|_| panic!("on purpose"))),
    };
    let refused = admit(&store, channel, vec![Arrival::Turn(message("C1", 2)), bad], None).await;
    assert!(matches!(refused, Err(StoreError::Panicked)));
    assert!(matches!(
        push(&store, channel, message("C1", 2)).await,
        Outcome::New { .. }
    ));
}

#[tokio::test]
async fn a_skipped_message_is_remembered() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    let skip = || Effect::Skip {
        reason: "too old".to_owned(),
    };
    let first = command(&store, channel, message("C1", 1), skip()).await;
    assert!(matches!(
        first,
        Outcome::Consumed {
            reply: None,
            cancelled: None,
            ended_session: None,
            ..
        }
    ));
    assert_eq!(push(&store, channel, message("C1", 1)).await, Outcome::Known);
    assert!(claim(&store, channel).await.is_none());
}

#[tokio::test]
async fn a_full_queue_refuses_the_whole_page_and_its_cursor_until_something_ended() {
    let fixture = Fixture::with(|options| options.max_waiting_rows = 2);
    let store = fixture.open();
    let channel = channel(&store).await;
    admit(&store, channel, page(&[1, 2], true), None).await.unwrap();
    let refused = admit(&store, channel, page(&[3], true), to("3")).await;
    assert!(matches!(refused, Err(StoreError::Backlog { waiting: 2 })));
    assert_eq!(store.cursor(channel, "C1", None).await.unwrap(), None);
    let turn = claim(&store, channel).await.unwrap();
    store.finish(turn.id, None).await.unwrap();
    admit(&store, channel, page(&[3], true), to("3")).await.unwrap();
}

#[tokio::test]
async fn threads_with_life_are_listed_newest_first_and_bounded_a_conversation() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    let in_thread = |place: &str, id: i64| NewMessage {
        thread: Some(format!("T{id}")),
        lane: format!("{place}/T{id}"),
        ..message(place, id)
    };
    push(&store, channel, in_thread("C1", 1)).await;
    fixture.advance(Duration::from_secs(10));
    let since = fixture.now();
    for id in 2..=4 {
        push(&store, channel, in_thread("C1", id)).await;
        fixture.advance(Duration::from_secs(1));
    }
    push(&store, channel, in_thread("C2", 5)).await;
    let names = |threads: Vec<(String, String)>| threads.into_iter().map(|place| place.1).collect::<Vec<_>>();
    assert_eq!(
        names(store.threads(channel, since, 9).await.unwrap()),
        ["T5", "T4", "T3", "T2"]
    );
    assert_eq!(
        names(store.threads(channel, since, 1).await.unwrap()),
        ["T5", "T4"]
    );
}

#[tokio::test]
async fn a_lanes_thread_key_is_decided_once() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let channel = channel(&store).await;
    push(&store, channel, message("C1", 1)).await;
    push(
        &store,
        channel,
        NewMessage {
            thread_key: "changed".to_owned(),
            ..message("C1", 2)
        },
    )
    .await;
    let turn = super::support::claim_rows(&store, channel, 2).await.unwrap();
    assert_eq!((turn.session_key.as_str(), turn.rows.len()), ("s:w:C1:r0", 2));
}
