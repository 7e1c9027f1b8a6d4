//! The queue against a model: a `VecDeque` a lane.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::Duration,
};

use proptest::prelude::*;

use crate::{
    Answer, ChannelId, Claim, Failed, Finished, NewMessage, OutClaim, OutWork, Outcome, Settle, Store,
};

use super::support::{Fixture, channel, failure, message, push};

const LANES: u8 = 3;

#[derive(Clone, Copy, Debug)]
enum Op {
    /// A message in this lane; late: the platform has it before the one that came last.
    Push(u8, bool),
    /// The same message as the last one.
    Again,
    Claim(usize),
    /// The n-th open turn.
    Finish(usize),
    Fail(usize),
    GiveBack(usize),
    Cancel(usize),
    Send,
    /// Crashes in an attempt to send. It had its effect, or not.
    SendAndCrash(bool),
    Wait,
    /// Dropped without a word, and opened again.
    Crash,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..LANES, prop::bool::weighted(0.2)).prop_map(|(lane, late)| Op::Push(lane, late)),
        1 => Just(Op::Again),
        4 => (1..4_usize).prop_map(Op::Claim),
        3 => (0..3_usize).prop_map(Op::Finish),
        1 => (0..3_usize).prop_map(Op::Fail),
        1 => (0..3_usize).prop_map(Op::GiveBack),
        1 => (0..3_usize).prop_map(Op::Cancel),
        2 => Just(Op::Send),
        1 => any::<bool>().prop_map(Op::SendAndCrash),
        2 => Just(Op::Wait),
        1 => Just(Op::Crash),
    ]
}

#[derive(Clone, Debug)]
struct Waiting {
    row: i64,
    order: i64,
    attempts: u32,
}

#[derive(Default)]
struct Model {
    lanes: BTreeMap<String, VecDeque<Waiting>>,
    open: BTreeMap<String, Vec<i64>>,
    parked: Vec<i64>,
    /// Answers that are not sent, in order, a lane.
    answers: BTreeMap<String, VecDeque<String>>,
    answered: HashMap<i64, u32>,
    last: Option<(String, i64)>,
    pushed: i64,
}

struct Run {
    fixture: Fixture,
    store: Store,
    channel: ChannelId,
    model: Model,
}

impl Run {
    fn turn(&self, n: usize) -> Option<(String, Vec<i64>)> {
        let open: Vec<_> = self.model.open.iter().collect();
        (!open.is_empty()).then(|| {
            let (lane, rows) = open[n % open.len()];
            (lane.clone(), rows.clone())
        })
    }

    async fn step(&mut self, op: Op) {
        match op {
            Op::Push(lane, late) => self.push(lane, late).await,
            Op::Again => {
                if let Some((lane, n)) = &self.model.last {
                    assert_eq!(
                        push(&self.store, self.channel, message(lane, *n)).await,
                        Outcome::Known
                    );
                }
            }
            Op::Claim(max) => self.claim(max).await,
            Op::Finish(n) => self.finish(n).await,
            Op::Fail(n) => self.fail(n).await,
            Op::GiveBack(n) => {
                if let Some((lane, rows)) = self.turn(n) {
                    self.store.give_back(*rows.last().unwrap()).await.unwrap();
                    self.model.open.remove(&lane);
                }
            }
            Op::Cancel(n) => {
                if let Some((lane, rows)) = self.turn(n) {
                    assert!(self.store.cancel(*rows.last().unwrap(), "stop").await.unwrap());
                    self.model.open.remove(&lane);
                    self.end(&lane, &rows);
                }
            }
            Op::Send => self.send().await,
            Op::SendAndCrash(effect) => self.send_and_crash(effect).await,
            Op::Wait => self.fixture.advance(Duration::from_secs(60)),
            Op::Crash => self.crash(),
        }
    }

    async fn push(&mut self, lane: u8, late: bool) {
        let lane = format!("C{lane}");
        self.model.pushed += 1;
        let n = self.model.pushed;
        let order = n * 10 - if late { 25 } else { 0 };
        let new = NewMessage {
            order,
            ..message(&lane, n)
        };
        let Outcome::New { row, .. } = push(&self.store, self.channel, new).await else {
            panic!()
        };
        let waiting = self.model.lanes.entry(lane.clone()).or_default();
        let place = waiting.partition_point(|other| (other.order, other.row) < (order, row));
        waiting.insert(
            place,
            Waiting {
                row,
                order,
                attempts: 0,
            },
        );
        self.model.last = Some((lane, n));
    }

    async fn claim(&mut self, max: usize) {
        // Backoff is tested elsewhere: here its time has always passed.
        self.fixture.advance(Duration::from_secs(60));
        let ready = self
            .model
            .lanes
            .iter()
            .filter(|(lane, rows)| !rows.is_empty() && !self.model.open.contains_key(*lane));
        let expected = ready
            .min_by_key(|(_, rows)| (rows[0].order, rows[0].row))
            .map(|(lane, _)| lane.clone());
        match self.store.claim(vec![(self.channel, max)]).await.unwrap() {
            Claim::Turn(turn) => {
                // Lanes that waited are made ready in the same claim, so the oldest head is always seen.
                assert_eq!(Some(&turn.conversation), expected.as_ref());
                let lane = &self.model.lanes[&turn.conversation];
                let company = if lane[0].attempts > 0 {
                    1
                } else {
                    lane.iter().take_while(|row| row.attempts == 0).count().min(max)
                };
                let rows: Vec<i64> = turn.rows.iter().map(|row| row.id).collect();
                assert_eq!(
                    rows,
                    lane.iter().take(company).map(|row| row.row).collect::<Vec<_>>()
                );
                assert_eq!(
                    (turn.id, turn.attempt),
                    (rows[rows.len() - 1], lane[0].attempts + 1)
                );
                self.model.open.insert(turn.conversation, rows);
            }
            Claim::Nothing { .. } => assert_eq!(expected, None),
        }
    }

    fn end(&mut self, lane: &str, rows: &[i64]) {
        self.model
            .lanes
            .get_mut(lane)
            .unwrap()
            .retain(|row| !rows.contains(&row.row));
    }

    async fn finish(&mut self, n: usize) {
        let Some((lane, rows)) = self.turn(n) else { return };
        let turn = *rows.last().unwrap();
        let content = format!("answer {turn}");
        let answer = || {
            Some(Answer {
                content: content.clone(),
                parts: Some(vec![content.clone()]),
            })
        };
        assert!(matches!(
            self.store.finish(turn, answer()).await.unwrap(),
            Finished::Done { answer: Some(_), .. }
        ));
        assert_eq!(
            self.store.finish(turn, answer()).await.unwrap(),
            Finished::Already
        );
        self.model.open.remove(&lane);
        self.end(&lane, &rows);
        *self.model.answered.entry(turn).or_default() += 1;
        self.model.answers.entry(lane).or_default().push_back(content);
    }

    async fn fail(&mut self, n: usize) {
        let Some((lane, rows)) = self.turn(n) else { return };
        let failed = self
            .store
            .fail(*rows.last().unwrap(), failure("no"))
            .await
            .unwrap();
        assert!(matches!(failed, Failed::Retry { .. } | Failed::Parked { .. }));
        self.count_attempt(&lane);
    }

    /// The lane's open turn failed.
    fn count_attempt(&mut self, lane: &str) {
        let rows = self.model.open.remove(lane).unwrap();
        let waiting = self.model.lanes.get_mut(lane).unwrap();
        for row in waiting.iter_mut().filter(|row| rows.contains(&row.row)) {
            row.attempts += 1;
        }
        self.model
            .parked
            .extend(waiting.iter().filter(|row| row.attempts >= 5).map(|row| row.row));
        waiting.retain(|row| row.attempts < 5);
    }

    /// Sends all that there is.
    async fn send(&mut self) {
        while let OutClaim::Work(work) = self.store.claim_out(vec![self.channel]).await.unwrap() {
            let OutWork::Send(part) = work else {
                panic!("nothing was left half done: {work:?}")
            };
            let expected = self
                .model
                .answers
                .get_mut(&part.conversation)
                .unwrap()
                .pop_front();
            assert_eq!(Some(part.text), expected);
            self.settle(part.id, Settle::Sent { platform_id: None }).await;
        }
        assert!(self.model.answers.values().all(VecDeque::is_empty));
    }

    async fn settle(&self, part: i64, settle: Settle) {
        self.store.settle(part, settle).await.unwrap();
    }

    async fn send_and_crash(&mut self, effect: bool) {
        let OutClaim::Work(OutWork::Send(tried)) = self.store.claim_out(vec![self.channel]).await.unwrap()
        else {
            return self.crash();
        };
        self.crash();
        self.fixture.advance(Duration::from_secs(5));
        // Other lanes go on meanwhile; the one that was tried is read back first of all in its own.
        loop {
            let OutClaim::Work(work) = self.store.claim_out(vec![self.channel]).await.unwrap() else {
                panic!()
            };
            match work {
                OutWork::ReadBack(part) => {
                    assert_eq!((part.id, &part.key), (tried.id, &tried.key));
                    let found = if effect {
                        Settle::Sent { platform_id: None }
                    } else {
                        Settle::Absent
                    };
                    self.settle(part.id, found).await;
                    break;
                }
                OutWork::Send(part) => {
                    assert_ne!(part.conversation, tried.conversation);
                    self.model
                        .answers
                        .get_mut(&part.conversation)
                        .unwrap()
                        .pop_front();
                    self.settle(part.id, Settle::Sent { platform_id: None }).await;
                }
                OutWork::Prepare(raw) => panic!("{raw:?}"),
            }
        }
        if effect {
            self.model
                .answers
                .get_mut(&tried.conversation)
                .unwrap()
                .pop_front();
        }
    }

    fn crash(&mut self) {
        let opened = self.fixture.opened();
        self.store = opened.store;
        let open: Vec<String> = self.model.open.keys().cloned().collect();
        let before = self.model.parked.len();
        for lane in open {
            self.count_attempt(&lane);
        }
        let mut told = opened.parked;
        let mut parked = self.model.parked[before..].to_vec();
        told.sort_unstable();
        parked.sort_unstable();
        assert_eq!(told, parked);
    }

    /// Nothing that was taken in is lost: what waits in the model waits in the store, and no more.
    async fn check(&self) {
        let counts = self.store.channel_counts().await.unwrap().remove(0);
        let waiting: usize = self.model.lanes.values().map(VecDeque::len).sum();
        assert_eq!(counts.waiting, waiting as u64);
        assert_eq!(counts.running, self.model.open.len() as u64);
        assert_eq!(counts.parked, self.model.parked.len() as u64);
        assert!(self.model.answered.values().all(|answers| *answers == 1));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_queue_behaves_as_one_deque_a_lane_through_crashes(ops in prop::collection::vec(op(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let fixture = Fixture::new();
            let store = fixture.open();
            let channel = channel(&store).await;
            let mut run = Run { fixture, store, channel, model: Model::default() };
            for op in ops {
                run.step(op).await;
            }
            run.check().await;
        });
    }
}
