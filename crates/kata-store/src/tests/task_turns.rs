//! The turns of tasks: which lane, which session, whose rights, and where the answer goes (D10, D15).

use serde_json::Value;

use crate::{
    Answer, Claim, ClaimedTurn, Effect, Failed, Finished, FireState, Fired, NewTask, OutClaim, OutWork, Store,
};

use super::{
    planner::{action, agent, create, fired, get, slot, task, turn},
    support::{Fixture, channel, claim, claim_rows, command, failure, message, push, row},
};

const KEY: &str = "s:w:C1:r0";

async fn claim_task(store: &Store, configured: Vec<crate::ChannelId>) -> Option<ClaimedTurn> {
    match store.claim_task(configured).await.unwrap() {
        Claim::Turn(turn) => Some(*turn),
        Claim::Nothing { .. } => None,
    }
}

fn answer(text: &str) -> Option<Answer> {
    Some(Answer {
        content: text.to_owned(),
        parts: Some(vec![text.to_owned()]),
    })
}

async fn state(store: &Store, id: i64) -> FireState {
    store.fires(id, None, 1).await.unwrap()[0].state
}

/// A conversation C1 that has spoken once.
async fn conversation(store: &Store) -> crate::ChannelId {
    let id = channel(store).await;
    push(store, id, message("C1", 1)).await;
    let first = claim(store, id).await.unwrap();
    store.finish(first.id, None).await.unwrap();
    id
}

#[tokio::test]
async fn a_turn_of_a_known_session_is_one_of_its_lane_and_is_answered_there() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = conversation(&store).await;
    let task = create(&store, task()).await;
    let mut work = store.work();
    work.mark_unchanged();
    let opened = fired(&store, turn(task, 3, KEY)).await;
    assert!(work.has_changed().unwrap());
    assert_eq!(
        (
            opened.channel,
            opened.session_key.as_str(),
            opened.session_started,
            opened.keeps_answer
        ),
        (id, KEY, false, false)
    );
    let claimed = claim(&store, id).await.unwrap();
    assert_eq!(
        (
            claimed.id,
            claimed.conversation.as_str(),
            claimed.session_key.as_str()
        ),
        (opened.row, "C1", KEY)
    );
    let said = &claimed.rows[0];
    assert_eq!(
        (said.platform_id.as_deref(), said.role.as_deref(), said.sent_at),
        (
            Some(&*format!("task:{task}:{}", slot(3).0)),
            Some("owner"),
            slot(3)
        )
    );
    assert_eq!(
        (said.content.as_str(), said.prompt.as_str()),
        ("do it", "do it, says the clock")
    );
    assert_eq!(
        ["sessionKey", "workspaceId", "taskId"].map(|name| said.metadata[name].clone()),
        [Value::from(KEY), "w".into(), task.into()]
    );
    store.finish(claimed.id, answer("done")).await.unwrap();
    let OutClaim::Work(OutWork::Send(part)) = store.claim_out(vec![id]).await.unwrap() else {
        panic!("nothing to send")
    };
    // No message of the platform is answered.
    assert_eq!(
        (part.conversation.as_str(), part.text.as_str(), part.reply_to),
        ("C1", "done", None)
    );
    assert_eq!(state(&store, task).await, FireState::Done);
    let told = store.explain(&claimed.id.to_string()).await.unwrap();
    assert!(told[0].steps.iter().any(|step| step.what == "fired"));
}

#[tokio::test]
async fn after_a_reset_the_turn_is_one_of_the_fresh_session() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = conversation(&store).await;
    let task = create(&store, task()).await;
    command(
        &store,
        id,
        message("C1", 2),
        Effect::Reset(Box::new(|_| String::new())),
    )
    .await;
    let opened = fired(&store, turn(task, 0, KEY)).await;
    assert_eq!(
        (opened.session_key.as_str(), opened.session_started),
        ("s:w:C1:r1", true)
    );
}

#[tokio::test]
async fn a_task_of_a_message_alone_speaks_in_the_conversations_own_session_which_its_turn_does_not_end() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let alone = crate::NewMessage {
        alone: true,
        ..message("C1", 1)
    };
    push(&store, id, alone).await;
    let first = claim(&store, id).await.unwrap();
    let task = create(&store, task()).await;
    // Due while the message that it was made for is not answered yet.
    let opened = fired(&store, turn(task, 0, &first.session_key)).await;
    assert_eq!((opened.session_key.as_str(), opened.session_started), (KEY, true));
    let over = |finished: Finished| match finished {
        Finished::Done { ended, .. } => ended.map(|session| session.key),
        other => panic!("{other:?}"),
    };
    let answered = store.finish(first.id, None).await.unwrap();
    assert_eq!(over(answered), Some(first.session_key));
    let second = claim(&store, id).await.unwrap();
    assert_eq!(second.id, opened.row);
    assert_eq!(over(store.finish(second.id, None).await.unwrap()), None);
}

#[tokio::test]
async fn a_turn_stands_behind_what_waits_and_shares_no_turn_with_it() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = conversation(&store).await;
    let task = create(&store, task()).await;
    let before = [
        push(&store, id, message("C1", 2)).await,
        push(&store, id, message("C1", 3)).await,
    ];
    let opened = fired(&store, turn(task, 0, KEY)).await;
    let after = push(&store, id, message("C1", 4)).await;
    let mut turns = Vec::new();
    while let Some(turn) = claim_rows(&store, id, 10).await {
        turns.push(turn.rows.iter().map(|row| row.id).collect::<Vec<_>>());
        store.finish(turn.id, None).await.unwrap();
    }
    assert_eq!(
        turns,
        [
            vec![row(&before[0]), row(&before[1])],
            vec![opened.row],
            vec![row(&after)]
        ]
    );
}

#[tokio::test]
async fn a_turn_of_a_session_never_seen_runs_and_its_answer_stays_in_its_row() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let task = create(&store, task()).await;
    let opened = fired(&store, turn(task, 0, "daemon-s-0123456789ab")).await;
    assert!(opened.keeps_answer && !opened.session_started);
    let claimed = claim_task(&store, Vec::new()).await.unwrap();
    assert_eq!(
        (
            claimed.id,
            claimed.workspace.as_str(),
            claimed.slug.as_str(),
            claimed.session_key.as_str()
        ),
        (opened.row, "w", "s", "daemon-s-0123456789ab")
    );
    assert!(claim_task(&store, Vec::new()).await.is_none());
    let Finished::Done {
        answer: Some(kept), ..
    } = store.finish(claimed.id, answer("done")).await.unwrap()
    else {
        panic!("no answer")
    };
    let id = channel(&store).await;
    assert!(matches!(
        store.claim_out(vec![id]).await.unwrap(),
        OutClaim::Nothing { next_due: None }
    ));
    let listed = store
        .messages(Default::default(), None, 1)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(
        (listed.id, listed.content.as_str(), listed.outcome.as_deref()),
        (kept, "done", Some("kept"))
    );
    assert_eq!(state(&store, task).await, FireState::Done);
    // No platform is asked for the history of a place that it does not have.
    assert!(store.conversations(id).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_conversation_that_comes_later_gets_the_turns_of_its_key() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let task = create(&store, task()).await;
    fired(&store, turn(task, 0, KEY)).await;
    let first = claim_task(&store, Vec::new()).await.unwrap();
    store.finish(first.id, None).await.unwrap();
    let id = conversation(&store).await;
    let opened = fired(&store, turn(task, 1, KEY)).await;
    assert!(!opened.keeps_answer);
    assert_eq!(claim(&store, id).await.unwrap().conversation, "C1");
}

#[tokio::test]
async fn task_turns_need_no_channel_and_nothing_else_of_such_a_channel_is_claimed() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = conversation(&store).await;
    let task = create(&store, task()).await;
    let waits = push(&store, id, message("C1", 2)).await;
    let opened = fired(&store, turn(task, 0, KEY)).await;
    // It stands behind a message that waits for its channel.
    assert!(claim_task(&store, Vec::new()).await.is_none());
    store.cancel(row(&waits), "withdrawn").await.unwrap();
    push(&store, id, message("C1", 3)).await;
    // Configured, it is claimed with the others.
    assert!(claim_task(&store, vec![id]).await.is_none());
    store.set_paused(id, true).await.unwrap();
    assert!(claim_task(&store, Vec::new()).await.is_none());
    store.set_paused(id, false).await.unwrap();
    assert_eq!(claim_task(&store, Vec::new()).await.unwrap().id, opened.row);
    store.finish(opened.row, None).await.unwrap();
    assert!(claim_task(&store, Vec::new()).await.is_none());
}

#[tokio::test]
async fn a_message_behind_a_turn_that_the_earlier_daemon_ended_waits_for_its_channel() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = conversation(&store).await;
    let task = create(&store, task()).await;
    let opened = fired(&store, turn(task, 0, KEY)).await;
    let waits = push(&store, id, message("C1", 2)).await;
    fixture
        .raw()
        .execute(
            "UPDATE messages SET status = 'processed' WHERE id = ?1",
            [opened.row],
        )
        .unwrap();
    assert!(claim_task(&store, Vec::new()).await.is_none());
    assert_eq!(claim(&store, id).await.unwrap().id, row(&waits));
}

#[tokio::test]
async fn a_task_of_an_agent_speaks_with_its_creators_rights_also_after_it_was_cancelled() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = conversation(&store).await;
    let creator = agent(KEY);
    let task = create(
        &store,
        NewTask {
            creator: creator.clone(),
            ..task()
        },
    )
    .await;
    let opened = fired(&store, turn(task, 0, KEY)).await;
    let claimed = claim(&store, id).await.unwrap();
    store.cancel_task(task).await.unwrap();
    assert_eq!(claimed.rows[0].role.as_deref(), Some("member"));
    let by = store.fired_by(opened.row).await.unwrap().unwrap();
    assert_eq!((by.task, by.slot, by.creator), (task, slot(0), creator));
    let plain = push(&store, id, message("C1", 9)).await;
    assert_eq!(store.fired_by(row(&plain)).await.unwrap(), None);
}

#[tokio::test]
async fn a_cancelled_task_begins_no_turn_that_waits_and_one_that_runs_is_answered() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = conversation(&store).await;
    let waits = create(&store, task()).await;
    let runs = create(&store, task()).await;
    let running = fired(&store, turn(runs, 0, KEY)).await;
    let claimed = claim(&store, id).await.unwrap();
    let waiting = fired(&store, turn(waits, 0, KEY)).await;
    let after = push(&store, id, message("C1", 9)).await;
    assert!(store.cancel_task(waits).await.unwrap() && store.cancel_task(runs).await.unwrap());
    let finished = store.finish(claimed.id, answer("done")).await.unwrap();
    assert!(matches!(finished, Finished::Done { answer: Some(_), .. }) && claimed.id == running.row);
    assert_eq!(claim(&store, id).await.unwrap().id, row(&after));
    let fire = store.fires(waits, None, 1).await.unwrap().remove(0);
    assert_eq!(
        (fire.state, fire.error.as_deref(), fire.message),
        (FireState::Done, Some("its task was cancelled"), Some(waiting.row))
    );
}

#[tokio::test]
async fn a_cancelled_task_is_not_tried_again() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = conversation(&store).await;
    let task = create(&store, task()).await;
    let opened = fired(&store, turn(task, 0, KEY)).await;
    claim(&store, id).await.unwrap();
    store.fail(opened.row, failure("no")).await.unwrap();
    store.cancel_task(task).await.unwrap();
    fixture.advance(std::time::Duration::from_secs(3600));
    assert!(claim(&store, id).await.is_none());
}

#[tokio::test]
async fn a_turn_that_is_given_up_is_a_failure_of_its_task_and_a_late_answer_none() {
    let fixture = Fixture::with(|options| options.max_attempts = 1);
    let store = fixture.open();
    let id = conversation(&store).await;
    let task = create(&store, task()).await;
    let opened = fired(&store, turn(task, 0, KEY)).await;
    claim(&store, id).await.unwrap();
    assert_eq!(store.fire(turn(task, 1, KEY)).await.unwrap(), Fired::Overlaps);
    let mut work = store.task_work();
    work.mark_unchanged();
    let parked = store.fail(opened.row, failure("no")).await.unwrap();
    assert!(matches!(parked, Failed::Parked { .. }));
    assert!(work.has_changed().unwrap());
    let found = get(&store, task).await;
    assert_eq!(
        (found.failures, found.failed_at, found.running),
        (1, Some(fixture.now()), None)
    );
    // D13: a first success is taken whenever it comes.
    store.finish(opened.row, None).await.unwrap();
    assert_eq!(get(&store, task).await.failures, 0);
    let fires = store.fires(task, None, 9).await.unwrap();
    assert_eq!(
        (fires[1].state, fires[1].message),
        (FireState::Done, Some(opened.row))
    );
}

#[tokio::test]
async fn a_turn_that_a_user_ends_is_no_failure() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = conversation(&store).await;
    let task = create(&store, task()).await;
    fired(&store, turn(task, 0, KEY)).await;
    let claimed = claim(&store, id).await.unwrap();
    store.cancel(claimed.id, "stopped").await.unwrap();
    assert_eq!(get(&store, task).await.failures, 0);
    let fire = store.fires(task, None, 1).await.unwrap().remove(0);
    assert_eq!(
        (fire.state, fire.error.as_deref()),
        (FireState::Done, Some("stopped"))
    );
    fired(&store, turn(task, 1, KEY)).await;
}

#[tokio::test]
async fn a_turn_outlives_a_restart_and_the_record_of_its_run_too() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = conversation(&store).await;
    let task = create(&store, task()).await;
    let opened = fired(&store, turn(task, 0, KEY)).await;
    claim(&store, id).await.unwrap();
    store.close().await.unwrap();
    let store = fixture.open();
    assert_eq!(store.fire(turn(task, 0, KEY)).await.unwrap(), Fired::Known);
    assert_eq!(store.fire(turn(task, 1, KEY)).await.unwrap(), Fired::Overlaps);
    // The record of the run is gone before its row is: it is known all the same.
    fixture.raw().execute("DELETE FROM kata_fires", []).unwrap();
    assert_eq!(store.fire(turn(task, 0, KEY)).await.unwrap(), Fired::Known);
    fixture.advance(std::time::Duration::from_secs(60));
    assert_eq!(claim(&store, id).await.unwrap().id, opened.row);
    assert!(matches!(
        store.finish(opened.row, None).await.unwrap(),
        Finished::Done { answer: None, .. }
    ));
    assert!(matches!(
        store.fire(action(task, 5)).await.unwrap(),
        Fired::Taken { .. }
    ));
}
