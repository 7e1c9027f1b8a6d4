//! `explain` tells every step, each once and in its order, also where several fall on one moment.

use std::time::Duration;

use crate::{Answer, Arrival, ChannelId, Failure, NoticeFn, OutClaim, OutWork, Part, Settle, Store, UnixMs};

use super::support::{Fixture, admit, channel, claim, claim_rows, failure, message, push, row};

/// Each step as `what (detail)`; the parts' random keys are left out.
async fn told(store: &Store, row: i64) -> Vec<String> {
    let explained = store.explain(&row.to_string()).await.unwrap().remove(0);
    let tell = |step: crate::Step| match step.detail {
        Some(detail) => {
            let detail = detail.split(", key").next().unwrap_or_default().to_owned();
            format!("{} ({detail})", step.what)
        }
        None => step.what,
    };
    explained.steps.into_iter().map(tell).collect()
}

async fn finish(store: &Store, turn: i64, parts: &[&str]) -> i64 {
    let answer = Answer {
        content: "raw".to_owned(),
        parts: Some(parts.iter().map(ToString::to_string).collect()),
    };
    match store.finish(turn, Some(answer)).await.unwrap() {
        crate::Finished::Done {
            answer: Some(answer), ..
        } => answer,
        other => panic!("{other:?}"),
    }
}

async fn out(store: &Store, channel: ChannelId) -> Part {
    match store.claim_out(vec![channel]).await.unwrap() {
        OutClaim::Work(OutWork::Send(part) | OutWork::ReadBack(part)) => part,
        other => panic!("{other:?}"),
    }
}

async fn settle(store: &Store, channel: ChannelId, settle: Settle) {
    let part = out(store, channel).await;
    store.settle(part.id, settle).await.unwrap();
}

fn sent() -> Settle {
    Settle::Sent {
        platform_id: Some("P".to_owned()),
    }
}

const SOON: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_message_answered_at_its_second_attempt_tells_both_claims_and_the_failure_between() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = row(&push(&store, id, message("C1", 1)).await);
    claim(&store, id).await.unwrap();
    assert_eq!(
        told(&store, turn).await,
        ["received (session s:w:C1:r0)", "claimed (attempt 1)"]
    );
    store.fail(turn, failure("it fell over")).await.unwrap();
    fixture.advance(SOON);
    claim(&store, id).await.unwrap();
    store.finish(turn, None).await.unwrap();
    assert_eq!(
        told(&store, turn).await,
        [
            "received (session s:w:C1:r0)",
            "claimed (attempt 1)",
            "attempt failed (attempt 1: it fell over)",
            "claimed (attempt 2)",
            "done",
        ]
    );
}

#[tokio::test]
async fn a_parked_message_tells_each_attempt_what_was_said_and_what_a_hand_did() {
    let fixture = Fixture::with(|options| options.max_attempts = 2);
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = row(&push(&store, id, message("C1", 1)).await);
    for error in ["one", "two"] {
        claim(&store, id).await.unwrap();
        let notice: NoticeFn = Box::new(|_| "given up".to_owned());
        let failed = Failure {
            notice: Some(notice),
            ..failure(error)
        };
        store.fail(turn, failed).await.unwrap();
        fixture.advance(SOON);
    }
    store.retry(turn).await.unwrap();
    claim(&store, id).await.unwrap();
    store.cancel(turn, "by hand").await.unwrap();
    assert_eq!(
        told(&store, turn).await[1..],
        [
            "claimed (attempt 1)",
            "attempt failed (attempt 1: one)",
            "claimed (attempt 2)",
            "attempt failed (attempt 2: two)",
            "parked (after attempt 2)",
            "conversation told (row 2)",
            "brought back",
            "claimed (attempt 1)",
            "cancelled (by hand)",
        ]
    );
}

#[tokio::test]
async fn a_wait_for_a_busy_agent_and_a_claim_given_back_are_steps_of_every_message_of_the_turn() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let first = row(&push(&store, id, message("C1", 1)).await);
    let newest = row(&push(&store, id, message("C1", 2)).await);
    claim_rows(&store, id, 2).await.unwrap();
    store
        .busy(newest, fixture.now(), SOON, failure("it is busy"))
        .await
        .unwrap();
    claim_rows(&store, id, 2).await.unwrap();
    store.give_back(newest).await.unwrap();
    claim_rows(&store, id, 2).await.unwrap();
    store.finish(newest, None).await.unwrap();
    for (row, claimed) in [
        (first, "claimed (attempt 1, in the turn of row 2)"),
        (newest, "claimed (attempt 1)"),
    ] {
        assert_eq!(
            told(&store, row).await[1..],
            [
                claimed,
                "agent busy (it is busy)",
                claimed,
                "given back",
                claimed,
                "done"
            ]
        );
    }
}

#[tokio::test]
async fn a_claim_that_the_daemon_did_not_survive_is_told_with_its_failure() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = row(&push(&store, id, message("C1", 1)).await);
    claim(&store, id).await.unwrap();
    drop(store);
    let store = fixture.open();
    assert_eq!(
        told(&store, turn).await[1..],
        [
            "claimed (attempt 1)",
            "attempt failed (attempt 1: the daemon ended while this turn was open)",
        ]
    );
}

#[tokio::test]
async fn an_edit_stands_before_the_claim_and_a_withdrawal_is_the_end() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let edited = row(&push(&store, id, message("C1", 1)).await);
    let withdrawn = row(&push(&store, id, message("C2", 2)).await);
    let changes = vec![
        Arrival::Edit {
            conversation: "C1".to_owned(),
            platform_id: "1".to_owned(),
            edited: 1,
            content: "new".to_owned(),
            prompt: "new".to_owned(),
        },
        Arrival::Withdraw {
            conversation: "C2".to_owned(),
            platform_id: "2".to_owned(),
        },
    ];
    admit(&store, id, changes, None).await.unwrap();
    claim(&store, id).await.unwrap();
    assert_eq!(told(&store, edited).await[1..], ["edited", "claimed (attempt 1)"]);
    assert_eq!(told(&store, withdrawn).await[1..], ["withdrawn"]);
    store.discard(edited).await.unwrap();
}

#[tokio::test]
async fn every_attempt_of_every_part_is_told_in_its_order() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = row(&push(&store, id, message("C1", 1)).await);
    claim(&store, id).await.unwrap();
    let answer = finish(&store, turn, &["a", "b", "c"]).await;
    let (at, error) = (UnixMs(0), "refused".to_owned());
    settle(&store, id, sent()).await;
    settle(&store, id, Settle::Later { at, error }).await;
    let error = "cut off".to_owned();
    settle(&store, id, Settle::Unknown { look_at: at, error }).await;
    settle(&store, id, Settle::Absent).await;
    settle(&store, id, sent()).await;
    settle(&store, id, sent()).await;
    let steps = told(&store, turn).await;
    assert_eq!(
        steps[4..],
        [
            "part 1 of 3 tried (attempt 1)",
            "part 1 of 3 sent (as P)",
            "part 2 of 3 tried (attempt 1)",
            "part 2 of 3 not sent (refused)",
            "part 2 of 3 tried (attempt 2)",
            "part 2 of 3 perhaps sent (cut off)",
            "part 2 of 3 looked up",
            "part 2 of 3 not found on the platform",
            "part 2 of 3 tried (attempt 3)",
            "part 2 of 3 sent (as P)",
            "part 3 of 3 tried (attempt 1)",
            "part 3 of 3 sent (as P)",
            "sent",
        ]
    );
    assert_eq!(steps[3], format!("answered (row {answer})"));
}

#[tokio::test]
async fn an_answer_given_up_and_brought_back_tells_both_lives() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = row(&push(&store, id, message("C1", 1)).await);
    claim(&store, id).await.unwrap();
    let answer = finish(&store, turn, &["a", "b"]).await;
    settle(&store, id, sent()).await;
    let error = "gone".to_owned();
    settle(&store, id, Settle::Park { error }).await;
    store.retry(answer).await.unwrap();
    settle(&store, id, Settle::NotTried).await;
    settle(&store, id, sent()).await;
    assert_eq!(
        told(&store, turn).await[4..],
        [
            "part 1 of 2 tried (attempt 1)",
            "part 1 of 2 sent (as P)",
            "part 2 of 2 tried (attempt 1)",
            "part 2 of 2 given up",
            "parked (gone)",
            "brought back",
            "part 2 of 2 tried (attempt 1)",
            "part 2 of 2 sent (as P)",
            "sent",
        ]
    );
}

#[tokio::test]
async fn an_attempt_that_the_daemon_did_not_survive_is_told_as_perhaps_sent_and_found() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = row(&push(&store, id, message("C1", 1)).await);
    finish(&store, turn, &["a"]).await;
    out(&store, id).await;
    drop(store);
    let store = fixture.open();
    fixture.advance(SOON);
    settle(&store, id, sent()).await;
    assert_eq!(
        told(&store, turn).await[3..],
        [
            "part 1 of 1 tried (attempt 1)",
            "part 1 of 1 perhaps sent (the daemon ended before it knew)",
            "part 1 of 1 looked up",
            "part 1 of 1 sent (as P)",
            "sent",
        ]
    );
}
