//! Whatever happens in whatever order: at most one grant a question, no use below nothing or above what was given, and a
//! chain that holds.

use std::{collections::HashMap, time::Duration};

use proptest::prelude::*;

use crate::{
    AnsweredWhat, ApprovalDecision, ChannelId, GrantFilter, HeadStanding, Ruling, Store, UnixMs, View,
};

use super::{
    desk::{asked, counted, effect, judged, open, question, resolve, rule, said, turn},
    support::{Fixture, channel},
};

const CALLS: [&str; 2] = ["d", "e"];

#[derive(Clone, Copy, Debug)]
enum Step {
    Ask(usize),
    Host(usize, ApprovalDecision),
    Say(usize, ApprovalDecision),
    Judge(usize),
    Count,
    Wait(u64),
    Expire,
    Withdraw,
    Revoke(i64),
    Reopen,
}

fn decision() -> impl Strategy<Value = ApprovalDecision> {
    prop_oneof![
        Just(ApprovalDecision::AllowOnce),
        Just(ApprovalDecision::AllowHour),
        Just(ApprovalDecision::Deny),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..CALLS.len()).prop_map(Step::Ask),
        3 => (0..4_usize, decision()).prop_map(|(n, decision)| Step::Host(n, decision)),
        3 => (0..4_usize, decision()).prop_map(|(n, decision)| Step::Say(n, decision)),
        4 => (0..CALLS.len()).prop_map(Step::Judge),
        2 => Just(Step::Count),
        2 => (1..2_000_u64).prop_map(Step::Wait),
        1 => Just(Step::Expire),
        1 => Just(Step::Withdraw),
        1 => (1..4_i64).prop_map(Step::Revoke),
        1 => Just(Step::Reopen),
    ]
}

/// What was seen, beside the store.
#[derive(Default)]
struct Seen {
    /// The questions that were asked, the newest last.
    asked: Vec<(i64, String)>,
    /// Answers that counted, a question.
    taken: HashMap<i64, usize>,
    /// Calls that each grant let through.
    let_through: HashMap<i64, u64>,
    messages: i64,
}

impl Seen {
    fn nth(&self, n: usize) -> Option<(i64, String)> {
        self.asked.iter().rev().nth(n).cloned()
    }

    fn heard(&mut self, id: i64, what: AnsweredWhat) {
        *self.taken.entry(id).or_default() += usize::from(what == AnsweredWhat::Taken);
    }
}

async fn take(fixture: &Fixture, store: &mut Store, id: ChannelId, turn: i64, step: Step, seen: &mut Seen) {
    match step {
        Step::Ask(call) => {
            let opened = open(store, question(id, "C1", turn, CALLS[call], fixture.now())).await;
            if opened.is_new {
                seen.asked.push((opened.approval.id, opened.approval.code));
            }
        }
        Step::Host(n, decision) => {
            if let Some((approval, _)) = seen.nth(n) {
                let what = resolve(store, approval, decision).await.what;
                seen.heard(approval, what);
            }
        }
        Step::Say(n, decision) => {
            if let Some((approval, code)) = seen.nth(n) {
                seen.messages += 1;
                let (_, answered) = said(store, id, "C1", 10 + seen.messages, effect(&code, decision)).await;
                seen.heard(approval, answered.unwrap().what);
            }
        }
        Step::Judge(call) => {
            let judged = judged(store, id, "C1", turn, CALLS[call]).await;
            assert_eq!(judged.decision == Ruling::Allow, judged.grant.is_some());
            *seen.let_through.entry(judged.grant.unwrap_or(0)).or_default() += 1;
        }
        Step::Count => {
            let judged = counted(store, "three", Some(3)).await;
            if judged.decision == Ruling::Allow {
                *seen.let_through.entry(judged.grant.unwrap()).or_default() += 1;
            }
        }
        Step::Wait(seconds) => fixture.advance(Duration::from_secs(seconds)),
        Step::Expire => drop(store.expire_approvals().await.unwrap()),
        Step::Withdraw => drop(store.withdraw_approvals(turn).await.unwrap()),
        Step::Revoke(grant) => drop(store.revoke_grant(grant, "U1").await.unwrap()),
        Step::Reopen => {
            store.close().await.unwrap();
            *store = fixture.open();
        }
    }
}

async fn holds(steps: Vec<Step>) {
    let mut fixture = Fixture::new();
    let head = fixture.path().with_file_name("daemon.audit");
    fixture.options.audit_head = Some(head.clone());
    let mut store = fixture.open();
    let id = channel(&store).await;
    store
        .sync_file_grants("w", vec![rule("three", Some(3), None)])
        .await
        .unwrap();
    let turn = turn(&store, id, "C1", 1).await;
    let mut seen = Seen::default();
    let first = asked(&store, id, "C1", turn, CALLS[0], fixture.now()).await;
    seen.asked.push((first.id, first.code));
    for step in steps {
        take(&fixture, &mut store, id, turn, step, &mut seen).await;
    }
    assert!(seen.taken.values().all(|taken| *taken <= 1), "{:?}", seen.taken);
    let mut minted: HashMap<i64, usize> = HashMap::new();
    for grant in store.grants(GrantFilter::default(), None, 1_000).await.unwrap() {
        assert!(grant.uses.is_none_or(|uses| grant.used <= uses), "{grant:?}");
        let let_through = seen.let_through.get(&grant.id).copied().unwrap_or(0);
        assert_eq!(grant.used, let_through, "{grant:?}");
        if let Some(approval) = grant.approval {
            *minted.entry(approval).or_default() += 1;
            let longest = grant.minted_at.plus(Duration::from_secs(3600));
            assert_eq!(grant.until, Some(longest), "D28");
        }
    }
    for (approval, minted) in minted {
        assert_eq!((minted, seen.taken.get(&approval)), (1, Some(&1)));
    }
    assert!(
        store
            .next_approval_expiry()
            .await
            .unwrap()
            .is_none_or(|at| at > UnixMs(0))
    );
    let report = View::open_read_only(&fixture.path())
        .unwrap()
        .verify_audit(&head)
        .unwrap();
    assert_eq!(
        (report.broken, report.disputes, report.head),
        (None, 0, HeadStanding::Same)
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_questions_answers_and_calls_leaves_one_grant_a_question_and_no_use_too_many(
        steps in prop::collection::vec(step(), 1..40)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(holds(steps));
    }
}
