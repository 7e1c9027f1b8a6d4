//! Reactions that stop and retry, and edits that come too late.

use crate::{
    Answer, Arrival, ChannelId, Control, ControlEffect, Effect, NewMessage, OutClaim, OutWork, Outcome,
    Settle, Store,
};

use super::support::{Fixture, admit, channel, claim, claim_rows, command, failure, message, push, row};

fn by(sender: &str, message: NewMessage) -> NewMessage {
    NewMessage {
        sender: sender.to_owned(),
        ..message
    }
}

/// `sender` reacts to the message `on`, for the `n`th time. As an owner, `all` messages are its to act on.
async fn react(
    store: &Store,
    channel: ChannelId,
    (sender, all): (&str, bool),
    on: &str,
    what: Control,
    n: i64,
) -> Outcome {
    let effect = ControlEffect {
        on: on.to_owned(),
        what,
        may_all: all,
    };
    let reaction = NewMessage {
        platform_id: format!("reaction:{on}:{what:?}:{sender}:{n}"),
        ..by(sender, message("C1", 1_000 + n))
    };
    command(store, channel, reaction, Effect::Control(effect)).await
}

fn cancelled(outcome: &Outcome) -> Option<i64> {
    match outcome {
        Outcome::Consumed {
            cancelled,
            reply: None,
            ..
        } => *cancelled,
        other => panic!("{other:?}"),
    }
}

async fn texts(store: &Store, channel: ChannelId) -> Vec<String> {
    let turn = claim_rows(store, channel, 10).await;
    turn.map(|turn| turn.rows.into_iter().map(|row| row.content).collect())
        .unwrap_or_default()
}

/// Answers the turn that is claimed, and has the answer sent as message `sent`.
async fn answered(store: &Store, channel: ChannelId, turn: i64, sent: &str) {
    let answer = Answer {
        content: "the answer".to_owned(),
        parts: Some(vec!["the answer".to_owned()]),
    };
    store.finish(turn, Some(answer)).await.unwrap();
    let OutClaim::Work(OutWork::Send(part)) = store.claim_out(vec![channel]).await.unwrap() else {
        panic!("a part to send")
    };
    let platform_id = Some(sent.to_owned());
    store.settle(part.id, Settle::Sent { platform_id }).await.unwrap();
}

const ADA: (&str, bool) = ("U1", false);
const BOB: (&str, bool) = ("U2", false);
const OWNER: (&str, bool) = ("U0", true);

#[tokio::test]
async fn a_stop_ends_the_turn_of_its_message_and_what_waits_goes_on() {
    let store = Fixture::new().open();
    let channel = channel(&store).await;
    push(&store, channel, message("C1", 1)).await;
    push(&store, channel, message("C1", 2)).await;
    let turn = claim(&store, channel).await.unwrap();
    assert_eq!(
        cancelled(&react(&store, channel, BOB, "1", Control::Stop, 1).await),
        None,
        "not bob's"
    );
    let stopped = react(&store, channel, ADA, "1", Control::Stop, 1).await;
    assert_eq!(cancelled(&stopped), Some(turn.id));
    assert_eq!(
        react(&store, channel, ADA, "1", Control::Stop, 1).await,
        Outcome::Known,
        "delivered twice"
    );
    let late = store
        .finish(
            turn.id,
            Some(Answer {
                content: "late".into(),
                parts: None,
            }),
        )
        .await
        .unwrap();
    assert_eq!(late, crate::Finished::Already, "a late answer is dropped");
    assert_eq!(texts(&store, channel).await, ["text 2"]);
}

#[tokio::test]
async fn a_stop_on_what_waits_keeps_it_from_being_begun() {
    let store = Fixture::new().open();
    let channel = channel(&store).await;
    push(&store, channel, message("C1", 1)).await;
    push(&store, channel, message("C1", 2)).await;
    let running = claim(&store, channel).await.unwrap();
    assert_eq!(
        cancelled(&react(&store, channel, ADA, "2", Control::Stop, 1).await),
        None
    );
    store.finish(running.id, None).await.unwrap();
    assert!(claim(&store, channel).await.is_none());
}

#[tokio::test]
async fn a_stop_on_our_answer_ends_what_runs_in_that_conversation() {
    let store = Fixture::new().open();
    let channel = channel(&store).await;
    push(&store, channel, message("C1", 1)).await;
    let first = claim(&store, channel).await.unwrap();
    answered(&store, channel, first.id, "A1").await;
    push(&store, channel, message("C1", 2)).await;
    let second = claim(&store, channel).await.unwrap();
    assert_eq!(
        cancelled(&react(&store, channel, OWNER, "A1", Control::Stop, 1).await),
        Some(second.id)
    );
}

#[tokio::test]
async fn a_parked_message_is_brought_back_by_its_author_or_an_owner() {
    let store = Fixture::with(|options| options.max_attempts = 1).open();
    let channel = channel(&store).await;
    for (n, who) in [(1, ADA), (2, OWNER)] {
        push(&store, channel, message("C1", n)).await;
        let turn = claim(&store, channel).await.unwrap();
        store.fail(turn.id, failure("poison")).await.unwrap();
        let on = n.to_string();
        react(&store, channel, BOB, &on, Control::Retry, n).await;
        assert!(claim(&store, channel).await.is_none(), "not bob's");
        react(&store, channel, who, &on, Control::Retry, n).await;
        let again = claim(&store, channel).await.unwrap();
        assert_eq!(again.id, turn.id, "the very row");
        store.finish(again.id, None).await.unwrap();
    }
}

#[tokio::test]
async fn an_answered_message_is_asked_again_once_for_each_reaction() {
    let store = Fixture::new().open();
    let channel = channel(&store).await;
    let owned = NewMessage {
        role: "owner".to_owned(),
        ..message("C1", 1)
    };
    let id = row(&push(&store, channel, owned).await);
    answered(&store, channel, claim(&store, channel).await.unwrap().id, "A1").await;
    for on in ["1", "A1"] {
        let n = i64::from(on == "A1");
        react(&store, channel, ADA, on, Control::Retry, n).await;
        react(&store, channel, ADA, on, Control::Retry, n).await;
        let turn = claim(&store, channel).await.unwrap();
        assert_ne!(turn.id, id, "a row of its own");
        let asked = &turn.rows[0];
        assert_eq!(
            (asked.content.as_str(), asked.platform_id.as_deref()),
            ("text 1", Some("1")),
            "{on}"
        );
        // Ada is a member by now: she has no more rights than that.
        assert_eq!(asked.role.as_deref(), Some("member"));
        react(&store, channel, ADA, "1", Control::Retry, 10 + n).await;
        store.finish(turn.id, None).await.unwrap();
        assert!(
            claim(&store, channel).await.is_none(),
            "what runs is not asked again"
        );
    }
}

#[tokio::test]
async fn asked_again_after_a_reset_it_begins_the_fresh_session() {
    let store = Fixture::new().open();
    let channel = channel(&store).await;
    push(&store, channel, message("C1", 1)).await;
    let first = claim(&store, channel).await.unwrap();
    store.finish(first.id, None).await.unwrap();
    let reset = Effect::Reset(Box::new(|_| String::new()));
    command(&store, channel, message("C1", 2), reset).await;
    let began = |outcome: Outcome| match outcome {
        Outcome::Consumed { session_started, .. } => session_started,
        other => panic!("{other:?}"),
    };
    let again = react(&store, channel, ADA, "1", Control::Retry, 1).await;
    assert_eq!(began(again).as_deref(), Some("s:w:C1:r1"));
    let turn = claim(&store, channel).await.unwrap();
    assert_eq!(turn.session_key, "s:w:C1:r1");
    store.finish(turn.id, None).await.unwrap();
    let again = react(&store, channel, ADA, "1", Control::Retry, 2).await;
    assert_eq!(began(again), None);
}

#[tokio::test]
async fn what_is_asked_again_waits_for_its_quota() {
    let fixture = Fixture::with(|options| options.max_attempts = 1);
    let store = fixture.open();
    let channel = channel(&store).await;
    let minute = std::time::Duration::from_secs(60);
    push(&store, channel, message("C1", 1)).await;
    let parked = claim(&store, channel).await.unwrap();
    for n in 1..=2 {
        match n {
            1 => drop(store.fail(parked.id, failure("poison")).await.unwrap()),
            _ => drop(store.finish(parked.id, None).await.unwrap()),
        }
        let effect = ControlEffect {
            on: "1".to_owned(),
            what: Control::Retry,
            may_all: false,
        };
        let reaction = NewMessage {
            platform_id: format!("r{n}"),
            not_before: Some(fixture.now().plus(minute)),
            ..by("U1", message("C1", 10 + n))
        };
        command(&store, channel, reaction, Effect::Control(effect)).await;
        assert!(claim(&store, channel).await.is_none(), "{n}");
        fixture.advance(minute);
        assert!(claim(&store, channel).await.is_some(), "{n}");
    }
}

#[tokio::test]
async fn what_was_no_turn_is_not_asked_again() {
    let store = Fixture::new().open();
    let channel = channel(&store).await;
    let help = Effect::Reply(Box::new(|_| "help".to_owned()));
    command(&store, channel, message("C1", 1), help).await;
    for on in ["1", "nobody's"] {
        react(&store, channel, OWNER, on, Control::Retry, 1).await;
        react(&store, channel, OWNER, on, Control::Stop, 1).await;
    }
    assert!(claim(&store, channel).await.is_none());
}

fn edited(id: i64, text: &str, at: i64) -> Arrival {
    let message = NewMessage {
        content: text.to_owned(),
        prompt: text.to_owned(),
        ..message("C1", id)
    };
    Arrival::EditOrTurn { edited: at, message }
}

async fn edit(store: &Store, channel: ChannelId, id: i64, text: &str, at: i64) -> Outcome {
    admit(store, channel, vec![edited(id, text, at)], None)
        .await
        .unwrap()
        .remove(0)
}

#[tokio::test]
async fn an_edit_that_comes_too_late_is_a_turn_of_its_own_behind_what_waits() {
    let store = Fixture::new().open();
    let channel = channel(&store).await;
    push(&store, channel, message("C1", 1)).await;
    let first = claim(&store, channel).await.unwrap();
    push(&store, channel, message("C1", 2)).await;
    assert!(matches!(
        edit(&store, channel, 1, "better", 11).await,
        Outcome::New { .. }
    ));
    assert_eq!(
        edit(&store, channel, 1, "better", 11).await,
        Outcome::Ignored,
        "delivered twice"
    );
    assert!(
        matches!(edit(&store, channel, 1, "best", 12).await, Outcome::Edited { .. }),
        "it still waits"
    );
    assert_eq!(
        edit(&store, channel, 1, "better", 11).await,
        Outcome::Ignored,
        "out of order"
    );
    store.finish(first.id, None).await.unwrap();
    let second = claim(&store, channel).await.unwrap();
    assert_eq!(second.rows[0].content, "text 2");
    store.finish(second.id, None).await.unwrap();
    let third = claim(&store, channel).await.unwrap();
    assert_eq!(third.rows[0].content, "best");
    assert_eq!(third.rows[0].platform_id.as_deref(), Some("1"));
    store.finish(third.id, None).await.unwrap();
    assert_eq!(edit(&store, channel, 1, "best", 12).await, Outcome::Ignored);
    assert_eq!(
        edit(&store, channel, 1, "best", 13).await,
        Outcome::Ignored,
        "nothing new is said"
    );
    assert_eq!(edit(&store, channel, 7, "never seen", 1).await, Outcome::Ignored);
}

#[tokio::test]
async fn an_edit_in_time_replaces_and_a_deletion_takes_the_late_one_back() {
    let store = Fixture::new().open();
    let channel = channel(&store).await;
    push(&store, channel, message("C1", 1)).await;
    assert!(matches!(
        edit(&store, channel, 1, "in time", 11).await,
        Outcome::Edited { .. }
    ));
    let turn = claim(&store, channel).await.unwrap();
    assert_eq!(turn.rows[0].content, "in time");
    store.finish(turn.id, None).await.unwrap();
    edit(&store, channel, 1, "too late", 12).await;
    let gone = Arrival::Withdraw {
        conversation: "C1".to_owned(),
        platform_id: "1".to_owned(),
    };
    let outcome = admit(&store, channel, vec![gone], None).await.unwrap().remove(0);
    assert!(matches!(outcome, Outcome::Withdrawn { .. }), "{outcome:?}");
    assert!(claim(&store, channel).await.is_none());
}
