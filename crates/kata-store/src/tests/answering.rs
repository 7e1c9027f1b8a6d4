//! Answers: who may, the first one counts, too late is no denial, and the answer is one commit with its row (D2).

use std::time::Duration;

use crate::{
    Answered, AnsweredWhat, Approval, ApprovalDecision, ApprovalEffect, ApprovalState, AuditFilter,
    AuditKind, ChannelId, Outcome, Reply, Ruling, Run, Store, Via,
};

use super::{
    desk::{asked, audited, effect, judged, open, out, question, reply, resolve, said, turn},
    support::{Fixture, channel, claim, failure},
};

const MINUTES: Duration = Duration::from_secs(600);

/// A store, its channel, a running turn in `C1`, and what it asked.
async fn asking(fixture: &Fixture) -> (Store, ChannelId, i64, Approval) {
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = turn(&store, id, "C1", 1).await;
    let approval = asked(&store, id, "C1", turn, "d", fixture.now()).await;
    (store, id, turn, approval)
}

fn parts(answered: Option<Answered>) -> (AnsweredWhat, Run, Option<ApprovalState>) {
    let answered = answered.expect("an answer");
    (
        answered.what,
        answered.run,
        answered.approval.map(|approval| approval.state),
    )
}

async fn grants(store: &Store) -> usize {
    store
        .grants(crate::GrantFilter::default(), None, 100)
        .await
        .unwrap()
        .len()
}

#[tokio::test]
async fn an_answer_in_the_conversation_is_one_commit_with_its_row_and_is_answered() {
    let fixture = Fixture::new();
    let (store, id, turn, approval) = asking(&fixture).await;
    let effect = effect(&approval.code, ApprovalDecision::AllowOnce);
    let (outcome, answered) = said(&store, id, "C1", 2, effect).await;
    let found = answered.clone().unwrap().approval.unwrap();
    assert_eq!(
        parts(answered),
        (AnsweredWhat::Taken, Run::Open, Some(ApprovalState::AllowedOnce))
    );
    assert_eq!(store.approval(approval.id).await.unwrap(), Some(found.clone()));
    let expected = Reply {
        decision: ApprovalDecision::AllowOnce,
        by: "U2".to_owned(),
        via: Via::Conversation,
        reason: None,
    };
    assert_eq!(
        (found.reply, found.closed_at),
        (Some(expected), Some(fixture.now()))
    );
    assert!(found.grant.is_some());
    // The card was not sent yet, and is not wanted any more; what is said to the answer is.
    let part = out(&store, id).await.unwrap();
    assert_eq!(part.text, "Taken");
    let Outcome::Consumed { row, reply, .. } = outcome else {
        panic!()
    };
    assert_eq!(reply, Some(part.answer));
    let told = store.explain(&row.to_string()).await.unwrap().remove(0);
    assert_eq!(told.message.outcome.as_deref(), Some("approval"));
    let error = told.message.error.unwrap();
    assert_eq!(error, format!("this answer to approval {} counts", approval.id));
    assert_eq!(judged(&store, id, "C1", turn, "d").await.decision, Ruling::Allow);
    assert!(claim(&store, id).await.is_none(), "an answer is no turn");
}

#[tokio::test]
async fn the_same_message_again_answers_nothing() {
    let fixture = Fixture::new();
    let (store, id, turn, approval) = asking(&fixture).await;
    said(
        &store,
        id,
        "C1",
        2,
        effect(&approval.code, ApprovalDecision::Deny),
    )
    .await;
    let again = asked(&store, id, "C1", turn, "e", fixture.now()).await;
    let (outcome, _) = said(
        &store,
        id,
        "C1",
        2,
        effect(&again.code, ApprovalDecision::AllowHour),
    )
    .await;
    assert_eq!(outcome, Outcome::Known);
    assert_eq!(
        store.approval(again.id).await.unwrap().unwrap().state,
        ApprovalState::Open
    );
}

#[tokio::test]
async fn of_two_answers_at_once_one_counts() {
    let fixture = Fixture::new();
    let (store, id, _, approval) = asking(&fixture).await;
    let (host, (_, there)) = tokio::join!(
        resolve(&store, approval.id, ApprovalDecision::AllowOnce),
        said(
            &store,
            id,
            "C1",
            2,
            effect(&approval.code, ApprovalDecision::AllowHour)
        ),
    );
    let mut heard = [host.what, there.unwrap().what];
    heard.sort_by_key(|what| *what != AnsweredWhat::Taken);
    assert_eq!(heard, [AnsweredWhat::Taken, AnsweredWhat::Already]);
    assert_eq!(grants(&store).await, 1);
}

#[tokio::test]
async fn a_denial_mints_nothing_and_a_later_yes_changes_nothing() {
    let fixture = Fixture::new();
    let (store, id, turn, approval) = asking(&fixture).await;
    let reply = Reply {
        reason: Some("not today".to_owned()),
        ..reply(ApprovalDecision::Deny)
    };
    let denied = store.resolve_approval(approval.id, reply.clone()).await.unwrap();
    assert_eq!(denied.what, AnsweredWhat::Taken);
    assert_eq!(denied.approval.unwrap().reply, Some(reply));
    let yes = resolve(&store, approval.id, ApprovalDecision::AllowHour).await;
    assert_eq!(
        parts(Some(yes)),
        (AnsweredWhat::Already, Run::Open, Some(ApprovalState::Denied))
    );
    assert_eq!(grants(&store).await, 0);
    assert_eq!(judged(&store, id, "C1", turn, "d").await.decision, Ruling::Ask);
    let row = store
        .audit(AuditFilter::default(), None, 2)
        .await
        .unwrap()
        .remove(1);
    assert_eq!(
        (row.kind, row.reason.as_deref()),
        (AuditKind::Answered, Some("not today"))
    );
    assert_eq!(
        (row.by.as_deref(), row.decision.as_deref()),
        (Some("U2"), Some("deny"))
    );
}

#[tokio::test]
async fn somebody_who_may_not_answer_changes_nothing_and_is_written_down() {
    let fixture = Fixture::new();
    let (store, id, _, approval) = asking(&fixture).await;
    let stranger = ApprovalEffect {
        may_answer: false,
        by: "U9".to_owned(),
        ..effect(&approval.code, ApprovalDecision::AllowHour)
    };
    let (_, answered) = said(&store, id, "C1", 2, stranger).await;
    assert_eq!(
        parts(answered),
        (AnsweredWhat::NotAllowed, Run::Open, Some(ApprovalState::Open))
    );
    assert_eq!(grants(&store).await, 0);
    let row = store
        .audit(AuditFilter::default(), None, 1)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(
        (row.kind, row.by.as_deref()),
        (AuditKind::AnswerRefused, Some("U9"))
    );
    let owner = resolve(&store, approval.id, ApprovalDecision::AllowOnce).await;
    assert_eq!(owner.what, AnsweredWhat::Taken);
}

#[tokio::test]
async fn a_code_counts_in_its_own_conversation_and_channel_alone() {
    let fixture = Fixture::new();
    let (store, id, _, approval) = asking(&fixture).await;
    let other = store.channel("w", "other").await.unwrap().id;
    for (channel, place, code) in [
        (id, "C2", approval.code.as_str()),
        (other, "C1", approval.code.as_str()),
        (id, "C1", "000"),
    ] {
        let yes = effect(code, ApprovalDecision::AllowHour);
        let (_, answered) = said(&store, channel, place, 9, yes).await;
        assert_eq!(
            parts(answered),
            (AnsweredWhat::Unknown, Run::Over, None),
            "{place} {code}"
        );
    }
    assert_eq!(grants(&store).await, 0);
    assert_eq!(
        resolve(&store, 99, ApprovalDecision::Deny).await.what,
        AnsweredWhat::Unknown
    );
}

#[tokio::test]
async fn of_two_questions_with_one_code_the_newest_is_answered() {
    let fixture = Fixture::new();
    let (store, id, turn, old) = asking(&fixture).await;
    let new = asked(&store, id, "C1", turn, "e", fixture.now()).await;
    fixture
        .raw()
        .execute(
            "UPDATE kata_approvals SET code = ?1 WHERE id = ?2",
            (&new.code, old.id),
        )
        .unwrap();
    let (_, answered) = said(&store, id, "C1", 2, effect(&new.code, ApprovalDecision::Deny)).await;
    assert_eq!(answered.unwrap().approval.unwrap().id, new.id);
}

#[tokio::test]
async fn the_last_millisecond_is_in_time_and_the_next_one_expires_the_question_there_and_then() {
    for (late, what, state) in [
        (0, AnsweredWhat::Taken, ApprovalState::AllowedOnce),
        (1, AnsweredWhat::TooLate, ApprovalState::Expired),
    ] {
        let fixture = Fixture::new();
        let (store, _, _, approval) = asking(&fixture).await;
        fixture.advance(MINUTES - Duration::from_millis(1) + Duration::from_millis(late));
        let answered = resolve(&store, approval.id, ApprovalDecision::AllowOnce).await;
        assert_eq!(parts(Some(answered)), (what, Run::Open, Some(state)));
        let again = resolve(&store, approval.id, ApprovalDecision::AllowOnce).await;
        assert_eq!(again.approval.unwrap().state, state);
        assert_eq!(grants(&store).await, usize::from(late == 0));
        assert_eq!(
            store.expire_approvals().await.unwrap(),
            [],
            "nobody is told twice"
        );
    }
}

#[tokio::test]
async fn an_answer_after_the_question_expired_is_too_late_and_after_it_was_withdrawn_is_not_needed() {
    let fixture = Fixture::new();
    let (store, _, turn, expired) = asking(&fixture).await;
    fixture.advance(MINUTES);
    store.expire_approvals().await.unwrap();
    let answered = resolve(&store, expired.id, ApprovalDecision::AllowHour).await;
    assert_eq!(answered.what, AnsweredWhat::TooLate);
    let id = expired.channel;
    let withdrawn = asked(&store, id, "C1", turn, "d", fixture.now()).await;
    store.withdraw_approvals(turn).await.unwrap();
    let answered = resolve(&store, withdrawn.id, ApprovalDecision::AllowHour).await;
    assert_eq!(answered.what, AnsweredWhat::Already);
    assert_eq!(grants(&store).await, 0);
}

#[tokio::test]
async fn the_answer_tells_what_became_of_the_turn_that_asked() {
    let fixture = Fixture::with(|options| options.max_attempts = 2);
    let (store, id, turn, approval) = asking(&fixture).await;
    store.fail(turn, failure("the agent died")).await.unwrap();
    let answered = resolve(&store, approval.id, ApprovalDecision::AllowOnce).await;
    assert_eq!(answered.run, Run::Again);
    fixture.advance(Duration::from_secs(60));
    assert_eq!(claim(&store, id).await.unwrap().id, turn);
    let granted = judged(&store, id, "C1", turn, "d").await;
    assert_eq!(granted.decision, Ruling::Allow, "the next attempt may use it");
    let approval = asked(&store, id, "C1", turn, "d", fixture.now()).await;
    store.finish(turn, None).await.unwrap();
    let answered = resolve(&store, approval.id, ApprovalDecision::AllowOnce).await;
    assert_eq!((answered.what, answered.run), (AnsweredWhat::Taken, Run::Over));
}

#[tokio::test]
async fn an_answer_survives_a_restart_and_so_does_an_open_question() {
    let fixture = Fixture::new();
    let (store, id, turn, approval) = asking(&fixture).await;
    store.close().await.unwrap();
    let store = fixture.open();
    let codes = store.known_codes(fixture.now()).await.unwrap();
    assert_eq!(codes, [(id, "C1".to_owned(), approval.code.clone())]);
    let (_, answered) = said(
        &store,
        id,
        "C1",
        2,
        effect(&approval.code, ApprovalDecision::AllowOnce),
    )
    .await;
    let expected = (AnsweredWhat::Taken, Run::Again, Some(ApprovalState::AllowedOnce));
    assert_eq!(parts(answered), expected, "the restart ended its run");
    store.close().await.unwrap();
    let store = fixture.open();
    assert_eq!(judged(&store, id, "C1", turn, "d").await.decision, Ruling::Allow);
    assert!(
        store
            .known_codes(fixture.now())
            .await
            .unwrap()
            .contains(&codes[0])
    );
    fixture.advance(Duration::from_millis(1));
    assert_eq!(store.known_codes(fixture.now()).await.unwrap(), []);
}

#[tokio::test]
async fn an_empty_text_is_no_answer_to_an_answer() {
    let fixture = Fixture::new();
    let (store, id, _, approval) = asking(&fixture).await;
    let silent = ApprovalEffect {
        reply: Box::new(|_| String::new()),
        ..effect(&approval.code, ApprovalDecision::Deny)
    };
    let (outcome, _) = said(&store, id, "C1", 2, silent).await;
    assert!(matches!(outcome, Outcome::Consumed { reply: None, .. }));
    assert!(out(&store, id).await.is_none());
}

#[tokio::test]
async fn every_step_is_in_the_audit_and_in_the_story_of_the_message() {
    let fixture = Fixture::new();
    let (store, id, turn, first) = asking(&fixture).await;
    resolve(&store, first.id, ApprovalDecision::AllowHour).await;
    judged(&store, id, "C1", turn, "d").await;
    let late = asked(&store, id, "C1", turn, "e", fixture.now()).await;
    fixture.advance(MINUTES);
    store.expire_approvals().await.unwrap();
    let denied = asked(&store, id, "C1", turn, "f", fixture.now()).await;
    resolve(&store, denied.id, ApprovalDecision::Deny).await;
    let last = asked(&store, id, "C1", turn, "g", fixture.now()).await;
    store.finish(turn, None).await.unwrap();
    store.withdraw_approvals(turn).await.unwrap();
    let word = |word: &str| Some(word.to_owned());
    assert_eq!(
        audited(&store).await,
        [
            (AuditKind::Asked, None),
            (AuditKind::Answered, word("allow_1h")),
            (AuditKind::Granted, None),
            (AuditKind::Verdict, word("allow")),
            (AuditKind::Asked, None),
            (AuditKind::Expired, None),
            (AuditKind::Asked, None),
            (AuditKind::Answered, word("deny")),
            (AuditKind::Asked, None),
            (AuditKind::Withdrawn, None),
        ]
    );
    let told = store.explain(&turn.to_string()).await.unwrap().remove(0);
    let steps: Vec<String> = told
        .steps
        .into_iter()
        .map(|step| format!("{}: {}", step.what, step.detail.unwrap_or_default()))
        .collect();
    let asks = |approval: &Approval| format!("asked: approval {}, code {}: rm", approval.id, approval.code);
    assert_eq!(
        steps,
        [
            "received: session s:w:C1:r0".to_owned(),
            "claimed: attempt 1".to_owned(),
            asks(&first),
            format!("allowed for an hour: approval {} by U2 (host)", first.id),
            asks(&late),
            format!("not answered in time: approval {}", late.id),
            asks(&denied),
            format!("denied: approval {} by U2 (host)", denied.id),
            asks(&last),
            format!("question withdrawn: approval {}", last.id),
            "done: ".to_owned(),
        ]
    );
}

#[tokio::test]
async fn a_question_outlives_the_row_of_its_message() {
    let fixture = Fixture::new();
    let (store, id, turn, _) = asking(&fixture).await;
    let long = crate::NewApproval {
        expires_at: fixture.now().plus(Duration::from_secs(90 * 24 * 3600)),
        ..question(id, "C1", turn, "e", fixture.now())
    };
    let approval = open(&store, long).await.approval;
    store.finish(turn, None).await.unwrap();
    fixture
        .raw()
        .execute("DELETE FROM messages WHERE id = ?1", [turn])
        .unwrap();
    let answered = resolve(&store, approval.id, ApprovalDecision::Deny).await;
    assert_eq!((answered.what, answered.run), (AnsweredWhat::Taken, Run::Over));
}
