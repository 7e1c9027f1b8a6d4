//! Runs: claimed once, one at a time, ended, skipped.

use crate::{AfterFailure, Fire, FireEnd, FireEnded, FireState, Fired, NextRun, Skipped};

use super::{
    planner::{action, create, failed, get, slot, taken, task},
    support::Fixture,
};

#[tokio::test]
async fn a_run_is_claimed_once_and_its_task_moves_on_each_time() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = create(&store, task()).await;
    let fire = taken(&store, action(id, 0)).await;
    let found = get(&store, id).await;
    assert_eq!(
        (found.last_run, found.next_run, found.running),
        (Some(fixture.now()), Some(slot(1)), Some(fire))
    );
    store.end_fire(fire, FireEnd::Done).await.unwrap();
    // A clock that stepped back computes the same slot again.
    store.set_task_enabled(id, true, Some(slot(0))).await.unwrap();
    assert_eq!(store.fire(action(id, 0)).await.unwrap(), Fired::Known);
    assert_eq!(get(&store, id).await.next_run, Some(slot(1)));
    assert_eq!(store.fires(id, None, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_run_over_the_one_before_it_is_recorded_as_skipped() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = create(&store, task()).await;
    let other = create(&store, task()).await;
    let first = taken(&store, action(id, 0)).await;
    assert_eq!(store.fire(action(id, 1)).await.unwrap(), Fired::Overlaps);
    assert_eq!(get(&store, id).await.next_run, Some(slot(2)));
    // Another task is not concerned.
    taken(&store, action(other, 1)).await;
    store.end_fire(first, FireEnd::Done).await.unwrap();
    taken(&store, action(id, 2)).await;
    let fires = store.fires(id, None, 9).await.unwrap();
    let states: Vec<_> = fires.iter().map(|fire| (fire.slot, fire.state)).collect();
    assert_eq!(
        states,
        [
            (slot(2), FireState::Running),
            (slot(1), FireState::Skipped),
            (slot(0), FireState::Done)
        ]
    );
    assert!(fires[1].error.is_some());
    assert_eq!(store.fires(id, Some(slot(1)), 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_task_that_was_paused_or_cancelled_meanwhile_does_not_run() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = create(&store, task()).await;
    store.set_task_enabled(id, false, None).await.unwrap();
    assert_eq!(store.fire(action(id, 0)).await.unwrap(), Fired::Gone);
    assert_eq!(get(&store, id).await.next_run, Some(slot(0)));
    let by_hand = Fire {
        next_run: NextRun::Stays,
        ..action(id, 0)
    };
    taken(&store, by_hand.clone()).await;
    let found = get(&store, id).await;
    assert_eq!((found.enabled, found.next_run), (false, Some(slot(0))));
    store.cancel_task(id).await.unwrap();
    assert_eq!(store.fire(by_hand).await.unwrap(), Fired::Gone);
    assert_eq!(store.task(id).await.unwrap(), None);
}

#[tokio::test]
async fn a_task_without_further_runs_is_over_until_it_is_armed_again() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = create(&store, task()).await;
    let last = Fire {
        next_run: NextRun::Never,
        ..action(id, 0)
    };
    let fire = taken(&store, last).await;
    let over = get(&store, id).await;
    assert_eq!((over.enabled, over.over_at), (false, Some(fixture.now())));
    assert_eq!(store.next_task_due().await.unwrap(), None);
    // It failed, and is tried again.
    let end = failed(AfterFailure::NotBefore(slot(5)));
    let ended = store.end_fire(fire, end).await.unwrap();
    assert_eq!(
        ended,
        FireEnded::Now {
            task: id,
            failures: 1
        }
    );
    let again = get(&store, id).await;
    assert_eq!(
        (again.enabled, again.over_at, again.next_run),
        (true, None, Some(slot(5)))
    );
}

#[tokio::test]
async fn failures_in_a_row_are_counted_put_off_the_next_run_and_end_with_parking() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = create(&store, task()).await;
    let fire = taken(&store, action(id, 0)).await;
    let end = failed(AfterFailure::NotBefore(slot(4)));
    store.end_fire(fire, end.clone()).await.unwrap();
    assert_eq!(get(&store, id).await.next_run, Some(slot(4)));
    assert_eq!(store.end_fire(fire, end).await.unwrap(), FireEnded::Already);
    let fire = taken(&store, action(id, 4)).await;
    // A run that is due later anyway is not brought forward.
    let end = failed(AfterFailure::NotBefore(slot(2)));
    let ended = store.end_fire(fire, end).await.unwrap();
    assert_eq!(
        ended,
        FireEnded::Now {
            task: id,
            failures: 2
        }
    );
    assert_eq!(get(&store, id).await.next_run, Some(slot(5)));
    let fire = taken(&store, action(id, 5)).await;
    let ended = store.end_fire(fire, FireEnd::Done).await.unwrap();
    assert_eq!(
        ended,
        FireEnded::Now {
            task: id,
            failures: 0
        }
    );
    let fire = taken(&store, action(id, 6)).await;
    store.end_fire(fire, failed(AfterFailure::Park)).await.unwrap();
    let parked = get(&store, id).await;
    assert_eq!(
        (parked.enabled, parked.parked),
        (false, Some((fixture.now(), "no".to_owned())))
    );
    assert_eq!(
        store.end_fire(99, FireEnd::Done).await.unwrap(),
        FireEnded::Unknown
    );
}

#[tokio::test]
async fn a_task_whose_last_run_failed_once_too_often_is_parked_and_not_merely_over() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = create(&store, task()).await;
    let last = Fire {
        next_run: NextRun::Never,
        ..action(id, 0)
    };
    let fire = taken(&store, last).await;
    store.end_fire(fire, failed(AfterFailure::Park)).await.unwrap();
    let parked = get(&store, id).await;
    assert_eq!(
        (parked.enabled, parked.parked),
        (false, Some((fixture.now(), "no".to_owned())))
    );
}

#[tokio::test]
async fn a_failure_does_not_resume_what_was_paused_meanwhile() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = create(&store, task()).await;
    let fire = taken(&store, action(id, 0)).await;
    store.set_task_enabled(id, false, None).await.unwrap();
    let end = failed(AfterFailure::NotBefore(slot(4)));
    store.end_fire(fire, end).await.unwrap();
    assert!(!get(&store, id).await.enabled);
}

#[tokio::test]
async fn an_action_that_the_last_process_left_open_counts_as_failed_and_is_not_repeated() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = create(&store, task()).await;
    let fire = taken(&store, action(id, 0)).await;
    store.close().await.unwrap();
    let store = fixture.open();
    let found = get(&store, id).await;
    assert_eq!((found.running, found.failures), (None, 1));
    assert_eq!(
        store.fires(id, None, 9).await.unwrap()[0].state,
        FireState::Failed
    );
    assert_eq!(
        store.end_fire(fire, FireEnd::Done).await.unwrap(),
        FireEnded::Already
    );
    assert_eq!(store.fire(action(id, 0)).await.unwrap(), Fired::Known);
    taken(&store, action(id, 1)).await;
}

#[tokio::test]
async fn missed_runs_are_recorded_once_and_never_over_a_run_that_was_made() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = create(&store, task()).await;
    let missed = Skipped {
        task: id,
        slot: slot(0),
        slots: 7,
        reason: "the computer slept".to_owned(),
        next_run: NextRun::At(slot(7)),
    };
    assert!(store.record_skipped(missed.clone()).await.unwrap());
    assert!(store.record_skipped(missed.clone()).await.unwrap());
    let fires = store.fires(id, None, 9).await.unwrap();
    assert_eq!(fires.len(), 1);
    assert_eq!(
        (fires[0].state, fires[0].slots, fires[0].error.as_deref()),
        (FireState::Skipped, 7, Some("the computer slept"))
    );
    assert_eq!(get(&store, id).await.next_run, Some(slot(7)));
    let fire = taken(&store, action(id, 7)).await;
    let over = Skipped {
        slot: slot(7),
        ..missed.clone()
    };
    store.record_skipped(over).await.unwrap();
    assert_eq!(get(&store, id).await.running, Some(fire));
    store.cancel_task(id).await.unwrap();
    assert!(!store.record_skipped(missed).await.unwrap());
}
