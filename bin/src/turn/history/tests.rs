//! The layer over a real store, with agents that are functions.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use kata_channel::Clock;
use kata_ipc::Event;
use kata_perm::Role;
use kata_session::Said;
use kata_store::{Admit, Answer, Arrival, Claim, ClaimedTurn, NewMessage, OpenOptions, Record, UnixMs};
use tokio::sync::mpsc;
use tower::{ServiceBuilder, ServiceExt as _, service_fn, util::BoxCloneSyncService};

use super::*;
use crate::{
    daemon::Events,
    turn::{record::record, session::said},
};

const FACT: &str = "Remember: the launch code name is Quiet Heron.";

/// What the summaries' agent does with an instruction.
type Writer = fn(&str) -> Result<String, AgentError>;

struct Bench {
    _folder: tempfile::TempDir,
    store: Store,
    channel: ChannelId,
    events: Events,
    heard: mpsc::Receiver<Event>,
    complaints: Complaints,
    asked: Arc<AtomicUsize>,
    prompts: Arc<Mutex<Vec<Turn>>>,
    number: i64,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = OpenOptions {
            session_key: kata_session::session_key,
            lane: kata_session::conversation_lane,
            now: Arc::new(|| UnixMs(Clock::system().wall().as_millis())),
            min_free_bytes: 0,
            max_waiting_rows: 1_000_000,
            max_attempts: 5,
            max_lease_attempts: 2,
            audit_head: None,
        };
        let store = Store::open(&folder.path().join("daemon.db"), options)
            .unwrap()
            .store;
        let (events, heard) = mpsc::channel(64);
        Self {
            channel: store.channel("w1", "team").await.unwrap().id,
            _folder: folder,
            store,
            events: Events::inside(events),
            heard,
            complaints: Complaints::default(),
            asked: Arc::default(),
            prompts: Arc::default(),
            number: 0,
        }
    }

    /// Says these things, claimed as one turn.
    async fn say(&mut self, texts: &[String]) -> ClaimedTurn {
        let arrivals = texts.iter().map(|text| {
            self.number += 1;
            Arrival::Turn(message(self.number, text))
        });
        let admit = Admit {
            channel: self.channel,
            arrivals: arrivals.collect(),
            cursor: None,
        };
        self.store.admit(admit).await.unwrap();
        match self.store.claim(vec![(self.channel, 100)]).await.unwrap() {
            Claim::Turn(turn) => *turn,
            Claim::Nothing { .. } => panic!("nothing to claim"),
        }
    }

    fn layer(&self, remembers: Remembers, tokens: u64, limit: Duration, writer: Writer) -> HistoryLayer {
        let asked = Arc::clone(&self.asked);
        let agent = service_fn(move |turn: Turn| {
            asked.fetch_add(1, Ordering::SeqCst);
            let written = writer(&turn.prompt);
            async move {
                if written == Err(AgentError::Timeout) {
                    std::future::pending::<()>().await;
                }
                written.map(reply).map_err(Error::from)
            }
        });
        let past = Past {
            store: self.store.clone(),
            channel: self.channel,
            platform: "slack",
            key: ChannelKey::new("w1", "team"),
            place: Place::conversation("C1"),
            max_tokens: Some(tokens),
            limits: Limits::for_model(None, Some(tokens)),
            summarise: Summarise::new(
                BoxCloneSyncService::new(agent),
                limit,
                self.events.clone(),
                self.complaints.clone(),
            ),
        };
        HistoryLayer::new(past, remembers)
    }

    /// Runs a claimed turn and ends it; what its agent was given.
    async fn run(&self, layer: HistoryLayer, claimed: ClaimedTurn) -> Turn {
        let messages: Vec<Said> = claimed.rows.iter().map(said).collect();
        let key = ChannelKey::new("w1", "team");
        let place = Place::conversation("C1");
        let turn = Turn {
            prompt: Prompt::new("slack", &key, &place, &messages).render(),
            messages,
            ..Turn::new(
                claimed.id,
                "w1",
                "team",
                claimed.session_key.as_str(),
                Role::Member,
            )
        };
        let prompts = Arc::clone(&self.prompts);
        let agent = service_fn(move |turn: Turn| {
            prompts.lock().unwrap().push(turn);
            async { Ok::<_, Error>(reply("Noted, thank you.".into())) }
        });
        let remembers = layer.remembers;
        let stack = ServiceBuilder::new().layer(layer).service(agent);
        let reply = stack.oneshot(turn).await.unwrap();
        let record = record(&claimed, &reply, remembers, Timestamp::from_millis(1));
        self.finish(claimed.id, record).await;
        self.prompts.lock().unwrap().pop().unwrap()
    }

    async fn finish(&self, turn: i64, record: Record) {
        let answer = Answer {
            content: "a".into(),
            parts: Some(vec!["a".into()]),
        };
        self.store
            .finish_recorded(turn, Some(answer), record)
            .await
            .unwrap();
    }

    /// Talks for so many turns of a program that is told the past; the last prompt.
    async fn talk(&mut self, turns: usize, tokens: u64, writer: Writer) -> String {
        let mut last = String::new();
        for n in 0..turns {
            let claimed = self
                .say(&[format!(
                    "This is remark number {n}, and it goes on for a while to take its room."
                )])
                .await;
            let layer = self.layer(Remembers::WhatItIsTold, tokens, Duration::from_secs(60), writer);
            last = self.run(layer, claimed).await.prompt;
            assert!(estimate(&last) <= tokens, "{} tokens", estimate(&last));
        }
        last
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn complaints(&mut self) -> Vec<String> {
        let mut said = Vec::new();
        while let Ok(event) = self.heard.try_recv() {
            if let Event::PluginError(error) = event {
                said.push(error.error);
            }
        }
        said
    }
}

fn reply(text: String) -> Reply {
    Reply {
        text,
        ..Reply::default()
    }
}

fn message(number: i64, text: &str) -> NewMessage {
    NewMessage {
        conversation: "C1".into(),
        thread: None,
        platform_id: number.to_string(),
        order: number,
        lane: kata_session::conversation_lane("C1", None),
        thread_key: "C1".into(),
        sender: "U1".into(),
        role: "member".into(),
        content: text.into(),
        prompt: text.into(),
        source: "slack".into(),
        sent_at: UnixMs(number),
        reply_thread: None,
        metadata: serde_json::Map::new(),
        not_before: None,
        ready: true,
        has_files: false,
        alone: false,
        secret_until: None,
    }
}

fn short(_: &str) -> Result<String, AgentError> {
    Ok("Pinned: the launch code name is Quiet Heron.\nRemarks were made.".into())
}

fn nobody(_: &str) -> Result<String, AgentError> {
    Err(AgentError::Dead("it died".into()))
}

#[tokio::test]
async fn a_program_reads_what_was_said_before_and_what_is_said_now() {
    let mut bench = Bench::new().await;
    let prompt = bench.talk(3, 24_000, nobody).await;
    for earlier in [
        "remark number 0",
        "remark number 1",
        "Noted, thank you.",
        "EARLIER",
    ] {
        assert!(prompt.contains(earlier), "{earlier}: {prompt}");
    }
    let now = prompt.find("BEGIN").unwrap();
    assert!(prompt.rfind("remark number 1").unwrap() < now && now < prompt.rfind("remark number 2").unwrap());
    assert_eq!(bench.asked(), 0, "all of it fits");
}

#[tokio::test]
async fn near_the_limit_the_agent_writes_a_summary_once_and_the_newest_stays_as_it_is() {
    let mut bench = Bench::new().await;
    let mut before = 0;
    let prompt = loop {
        let prompt = bench.talk(1, 2_000, short).await;
        if bench.asked() > 0 {
            break prompt;
        }
        before += 1;
        assert!(before < 100, "it is never summarised");
    };
    assert!(
        prompt.contains("Quiet Heron") && prompt.contains("\"speaker\":\"summary\""),
        "{prompt}"
    );
    assert!(
        prompt.contains("Noted, thank you."),
        "the newest exchange: {prompt}"
    );
    bench.talk(1, 2_000, short).await;
    assert_eq!(bench.asked(), 1, "it was made smaller, and stays so");
    assert!(bench.complaints().is_empty());
    let session = bench.store.sessions(None, 1).await.unwrap().remove(0);
    assert_eq!(session.compactions, 1);
}

#[tokio::test]
async fn a_summary_that_does_not_shrink_is_refused_and_said_once_and_rules_write_one() {
    let mut bench = Bench::new().await;
    let prompt = bench
        .talk(60, 2_000, |instruction| Ok(instruction.repeat(2)))
        .await;
    assert!(bench.asked() > 1, "each compaction asks once, and no more");
    assert!(prompt.contains("chosen without a model"), "{prompt}");
    let said = bench.complaints();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("refused"), "{said:?}");
    let compactions = bench.store.sessions(None, 1).await.unwrap()[0].compactions;
    assert_eq!(u64::try_from(bench.asked()).unwrap(), compactions);
}

#[tokio::test]
async fn an_agent_that_writes_no_summary_or_takes_too_long_costs_nothing_that_was_pinned() {
    for writer in [nobody as Writer, |_| Err(AgentError::Timeout)] {
        let mut bench = Bench::new().await;
        let claimed = bench.say(&[FACT.to_owned()]).await;
        let layer = bench.layer(Remembers::WhatItIsTold, 1_500, Duration::from_millis(60), writer);
        bench.run(layer, claimed).await;
        let mut prompt = String::new();
        while bench.asked() < 2 {
            let claimed = bench
                .say(&["Another remark of some length, which says not much at all. ".repeat(4)])
                .await;
            let layer = bench.layer(Remembers::WhatItIsTold, 1_500, Duration::from_millis(60), writer);
            prompt = bench.run(layer, claimed).await.prompt;
        }
        assert!(prompt.contains(FACT), "{prompt}");
        assert_eq!(bench.complaints().len(), 1);
    }
}

#[tokio::test]
async fn a_message_that_leaves_no_room_is_answered_without_the_past_which_is_kept() {
    let mut bench = Bench::new().await;
    bench.talk(2, 2_000, nobody).await;
    for _ in 0..2 {
        let claimed = bench.say(&["so many words ".repeat(700)]).await;
        let layer = bench.layer(Remembers::WhatItIsTold, 2_000, Duration::from_secs(60), nobody);
        let prompt = bench.run(layer, claimed).await.prompt;
        assert!(!prompt.contains("remark number") && prompt.contains("so many words"));
    }
    let said = bench.complaints();
    assert!(
        said.iter().any(|why| why.contains("session.maxTokens")),
        "{said:?}"
    );
    let over = said
        .iter()
        .filter(|why| why.contains("session.maxTokens"))
        .count();
    assert_eq!(over, 1, "{said:?}");
}

#[tokio::test]
async fn an_agent_with_a_context_of_its_own_is_told_the_past_when_it_asks_and_a_host_how_long_it_is() {
    let mut bench = Bench::new().await;
    let claimed = bench.say(&[FACT.to_owned()]).await;
    let layer = bench.layer(Remembers::UntilLost, 2_000, Duration::from_secs(60), nobody);
    bench.run(layer.clone(), claimed).await;
    let claimed = bench.say(&["And now?".to_owned()]).await;
    let turn = bench.run(layer, claimed).await;
    assert!(!turn.prompt.contains(FACT));
    let seed = turn.seed.clone().unwrap();
    // Asked after the turn's own end, when it is part of the past too.
    assert!(seed.prompt(&turn).await.unwrap().contains(FACT));

    let claimed = bench.say(&["And then?".to_owned()]).await;
    let layer = bench.layer(Remembers::ByTheHost, 2_000, Duration::from_secs(60), nobody);
    let stats = bench.run(layer, claimed).await.stats.unwrap();
    assert_eq!((stats.messages, stats.turns, stats.limit), (3, 2, Some(2_000)));
    assert!(stats.tokens > 0);

    let claimed = bench.say(&["Alone.".to_owned()]).await;
    let layer = bench.layer(Remembers::Nothing, 2_000, Duration::from_secs(60), nobody);
    let turn = bench.run(layer, claimed).await;
    assert!(turn.seed.is_none() && turn.stats.is_none() && !turn.prompt.contains(FACT));
}

#[tokio::test]
async fn a_cancelled_turn_waits_for_no_summary() {
    let mut bench = Bench::new().await;
    bench.talk(8, 24_000, nobody).await;
    let claimed = bench.say(&["One more remark. ".repeat(30)]).await;
    let layer = bench.layer(Remembers::WhatItIsTold, 1_000, Duration::from_secs(600), |_| {
        Err(AgentError::Timeout)
    });
    let turn = Turn::new(
        claimed.id,
        "w1",
        "team",
        claimed.session_key.as_str(),
        Role::Member,
    );
    let cancel = turn.cancel.clone();
    let stack = layer.layer(service_fn(|_: Turn| async {
        Ok::<_, Error>(reply(String::new()))
    }));
    let cancelled = async {
        while bench.asked() == 0 {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    let (ended, ()) = tokio::join!(stack.oneshot(turn), cancelled);
    assert_eq!(ended.unwrap_err().downcast_ref(), Some(&AgentError::Cancelled));
}

/// Five thousand messages, twenty a turn: the limit holds at each of them, and the first one's fact is never lost.
async fn stays_short(writer: Writer) {
    const TOKENS: u64 = 4_000;
    let mut bench = Bench::new().await;
    let mut number = 0;
    let mut prompt = String::new();
    while number < 5_000 {
        let texts: Vec<String> = (0..20)
            .map(|_| {
                number += 1;
                match number {
                    1 => FACT.to_owned(),
                    n => format!("Remark {n}: the weather over harbour {} is as it was.", n % 97),
                }
            })
            .collect();
        let claimed = bench.say(&texts).await;
        assert_eq!(claimed.rows.len(), 20);
        let layer = bench.layer(Remembers::WhatItIsTold, TOKENS, Duration::from_secs(60), writer);
        prompt = bench.run(layer, claimed).await.prompt;
        assert!(
            estimate(&prompt) <= TOKENS,
            "{} tokens at {number}",
            estimate(&prompt)
        );
    }
    assert!(prompt.contains("Quiet Heron"), "{prompt}");
    let session = bench.store.sessions(None, 1).await.unwrap().remove(0);
    assert_eq!((session.messages, session.turns), (5_000, 250));
    assert!(session.compactions > 50, "{} compactions", session.compactions);
}

#[tokio::test]
async fn a_session_of_5000_messages_stays_short_and_knows_its_first_fact_without_a_model() {
    stays_short(nobody).await;
}

#[tokio::test]
async fn a_session_of_5000_messages_stays_short_and_knows_its_first_fact_by_its_agents_summaries() {
    // It does what it is told: what was pinned, or asked to be remembered, stays word for word.
    stays_short(|instruction| {
        let pinned = instruction.lines().find(|line| line.contains("Quiet Heron"));
        let pinned = pinned.ok_or_else(|| AgentError::Failed("the fact is not in what is folded".into()))?;
        Ok(format!(
            "Pinned: {}\nThe weather was discussed at length.",
            pinned.trim_start_matches("Pinned: ")
        ))
    })
    .await;
}
