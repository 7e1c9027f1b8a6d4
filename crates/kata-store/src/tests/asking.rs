//! Questions: one a call, its card, and its end without an answer.

use std::{collections::HashSet, time::Duration};

use crate::{
    Answer, ApprovalDecision, ApprovalFilter, ApprovalState, AuditKind, CardPlace, NewApproval, Settle,
    StoreError, UnixMs, View,
};

use super::{
    desk::{STANDS, asked, audited, open, out, question, resolve, sent, session, turn},
    support::{Fixture, channel, claim, failure, message, push, row},
};

const MINUTES: Duration = Duration::from_secs(600);

#[tokio::test]
async fn a_question_puts_its_card_into_the_conversation_while_its_turn_runs() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = turn(&store, id, "C1", 1).await;
    let new = NewApproval {
        thread: Some("T".to_owned()),
        ..question(id, "C1", turn, "d", fixture.now())
    };
    let approval = open(&store, new).await.approval;
    assert_eq!(approval.state, ApprovalState::Open);
    assert_eq!((approval.workspace.as_str(), approval.slug.as_str()), ("w", "s"));
    assert_eq!(store.approval(approval.id).await.unwrap(), Some(approval.clone()));
    assert_eq!(store.card_of(approval.id).await.unwrap(), None);

    let part = out(&store, id).await.unwrap();
    assert_eq!(Some(part.answer), approval.card);
    assert_eq!(part.text, format!("yes {0} or no {0}?", approval.code));
    assert_eq!(part.key, format!("approval:{}", approval.id));
    assert_eq!((part.part, part.of), (1, 1));
    assert_eq!(part.choices[0]["says"], format!("yes {}", approval.code));
    assert_eq!(part.choices.len(), 2);
    assert_eq!(
        (part.conversation.as_str(), part.thread.as_deref()),
        ("C1", Some("T"))
    );
    sent(&store, &part, "P7").await;
    let place = CardPlace {
        channel: id,
        conversation: "C1".to_owned(),
        thread: Some("T".to_owned()),
        platform_id: "P7".to_owned(),
    };
    assert_eq!(store.card_of(approval.id).await.unwrap(), Some(place));
    // The lane goes on: the turn's own answer comes behind its card, and has no choices.
    let parts = Some(vec!["done".to_owned()]);
    let content = "done".to_owned();
    store.finish(turn, Some(Answer { content, parts })).await.unwrap();
    assert_eq!(
        out(&store, id).await.unwrap().choices,
        Vec::<serde_json::Value>::new()
    );
}

#[tokio::test]
async fn a_card_that_was_sent_before_a_crash_keeps_its_choices_for_the_look_up() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = turn(&store, id, "C1", 1).await;
    asked(&store, id, "C1", turn, "d", fixture.now()).await;
    let part = out(&store, id).await.unwrap();
    let look_at = fixture.now();
    let error = "timed out".to_owned();
    store
        .settle(part.id, Settle::Unknown { look_at, error })
        .await
        .unwrap();
    store.close().await.unwrap();
    let store = fixture.open();
    match store.claim_out(vec![id]).await.unwrap() {
        crate::OutClaim::Work(crate::OutWork::ReadBack(again)) => {
            assert_eq!((again.key, again.choices), (part.key, part.choices));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn without_a_card_or_with_an_empty_one_nothing_is_said() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = turn(&store, id, "C1", 1).await;
    let silent = NewApproval {
        card: None,
        ..question(id, "C1", turn, "d", fixture.now())
    };
    let empty = NewApproval {
        card: Some(Box::new(|_| crate::Card {
            text: String::new(),
            choices: Vec::new(),
        })),
        ..question(id, "C1", turn, "e", fixture.now())
    };
    for new in [silent, empty] {
        assert_eq!(open(&store, new).await.approval.card, None);
    }
    assert!(out(&store, id).await.is_none());
}

#[tokio::test]
async fn a_panic_while_the_card_is_made_leaves_no_question_behind() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = turn(&store, id, "C1", 1).await;
    let new = NewApproval {
        card: Some(Box::new(|_| panic!("on purpose"))),
        ..question(id, "C1", turn, "d", fixture.now())
    };
    assert!(matches!(
        store.open_approval(new).await,
        Err(StoreError::Panicked)
    ));
    assert_eq!(audited(&store).await, []);
    asked(&store, id, "C1", turn, "d", fixture.now()).await;
}

#[tokio::test]
async fn a_turn_that_is_tried_again_after_a_restart_meets_its_own_question() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let first = turn(&store, id, "C1", 1).await;
    let approval = asked(&store, id, "C1", first, "d", fixture.now()).await;
    drop(store);
    let store = fixture.open();
    fixture.advance(Duration::from_secs(60));
    assert_eq!(claim(&store, id).await.unwrap().id, first);
    let again = open(&store, question(id, "C1", first, "d", fixture.now())).await;
    assert!(!again.is_new);
    assert_eq!(again.approval, approval);
}

#[tokio::test]
async fn the_next_turn_of_the_session_takes_the_open_question_over() {
    let fixture = Fixture::with(|options| options.max_attempts = 1);
    let store = fixture.open();
    let id = channel(&store).await;
    let first = turn(&store, id, "C1", 1).await;
    let approval = asked(&store, id, "C1", first, "d", fixture.now()).await;
    store.fail(first, failure("no")).await.unwrap();
    let second = turn(&store, id, "C1", 2).await;
    let again = open(&store, question(id, "C1", second, "d", fixture.now())).await;
    assert!(!again.is_new);
    assert_eq!((again.approval.id, again.approval.message), (approval.id, second));
    assert_eq!(store.withdraw_approvals(first).await.unwrap(), []);
    assert_eq!(store.withdraw_approvals(second).await.unwrap().len(), 1);
}

#[tokio::test]
async fn another_call_place_or_session_is_another_question() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = turn(&store, id, "C1", 1).await;
    asked(&store, id, "C1", turn, "d", fixture.now()).await;
    let same = || question(id, "C1", turn, "d", fixture.now());
    let others = [
        NewApproval {
            digest: "e".to_owned(),
            ..same()
        },
        NewApproval {
            tool: "mv".to_owned(),
            ..same()
        },
        NewApproval {
            session_key: "another".to_owned(),
            ..same()
        },
        NewApproval {
            conversation: "C2".to_owned(),
            ..same()
        },
    ];
    for other in others {
        assert!(open(&store, other).await.is_new);
    }
    assert!(!open(&store, same()).await.is_new);
}

#[tokio::test]
async fn a_call_that_was_denied_is_not_asked_again_in_that_turn_but_in_the_next() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let first = turn(&store, id, "C1", 1).await;
    let denied = asked(&store, id, "C1", first, "d", fixture.now()).await;
    resolve(&store, denied.id, ApprovalDecision::Deny).await;
    let again = open(&store, question(id, "C1", first, "d", fixture.now())).await;
    assert!(!again.is_new);
    assert_eq!(
        (again.approval.id, again.approval.state),
        (denied.id, ApprovalState::Denied)
    );
    asked(&store, id, "C1", first, "other arguments", fixture.now()).await;
    store.finish(first, None).await.unwrap();
    let second = turn(&store, id, "C1", 2).await;
    asked(&store, id, "C1", second, "d", fixture.now()).await;
}

#[tokio::test]
async fn a_question_whose_time_is_over_is_closed_when_it_is_asked_again() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = turn(&store, id, "C1", 1).await;
    let late = asked(&store, id, "C1", turn, "d", fixture.now()).await;
    fixture.advance(MINUTES);
    let fresh = asked(&store, id, "C1", turn, "d", fixture.now()).await;
    assert_ne!(late.code, fresh.code);
    let late = store.approval(late.id).await.unwrap().unwrap();
    assert_eq!(
        (late.state, late.closed_at),
        (ApprovalState::Expired, Some(fixture.now()))
    );
}

#[tokio::test]
async fn a_turn_that_does_not_exist_cannot_ask() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let refused = store
        .open_approval(question(id, "C1", 77, "d", fixture.now()))
        .await;
    assert!(matches!(refused, Err(StoreError::NoTurn(77))), "{refused:?}");
}

#[tokio::test]
async fn codes_of_a_day_name_one_question_each() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = turn(&store, id, "C1", 1).await;
    let mut codes = HashSet::new();
    // By chance alone two of so many would share a code.
    for n in 0..700 {
        let new = NewApproval {
            card: None,
            ..question(id, "C1", turn, &n.to_string(), fixture.now())
        };
        assert!(codes.insert(open(&store, new).await.approval.code));
    }
    let known = store.known_codes(fixture.now()).await.unwrap();
    assert_eq!(known.len(), 700);
    assert!(
        known
            .iter()
            .all(|(channel, place, code)| *channel == id && place == "C1" && codes.contains(code))
    );
}

#[tokio::test]
async fn where_all_codes_are_taken_nothing_is_asked_and_a_day_later_it_is_again() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = turn(&store, id, "C1", 1).await;
    fixture
        .raw()
        .execute_batch(&format!(
            "WITH chars(c) AS (SELECT substr('23456789ABCDEFGHJKLMNPQRSTUVWXYZ', value, 1) FROM generate(32))
             INSERT INTO kata_approvals (code, state, workspace, channel, conversation, session_key, message, tool, digest,
               input, rule, reason, requester, asked_ms, expires_ms, closed_ms)
             SELECT a.c || b.c || c.c, 'denied', 'w', 1, 'C9', 'k', 1, 't', 'd', 'null', 'r', 'r', 'u', {0}, {0}, {0}
             FROM chars a, chars b, chars c",
            fixture.now().0
        ).replace("generate(32)", "(WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 32) SELECT value FROM n)"))
        .unwrap();
    let new = || question(id, "C1", turn, "d", fixture.now());
    assert!(matches!(store.open_approval(new()).await, Err(StoreError::Codes)));
    fixture.advance(Duration::from_secs(24 * 3600));
    assert!(open(&store, new()).await.is_new);
}

#[tokio::test]
async fn a_question_expires_at_its_very_millisecond_and_not_before() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = turn(&store, id, "C1", 1).await;
    assert_eq!(store.next_approval_expiry().await.unwrap(), None);
    let approval = asked(&store, id, "C1", turn, "d", fixture.now()).await;
    let due = UnixMs(fixture.now().0 + STANDS);
    assert_eq!(store.next_approval_expiry().await.unwrap(), Some(due));
    fixture.advance(MINUTES - Duration::from_millis(1));
    assert_eq!(store.expire_approvals().await.unwrap(), []);
    fixture.advance(Duration::from_millis(1));
    let expired = store.expire_approvals().await.unwrap();
    assert_eq!(expired.len(), 1);
    assert_eq!(
        (expired[0].id, expired[0].state),
        (approval.id, ApprovalState::Expired)
    );
    assert_eq!(expired[0].closed_at, Some(due));
    assert_eq!(store.expire_approvals().await.unwrap(), []);
    assert_eq!(store.next_approval_expiry().await.unwrap(), None);
    assert_eq!(
        audited(&store).await,
        [(AuditKind::Asked, None), (AuditKind::Expired, None)]
    );
}

#[tokio::test]
async fn a_turn_that_ended_withdraws_what_it_asked_and_a_card_that_was_not_sent_is_not_sent_any_more() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = turn(&store, id, "C1", 1).await;
    let approval = asked(&store, id, "C1", turn, "d", fixture.now()).await;
    store.cancel(turn, "stopped").await.unwrap();
    let withdrawn = store.withdraw_approvals(turn).await.unwrap();
    assert_eq!(withdrawn.len(), 1);
    assert_eq!(
        (withdrawn[0].id, withdrawn[0].state),
        (approval.id, ApprovalState::Withdrawn)
    );
    assert!(out(&store, id).await.is_none());
    assert_eq!(store.withdraw_approvals(turn).await.unwrap(), []);
}

#[tokio::test]
async fn a_card_on_its_way_is_let_go_and_known_afterwards() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let turn = turn(&store, id, "C1", 1).await;
    let approval = asked(&store, id, "C1", turn, "d", fixture.now()).await;
    let part = out(&store, id).await.unwrap();
    store.withdraw_approvals(turn).await.unwrap();
    sent(&store, &part, "P1").await;
    assert_eq!(
        store.card_of(approval.id).await.unwrap().unwrap().platform_id,
        "P1"
    );
}

#[tokio::test]
async fn sending_the_card_leaves_the_turn_what_its_own_answer_needs() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let mut new = message("C1", 1);
    new.metadata
        .insert("responseUrl".to_owned(), "https://example.org/answer".into());
    new.secret_until = Some(fixture.now().plus(MINUTES));
    let turn = row(&push(&store, id, new).await);
    claim(&store, id).await.unwrap();
    asked(&store, id, "C1", turn, "d", fixture.now()).await;
    let card = out(&store, id).await.unwrap();
    sent(&store, &card, "P1").await;
    let parts = Some(vec!["a".to_owned()]);
    let content = "a".to_owned();
    store.finish(turn, Some(Answer { content, parts })).await.unwrap();
    let answer = out(&store, id).await.unwrap();
    assert!(answer.metadata.contains_key("responseUrl"));
    sent(&store, &answer, "P2").await;
    let kept: bool = fixture
        .raw()
        .query_row(
            "SELECT secret_until_ms IS NOT NULL FROM messages WHERE id = ?1",
            [turn],
            |row| row.get(0),
        )
        .unwrap();
    assert!(!kept, "D26: blanked with the answer");
}

#[tokio::test]
async fn lists_are_filtered_and_read_page_by_page_also_from_the_file() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let id = channel(&store).await;
    let (one, two) = (turn(&store, id, "C1", 1).await, turn(&store, id, "C2", 2).await);
    let first = asked(&store, id, "C1", one, "d", fixture.now()).await;
    let second = asked(&store, id, "C2", two, "d", fixture.now()).await;
    resolve(&store, first.id, ApprovalDecision::AllowHour).await;
    let ids = |filter: ApprovalFilter, before| {
        let store = store.clone();
        async move {
            let found = store.approvals(filter, before, 1).await.unwrap();
            found.into_iter().map(|approval| approval.id).collect::<Vec<_>>()
        }
    };
    assert_eq!(ids(ApprovalFilter::default(), None).await, [second.id]);
    assert_eq!(ids(ApprovalFilter::default(), Some(second.id)).await, [first.id]);
    for (filter, found) in [
        (
            ApprovalFilter {
                state: Some(ApprovalState::AllowedHour),
                ..Default::default()
            },
            vec![first.id],
        ),
        (
            ApprovalFilter {
                message: Some(one),
                ..Default::default()
            },
            vec![first.id],
        ),
        (
            ApprovalFilter {
                conversation: Some("C1".to_owned()),
                ..Default::default()
            },
            vec![first.id],
        ),
        (
            ApprovalFilter {
                session_key: Some(session("C1")),
                ..Default::default()
            },
            vec![first.id],
        ),
        (
            ApprovalFilter {
                workspace: Some("v".to_owned()),
                ..Default::default()
            },
            vec![],
        ),
        (
            ApprovalFilter {
                channel: Some(crate::ChannelId(9)),
                ..Default::default()
            },
            vec![],
        ),
    ] {
        assert_eq!(ids(filter.clone(), None).await, found, "{filter:?}");
    }
    let view = View::open_read_only(&fixture.path()).unwrap();
    assert_eq!(
        view.approvals(&ApprovalFilter::default(), None, 9).unwrap().len(),
        2
    );
}
