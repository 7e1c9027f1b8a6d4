use kata_store::{Creator, TaskKind};
use serde_json::{Value, json};

use super::*;

/// 2026-03-27T09:00:00Z.
const START: i64 = 1_774_602_000_000;
const MINUTE: i64 = 60_000;

fn at(minutes: i64) -> UnixMs {
    UnixMs(START + minutes * MINUTE)
}

/// Every ten minutes, due for the first time at ten.
fn task(settings: Value) -> Task {
    Task {
        id: 5,
        workspace: "w".into(),
        kind: TaskKind::Interval,
        schedule: (10 * MINUTE).to_string(),
        action: Value::Null,
        zone: Some("UTC".into()),
        settings,
        creator: Creator::Host,
        enabled: true,
        last_run: None,
        next_run: Some(at(10)),
        created_at: Some(at(0)),
        failures: 0,
        failed_at: None,
        parked: None,
        over_at: None,
        running: None,
    }
}

fn once(settings: Value) -> Task {
    Task {
        kind: TaskKind::OneShot,
        schedule: "2026-03-27T09:10:00Z".into(),
        ..task(settings)
    }
}

/// The slot that is run, how many were skipped, and what comes next; minutes.
fn shown(plan: &Plan) -> (Option<i64>, u64, Option<i64>) {
    let minutes = |at: UnixMs| (at.0 - START) / MINUTE;
    let next = |next: NextRun| match next {
        NextRun::At(at) => Some(minutes(at)),
        NextRun::Never | NextRun::Stays => None,
    };
    match plan {
        Plan::Fire {
            slot,
            next: n,
            missed,
        } => {
            assert!(missed.as_ref().is_none_or(|m| m.next_run == NextRun::Stays));
            (
                Some(minutes(*slot)),
                missed.as_ref().map_or(0, |m| m.slots),
                next(*n),
            )
        }
        Plan::Skip(skipped) => (None, skipped.slots, next(skipped.next_run)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_run_on_time_runs_whatever_becomes_of_missed_ones() {
    for settings in [
        Value::Null,
        json!({"missed": "skip"}),
        json!({"missed": "all"}),
        json!({"missedGraceMs": 0}),
    ] {
        let plan = plan(&task(settings.clone()), UnixMs(at(10).0 + 40));
        assert_eq!(shown(&plan), (Some(10), 0, Some(20)), "{settings}");
    }
}

#[test]
fn after_a_sleep_the_newest_run_is_made_up_for_within_its_grace() {
    let asleep = |settings, minutes| shown(&plan(&task(settings), at(minutes)));
    assert_eq!(asleep(Value::Null, 47), (Some(40), 3, Some(50)));
    assert_eq!(
        asleep(json!({"missedGraceMs": 5 * MINUTE}), 47),
        (None, 4, Some(50))
    );
    assert_eq!(asleep(json!({"missed": "skip"}), 47), (None, 4, Some(50)));
    // The newest one is on time.
    assert_eq!(asleep(json!({"missed": "skip"}), 40), (Some(40), 3, Some(50)));
}

#[test]
fn all_missed_runs_are_made_up_for_one_after_the_other_up_to_their_number() {
    let all = json!({"missed": "all", "missedMax": 2});
    let first = plan(&task(all.clone()), at(47));
    assert_eq!(shown(&first), (Some(30), 2, Some(40)));
    let mut after = task(all);
    after.next_run = Some(at(40));
    after.running = Some(1);
    assert_eq!(plan(&after, at(47)), Plan::Wait);
    after.running = None;
    assert_eq!(shown(&plan(&after, at(48))), (Some(40), 0, Some(50)));
}

#[test]
fn a_single_run_is_late_within_its_grace_and_over_after_it() {
    assert_eq!(shown(&plan(&once(Value::Null), at(60 * 24))), (Some(10), 0, None));
    let too_late = plan(&once(Value::Null), at(60 * 24 * 4));
    assert_eq!(shown(&too_late), (None, 1, None));
    assert!(matches!(
        too_late,
        Plan::Skip(Skipped {
            next_run: NextRun::Never,
            ..
        })
    ));
}

#[test]
fn a_failed_run_that_is_tried_again_is_on_no_calendar() {
    let mut again = once(Value::Null);
    again.next_run = Some(at(13));
    again.failures = 1;
    again.failed_at = Some(at(12));
    assert_eq!(shown(&plan(&again, at(13))), (Some(13), 0, None));
}

#[test]
fn a_task_whose_runs_fail_is_left_alone_for_a_while_and_then_for_good() {
    let mut failing = task(Value::Null);
    (failing.failures, failing.failed_at) = (4, Some(at(9)));
    // Eight minutes.
    assert_eq!(shown(&plan(&failing, at(10))), (None, 1, Some(20)));
    failing.next_run = Some(at(20));
    assert_eq!(shown(&plan(&failing, at(20))), (Some(20), 0, Some(30)));
    failing.failures = 5;
    assert!(matches!(plan(&failing, at(20)), Plan::Park(_)));
    // Somebody set the clock back by a year.
    (failing.failures, failing.failed_at) = (1, Some(at(60 * 24 * 365)));
    assert!(matches!(plan(&failing, at(20)), Plan::Fire { .. }));
}

#[test]
fn a_delay_moves_a_run_and_never_past_the_next_one() {
    let jitter = json!({"jitterMs": 5 * MINUTE});
    let delayed = task(jitter);
    let rules = Rules::read(&delayed.settings);
    let schedule = times::schedule(&delayed, at(0)).unwrap().unwrap();
    let begins = |minutes| first(&schedule, 5, &rules, at(minutes)).unwrap();
    let (one, two) = (begins(0), begins(10));
    assert!(one >= at(10) && one < at(15) && two >= at(20) && two < at(25));
    let mut armed = delayed;
    armed.next_run = Some(one);
    // Just before the second one begins, its time has come already, and its delay is not over.
    for now in [one, UnixMs(two.0 - 1)] {
        let Plan::Fire { slot, next, missed } = plan(&armed, now) else {
            panic!("nothing at {now:?}")
        };
        assert_eq!((slot, next, missed), (one, NextRun::At(two), None));
    }
    let Plan::Fire { slot, missed, .. } = plan(&armed, two) else {
        panic!("nothing at {two:?}")
    };
    assert_eq!((slot, missed.map(|m| m.slots)), (two, Some(1)));
}

#[test]
fn a_task_that_was_stored_badly_is_put_right_or_put_aside() {
    let mut unread = task(Value::Null);
    unread.next_run = None;
    assert_eq!(plan(&unread, at(12)), Plan::Rearm(at(20)));
    unread = once(Value::Null);
    unread.next_run = None;
    assert_eq!(plan(&unread, at(12)), Plan::Disable);
    let mut nonsense = task(Value::Null);
    nonsense.schedule = "now and then".into();
    assert!(matches!(plan(&nonsense, at(12)), Plan::Park(_)));
    // A pattern without runs to come, as 0.7 stored it: the run that it was armed for is its last.
    let mut past = task(Value::Null);
    (past.kind, past.schedule) = (TaskKind::Cron, "0 0 9 27 3 * 2026".into());
    assert_eq!(shown(&plan(&past, at(10))), (Some(10), 0, None));
}

#[test]
fn an_interval_of_a_millisecond_runs_once_a_second() {
    let mut busy = task(Value::Null);
    busy.schedule = "1".into();
    let Plan::Fire {
        next: NextRun::At(next),
        ..
    } = plan(&busy, at(10))
    else {
        panic!("no run")
    };
    assert_eq!(next, UnixMs(at(10).0 + 1000));
}
