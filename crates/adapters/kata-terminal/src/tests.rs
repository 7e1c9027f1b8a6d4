//! A chat, from what is typed to what is printed.

use std::{
    io::{self, BufReader, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use kata_channel::{
    Adapter, Admitted, ChannelError, ChannelKey, Choice, ChoiceStyle, Clock, Effect, Error, IdempotencyKey,
    Inbound, ManualClock, Outbound, Page, Place, Timestamp,
    drive::{Ingress, Sink},
    settings::{Filter, Settings},
};
use kata_plugin::{ChannelContext, Plugin, Registrar};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use crate::*;

/// What was printed.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Paper {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A daemon's store: takes what is pushed, unless it is full.
#[derive(Clone)]
struct Store {
    full: Arc<AtomicBool>,
    taken: mpsc::UnboundedSender<Inbound>,
}

fn store() -> (Store, mpsc::UnboundedReceiver<Inbound>) {
    let (taken, read) = mpsc::unbounded_channel();
    (
        Store {
            full: Arc::default(),
            taken,
        },
        read,
    )
}

impl Store {
    fn sink(&self) -> Sink {
        let store = self.clone();
        let ingress = tower::service_fn(move |page: Page| {
            let store = store.clone();
            async move {
                if store.full.load(Ordering::Relaxed) {
                    return Err(Error::from("the disk is full"));
                }
                page.messages
                    .into_iter()
                    .for_each(|message| store.taken.send(message).unwrap());
                Ok(Admitted::default())
            }
        });
        Sink::new(Ingress::new(ingress)).0
    }
}

fn context(clock: Clock) -> ChannelContext {
    ChannelContext {
        key: ChannelKey::new("w1", "chat"),
        filter: Filter::default(),
        settings: Settings::default(),
        owners: Vec::new(),
        poll_interval: None,
        token: None,
        app_token: None,
        endpoint: None,
        clock,
        tasks: TaskTracker::new(),
    }
}

/// The channel, made as the daemon makes it.
fn channel(terminal: &Terminal) -> Arc<dyn Adapter> {
    let mut registrar = Registrar::new();
    TerminalPlugin::new(terminal.clone())
        .register(&mut registrar)
        .unwrap();
    let clock = ManualClock::at(Timestamp::from_millis(1_000)).clock();
    (registrar.channel(ADAPTER).unwrap().make)(context(clock)).unwrap()
}

fn options(colour: bool, interactive: bool) -> TerminalOptions {
    TerminalOptions {
        colour,
        interactive,
        user: "ada".into(),
    }
}

fn answer(text: &str, part: u32, of: u32) -> Outbound {
    Outbound {
        channel: ChannelKey::new("w1", "chat"),
        place: Place::conversation(CONVERSATION),
        reply_to: None,
        text: text.into(),
        key: IdempotencyKey(format!("k{part}")),
        part,
        of,
        metadata: serde_json::Map::new(),
        choices: Vec::new(),
        created_at: Timestamp::from_millis(0),
    }
}

#[tokio::test]
async fn what_is_typed_arrives_in_order_under_its_own_ids() {
    let terminal =
        Terminal::open(&b"one\ntwo\nthree\n"[..], Paper::default(), options(false, false)).unwrap();
    let (adapter, (store, mut taken)) = (channel(&terminal), store());
    tokio::select! {
        ended = adapter.push().unwrap().subscribe(store.sink()) => panic!("{ended:?}"),
        () = terminal.ended() => {}
    }
    let said: Vec<_> = std::iter::from_fn(|| taken.try_recv().ok()).collect();
    let texts: Vec<_> = said
        .iter()
        .map(|m| (m.text.prompt.as_str(), m.id.as_str(), m.order.0))
        .collect();
    assert_eq!(
        texts,
        [
            ("one", "1000000", 1_000_000),
            ("two", "1000001", 1_000_001),
            ("three", "1000002", 1_000_002)
        ]
    );
    assert!(said.iter().all(|m| m.is_direct && m.sender.id.as_str() == SENDER));
}

#[tokio::test]
async fn a_line_that_could_not_be_stored_is_pushed_again() {
    let (input, mut keyboard) = io::pipe().unwrap();
    let terminal = Terminal::open(BufReader::new(input), Paper::default(), options(false, false)).unwrap();
    let (adapter, (store, mut taken)) = (channel(&terminal), store());
    store.full.store(true, Ordering::Relaxed);
    keyboard.write_all(b"hello\n").unwrap();
    let refused = adapter.push().unwrap().subscribe(store.sink()).await;
    assert!(
        matches!(refused, Err(ChannelError::ConnectionLost(_))),
        "{refused:?}"
    );

    store.full.store(false, Ordering::Relaxed);
    tokio::select! {
        ended = adapter.push().unwrap().subscribe(store.sink()) => panic!("{ended:?}"),
        message = taken.recv() => assert_eq!(message.unwrap().text.raw, "hello"),
    }
}

#[tokio::test]
async fn a_prompt_stands_where_the_user_may_type() {
    let (input, mut keyboard) = io::pipe().unwrap();
    let paper = Paper::default();
    let terminal = Terminal::open(BufReader::new(input), paper.clone(), options(true, true)).unwrap();
    let (adapter, (store, mut taken)) = (channel(&terminal), store());
    let chat = async {
        keyboard.write_all(b"hello\n").unwrap();
        taken.recv().await.unwrap();
        adapter.send(&answer("first", 1, 2)).await.unwrap();
        adapter.send(&answer("second", 2, 2)).await.unwrap();
        terminal.note("took 3 ms").await.unwrap();
        drop(keyboard);
        terminal.ended().await;
    };
    tokio::select! {
        ended = adapter.push().unwrap().subscribe(store.sink()) => panic!("{ended:?}"),
        () = chat => {}
    }
    insta::assert_snapshot!(paper.text().replace('\u{1b}', "^").replace('\r', "<"), @r"
    ada> first
    second
    ada> <^[K^[2mtook 3 ms^[22m
    ada>
    ");
}

#[tokio::test]
async fn without_a_user_at_it_only_answers_are_printed() {
    let paper = Paper::default();
    let terminal = Terminal::open(io::empty(), paper.clone(), options(false, false)).unwrap();
    channel(&terminal)
        .send(&answer("the answer", 1, 1))
        .await
        .unwrap();
    assert_eq!(paper.text(), "the answer\n");
}

#[tokio::test]
async fn a_question_is_its_text_since_a_terminal_has_no_buttons() {
    let paper = Paper::default();
    let terminal = Terminal::open(io::empty(), paper.clone(), options(false, false)).unwrap();
    let adapter = channel(&terminal);
    assert!(adapter.descriptor().approvals && adapter.cards().is_none());
    let question = Outbound {
        choices: vec![Choice {
            label: "Allow".into(),
            says: "yes 7Q4".into(),
            style: ChoiceStyle::Primary,
        }],
        ..answer("May I? Say yes 7Q4 or no 7Q4.", 1, 1)
    };
    adapter.send(&question).await.unwrap();
    assert_eq!(paper.text(), "May I? Say yes 7Q4 or no 7Q4.\n");
}

#[tokio::test]
async fn an_output_that_is_gone_leaves_the_outcome_unknown() {
    let (reader, output) = io::pipe().unwrap();
    drop(reader);
    let terminal = Terminal::open(io::empty(), output, options(false, false)).unwrap();
    let error = channel(&terminal)
        .send(&answer("nobody reads this", 1, 1))
        .await
        .unwrap_err();
    assert_eq!(error.effect, Effect::Maybe);
    assert!(channel(&terminal).read_back().is_none());
}
