//! Tasks: made, refused, listed, paused, parked, cancelled, due.

use std::time::Duration;

use serde_json::json;

use crate::{Created, Creator, Effect, NewTask, Retention, TaskFilter, TaskKind, UnixMs, View};

use super::{
    planner::{MINUTE, action, agent, create, failed, get, slot, taken, task},
    support::{Fixture, channel, command, message, push},
};

#[tokio::test]
async fn a_task_reads_back_as_it_was_made_also_in_another_process() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let new = NewTask {
        kind: TaskKind::Cron,
        schedule: "0 9 * * *".to_owned(),
        zone: Some("Europe/Berlin".to_owned()),
        settings: json!({"jitterMs": 5}),
        creator: agent("k"),
        ..task()
    };
    let id = create(&store, new.clone()).await;
    store.close().await.unwrap();
    let store = fixture.open();
    let found = get(&store, id).await;
    assert_eq!(
        (
            found.kind,
            found.schedule,
            found.action,
            found.zone,
            found.settings,
            found.creator
        ),
        (
            new.kind,
            new.schedule,
            new.action,
            new.zone,
            new.settings,
            new.creator
        )
    );
    assert_eq!(
        (
            found.enabled,
            found.next_run,
            found.last_run,
            found.created_at,
            found.failures
        ),
        (true, Some(new.next_run), None, Some(fixture.now()), 0)
    );
    let view = View::open_read_only(&fixture.path()).unwrap();
    assert_eq!(view.task(id).unwrap(), store.task(id).await.unwrap());
}

#[tokio::test]
async fn a_session_has_no_more_live_tasks_than_it_may_have_and_the_host_any_number() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let of = |creator: Creator| NewTask { creator, ..task() };
    let first = create(&store, of(agent("k"))).await;
    create(&store, of(agent("k"))).await;
    create(&store, of(agent("k"))).await;
    let refused = store.create_task(of(agent("k"))).await.unwrap();
    assert_eq!(refused, Created::TooManyLive { limit: 3 });
    create(&store, of(agent("another session"))).await;
    for _ in 0..10 {
        create(&store, of(Creator::Host)).await;
    }
    // Paused, it is live; cancelled, it is not.
    store.set_task_enabled(first, false, None).await.unwrap();
    assert_eq!(store.create_task(of(agent("k"))).await.unwrap(), refused);
    store.cancel_task(first).await.unwrap();
    create(&store, of(agent("k"))).await;
}

#[tokio::test]
async fn a_conversation_keeps_its_tasks_over_a_reset_and_has_no_more_for_it() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    push(&store, id, message("C1", 1)).await;
    push(&store, id, message("C2", 2)).await;
    let of = |session: &str| NewTask {
        creator: agent(session),
        ..task()
    };
    let first = create(&store, of("s:w:C1:r0")).await;
    let reset = Effect::Reset(Box::new(|_| String::new()));
    command(&store, id, message("C1", 3), reset).await;
    push(&store, id, message("C1", 4)).await;
    let others = [
        create(&store, of("s:w:C1:r1")).await,
        create(&store, of("s:w:C1:r1")).await,
    ];
    let made_in = |session: &str| TaskFilter {
        workspace: Some("w".to_owned()),
        session_key: Some(session.to_owned()),
        enabled: None,
    };
    for session in ["s:w:C1:r0", "s:w:C1:r1"] {
        let tasks = store.tasks(made_in(session), None, 9).await.unwrap();
        let ids: Vec<_> = tasks.iter().map(|task| task.id).collect();
        assert_eq!(ids, [others[1], others[0], first], "{session}");
        let refused = store.create_task(of(session)).await.unwrap();
        assert_eq!(refused, Created::TooManyLive { limit: 3 }, "{session}");
    }
    create(&store, of("s:w:C2:r0")).await;
    // Five within the hour, whichever session made them.
    for session in ["s:w:C1:r0", "s:w:C1:r1"] {
        store
            .cancel_task(store.tasks(made_in(session), None, 1).await.unwrap()[0].id)
            .await
            .unwrap();
        create(&store, of(session)).await;
    }
    store.cancel_task(first).await.unwrap();
    let refused = store.create_task(of("s:w:C1:r1")).await.unwrap();
    assert!(
        matches!(refused, Created::TooManyHourly { limit: 5, .. }),
        "{refused:?}"
    );
}

#[tokio::test]
async fn making_and_cancelling_in_turn_is_bounded_too() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let new = || NewTask {
        creator: agent("k"),
        ..task()
    };
    for _ in 0..5 {
        let id = create(&store, new()).await;
        store.cancel_task(id).await.unwrap();
        fixture.advance(Duration::from_secs(60));
    }
    let refused = store.create_task(new()).await.unwrap();
    let again = slot(60);
    assert_eq!(refused, Created::TooManyHourly { limit: 5, again });
    fixture.advance(again.since(fixture.now()) - Duration::from_millis(1));
    assert_eq!(store.create_task(new()).await.unwrap(), refused);
    fixture.advance(Duration::from_millis(1));
    create(&store, new()).await;
}

#[tokio::test]
async fn only_armed_tasks_are_due_the_longest_due_first() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let at = |n| NewTask {
        next_run: slot(n),
        ..task()
    };
    assert_eq!(store.next_task_due().await.unwrap(), None);
    let late = create(&store, at(3)).await;
    let early = create(&store, at(1)).await;
    let paused = create(&store, at(0)).await;
    assert!(store.set_task_enabled(paused, false, None).await.unwrap());
    assert_eq!(store.next_task_due().await.unwrap(), Some(slot(1)));
    let due = |now| {
        let store = store.clone();
        async move {
            let due = store.due_tasks(now, 10).await.unwrap();
            due.iter().map(|task| task.id).collect::<Vec<_>>()
        }
    };
    assert_eq!(due(UnixMs(slot(1).0 - 1)).await, [0_i64; 0]);
    assert_eq!(due(slot(1)).await, [early]);
    assert_eq!(due(slot(9)).await, [early, late]);
    assert_eq!(store.due_tasks(slot(9), 1).await.unwrap()[0].id, early);
    // Resumed, it runs when it is told to.
    assert!(store.set_task_enabled(paused, true, Some(slot(2))).await.unwrap());
    assert_eq!(due(slot(9)).await, [early, paused, late]);
    assert!(!store.set_task_enabled(99, true, None).await.unwrap());
}

#[tokio::test]
async fn times_beyond_the_year_9999_stay_behind_all_others() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let never = create(
        &store,
        NewTask {
            next_run: UnixMs(i64::MAX),
            ..task()
        },
    )
    .await;
    let next = get(&store, never).await.next_run.unwrap();
    assert!(next > UnixMs(253_000_000_000_000));
    assert_eq!(store.due_tasks(slot(0), 10).await.unwrap(), []);
    create(&store, task()).await;
    assert_eq!(store.next_task_due().await.unwrap(), Some(slot(0)));
}

#[tokio::test]
async fn a_parked_task_is_said_once_and_resumed_without_its_failures() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = create(&store, task()).await;
    let fire = taken(&store, action(id, 0)).await;
    store
        .end_fire(fire, failed(crate::AfterFailure::GoOn))
        .await
        .unwrap();
    assert!(store.park_task(id, "it failed").await.unwrap());
    assert!(!store.park_task(id, "it failed").await.unwrap());
    let parked = get(&store, id).await;
    assert_eq!(
        (parked.enabled, parked.parked, parked.failures, parked.failed_at),
        (false, Some((slot(0), "it failed".to_owned())), 1, Some(slot(0)))
    );
    assert_eq!(store.next_task_due().await.unwrap(), None);
    store.set_task_enabled(id, true, None).await.unwrap();
    let resumed = get(&store, id).await;
    assert_eq!(
        (
            resumed.enabled,
            resumed.parked,
            resumed.failures,
            resumed.failed_at
        ),
        (true, None, 0, None)
    );
}

#[tokio::test]
async fn a_wait_for_due_tasks_is_woken_by_all_that_may_change_them() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let mut work = store.task_work();
    let id = create(&store, task()).await;
    assert!(work.has_changed().unwrap());
    work.mark_unchanged();
    store.tasks(TaskFilter::default(), None, 10).await.unwrap();
    assert!(!store.cancel_task(99).await.unwrap());
    assert!(!work.has_changed().unwrap());
    store.set_task_enabled(id, true, Some(slot(1))).await.unwrap();
    assert!(work.has_changed().unwrap());
    work.mark_unchanged();
    let fire = taken(&store, action(id, 1)).await;
    assert!(work.has_changed().unwrap());
    work.mark_unchanged();
    store.end_fire(fire, crate::FireEnd::Done).await.unwrap();
    assert!(work.has_changed().unwrap());
    work.mark_unchanged();
    store.cancel_task(id).await.unwrap();
    assert!(work.has_changed().unwrap());
}

#[tokio::test]
async fn tasks_are_listed_by_workspace_creator_and_state_page_by_page() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let first = create(&store, task()).await;
    let other = create(
        &store,
        NewTask {
            workspace: "x".to_owned(),
            creator: agent("k"),
            ..task()
        },
    )
    .await;
    let paused = create(&store, task()).await;
    store.set_task_enabled(paused, false, None).await.unwrap();
    let list = |filter: TaskFilter, before, limit| {
        let store = store.clone();
        async move {
            let tasks = store.tasks(filter, before, limit).await.unwrap();
            tasks.iter().map(|task| task.id).collect::<Vec<_>>()
        }
    };
    let all = TaskFilter::default();
    assert_eq!(list(all.clone(), None, 2).await, [paused, other]);
    assert_eq!(list(all.clone(), Some(other), 2).await, [first]);
    let of = TaskFilter {
        workspace: Some("x".to_owned()),
        ..all.clone()
    };
    assert_eq!(list(of, None, 9).await, [other]);
    let made = TaskFilter {
        session_key: Some("k".to_owned()),
        ..all.clone()
    };
    assert_eq!(list(made, None, 9).await, [other]);
    let off = TaskFilter {
        enabled: Some(false),
        ..all
    };
    assert_eq!(list(off, None, 9).await, [paused]);
}

#[tokio::test]
async fn runs_and_tasks_that_are_over_go_by_retention_and_live_ones_stay() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let live = create(&store, task()).await;
    let over = create(&store, task()).await;
    let open = create(&store, task()).await;
    let fire = taken(&store, action(live, 0)).await;
    store.end_fire(fire, crate::FireEnd::Done).await.unwrap();
    let last = crate::Fire {
        next_run: crate::NextRun::Never,
        ..action(over, 0)
    };
    let fire = taken(&store, last).await;
    store.end_fire(fire, crate::FireEnd::Done).await.unwrap();
    taken(&store, action(open, 0)).await;
    let retention = Retention {
        processed: Duration::from_secs(3_600),
        failed: Duration::from_secs(3_600),
        tombstones: Duration::from_secs(3_600),
        audit: Duration::from_secs(3_600),
    };
    store.sweep(&retention).await.unwrap();
    assert_eq!(store.fires(live, None, 9).await.unwrap().len(), 1);
    fixture.advance(Duration::from_millis(3_600_000 + MINUTE.unsigned_abs()));
    store.sweep(&retention).await.unwrap();
    assert!(store.fires(live, None, 9).await.unwrap().is_empty());
    assert!(store.task(live).await.unwrap().is_some());
    assert!(store.task(over).await.unwrap().is_none());
    assert_eq!(store.fires(open, None, 9).await.unwrap().len(), 1);
}
