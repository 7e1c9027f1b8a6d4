//! A platform that is data: conversations are lists, sockets are scripts.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Range,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use tokio::time::{Instant, sleep};

use crate::{
    adapter::{
        Adapter, Descriptor, Discovered, History, Identity, Length, PollPage, PollRequest, Push, ThreadPage,
        Unit,
    },
    drive::Sink,
    error::{ChannelError, SendError},
    id::Place,
    inbound::{Cursor, Inbound, OrderKey},
    ingress::sample,
    outbound::{Outbound, Receipt},
    time::Timestamp,
};

/// Now, by the platform's clock and ours. A message's cursor is its time in seconds.
pub(super) const NOW: i64 = 2_000_000_000;

/// What a socket does, step by step.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Ready,
    Push(Box<Inbound>),
    Wait(Duration),
    Beat,
    End(Result<(), ChannelError>),
    /// Nothing more, for ever.
    Hang,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) connects: VecDeque<Result<(), ChannelError>>,
    pub(super) places: BTreeMap<Place, Vec<Inbound>>,
    pub(super) named: bool,
    pub(super) threads: BTreeMap<Place, Vec<Place>>,
    pub(super) newest_first: bool,
    pub(super) page_size: usize,
    /// Answers to polls that come before the real ones, and whose they are.
    pub(super) refusals: VecDeque<(Option<Place>, ChannelError)>,
    /// Answers to questions for a second page of threads, before the real one.
    pub(super) thread_refusals: VecDeque<ChannelError>,
    pub(super) always_refuse: BTreeMap<Place, ChannelError>,
    /// Polls, counted from one, that find the platform away.
    pub(super) outage: Range<usize>,
    pub(super) polls: usize,
    pub(super) endless: bool,
    pub(super) hang: bool,
    pub(super) sockets: VecDeque<Vec<Act>>,
    /// Direct conversations: listed by nobody, and known of those whom the configuration names.
    pub(super) directs: Vec<Place>,
    /// When each thing was asked.
    pub(super) log: Vec<(Instant, String)>,
    pub(super) disconnected: bool,
    pub(super) warning: Option<String>,
    /// Seconds from the driver's beginning to the first look at a conversation.
    pub(super) late: i64,
}

pub(super) struct Platform {
    pub(super) descriptor: Descriptor,
    pub(super) pushes: bool,
    pub(super) polls: bool,
    pub(super) state: Mutex<State>,
}

impl Platform {
    pub(super) fn new() -> Self {
        let descriptor = Descriptor {
            platform: "paper",
            length: Length {
                unit: Unit::Chars,
                limit: 100,
            },
            dialect: crate::markdown::Dialect::PLAIN,
            notices: true,
            approvals: true,
            silence: Duration::from_secs(45),
            reconcile_every: Duration::from_secs(300),
        };
        let state = State {
            page_size: 2,
            named: true,
            ..State::default()
        };
        Self {
            descriptor,
            pushes: false,
            polls: true,
            state: Mutex::new(state),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no test panics while it holds the platform")
    }

    /// Somebody says something `ago` seconds before now.
    pub(super) fn said(&self, place: &Place, text: &str, ago: i64) {
        let message = said(place, text, ago);
        self.state()
            .places
            .entry(place.clone())
            .or_default()
            .push(message);
    }

    /// When something that begins so was asked.
    pub(super) fn times(&self, prefix: &str) -> Vec<Instant> {
        self.state()
            .log
            .iter()
            .filter(|(_, asked)| asked.starts_with(prefix))
            .map(|(at, _)| *at)
            .collect()
    }

    fn note(&self, asked: String) {
        self.state().log.push((Instant::now(), asked));
    }
}

pub(super) fn said(place: &Place, text: &str, ago: i64) -> Inbound {
    let second = NOW - ago;
    Inbound {
        place: place.clone(),
        id: format!("{}:{second}", place.conversation).into(),
        order: OrderKey(second),
        sent_at: Timestamp::from_millis(second * 1000),
        ..sample::message(text)
    }
}

/// A socket pushes what somebody says now.
pub(super) fn pushes(place: &Place, text: &str) -> Act {
    Act::Push(Box::new(said(place, text, 0)))
}

fn at(cursor: &Cursor) -> i64 {
    cursor.0.parse().expect("cursors are seconds")
}

#[async_trait]
impl Adapter for Platform {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn connect(&self) -> Result<Identity, ChannelError> {
        self.note("connect".into());
        let answer = self.state().connects.pop_front().unwrap_or(Ok(()));
        answer.map(|()| Identity {
            id: "B0".into(),
            name: "kata".into(),
        })
    }

    fn warning(&self) -> Option<String> {
        self.state().warning.clone()
    }

    async fn disconnect(&self) {
        self.state().disconnected = true;
    }

    async fn send(&self, _: &Outbound) -> Result<Receipt, SendError> {
        unreachable!("drivers send nothing")
    }

    fn history(&self) -> Option<&dyn History> {
        self.polls.then_some(self as &dyn History)
    }

    fn push(&self) -> Option<&dyn Push> {
        self.pushes.then_some(self as &dyn Push)
    }
}

#[async_trait]
impl History for Platform {
    async fn conversations(&self) -> Result<Vec<Discovered>, ChannelError> {
        self.note("conversations".into());
        let state = self.state();
        let listed = |place: &&Place| place.thread.is_none() && !state.directs.contains(place);
        let conversations = state.places.keys().filter(listed);
        Ok(conversations
            .map(|place| Discovered {
                place: place.clone(),
                named: state.named,
            })
            .collect())
    }

    async fn directs(&self, known: &[Place]) -> Result<Vec<Place>, ChannelError> {
        let names: Vec<&str> = known.iter().map(|place| place.conversation.as_str()).collect();
        self.note(format!("directs beside {}", names.join(" ")));
        Ok(self.state().directs.clone())
    }

    async fn threads(
        &self,
        of: &Place,
        since: Timestamp,
        page: Option<String>,
    ) -> Result<ThreadPage, ChannelError> {
        let skip = page.map_or(0, |token| token.parse().expect("tokens are counts"));
        self.note(format!("threads {} {skip}", of.conversation));
        let mut state = self.state();
        if skip > 0
            && let Some(error) = state.thread_refusals.pop_front()
        {
            return Err(error);
        }
        let began = |place: &Place| {
            place
                .thread
                .as_ref()
                .and_then(|root| root.as_str().parse::<i64>().ok())
        };
        let places = state
            .places
            .iter()
            .filter(|(place, _)| place.conversation == of.conversation);
        let young =
            places.filter(|(place, _)| began(place).is_some_and(|root| root >= since.as_millis() / 1000));
        let newest = |said: &[Inbound]| Some(Cursor(said.iter().map(|m| m.order.0).max()?.to_string()));
        let all: Vec<_> = young
            .rev()
            .filter_map(|(place, said)| Some((place.clone(), newest(said)?)))
            .collect();
        let read = skip + state.page_size;
        Ok(ThreadPage {
            next: (read < all.len()).then(|| read.to_string()),
            threads: all.into_iter().skip(skip).take(state.page_size).collect(),
        })
    }

    async fn start_from_now(&self, place: &Place) -> Result<Cursor, ChannelError> {
        let state = self.state();
        match state.always_refuse.get(place) {
            Some(error) => Err(error.clone()),
            None => Ok(Cursor((NOW + state.late).to_string())),
        }
    }

    fn cursor_at(&self, at: Timestamp) -> Cursor {
        Cursor((at.as_millis() / 1000).to_string())
    }

    fn compare(&self, a: &Cursor, b: &Cursor) -> std::cmp::Ordering {
        at(a).cmp(&at(b))
    }

    async fn poll(&self, request: PollRequest) -> Result<PollPage, ChannelError> {
        let name = request
            .place
            .thread
            .as_ref()
            .map_or(request.place.conversation.as_str(), |t| t.as_str());
        self.note(format!("poll {name}"));
        if self.state().hang {
            std::future::pending::<()>().await;
        }
        let mut state = self.state();
        state.polls += 1;
        if state.outage.contains(&state.polls) {
            return Err(ChannelError::ConnectionLost("away".into()));
        }
        if state
            .refusals
            .front()
            .is_some_and(|(place, _)| place.as_ref().is_none_or(|p| *p == request.place))
        {
            return Err(state.refusals.pop_front().expect("just seen").1);
        }
        if let Some(error) = state.always_refuse.get(&request.place) {
            return Err(error.clone());
        }
        Ok(page(&state, &request))
    }
}

/// Cuts a page; its token is how many messages came before it.
fn page(state: &State, request: &PollRequest) -> PollPage {
    let all = state
        .places
        .get(&request.place)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut new: Vec<_> = all
        .iter()
        .filter(|m| m.order.0 > at(&request.cursor))
        .cloned()
        .collect();
    new.sort_by_key(|m| m.order);
    if state.newest_first {
        new.reverse();
    }
    let skip: usize = request
        .page
        .as_deref()
        .map_or(0, |token| token.parse().expect("tokens are counts"));
    let mut messages: Vec<_> = new.iter().skip(skip).take(state.page_size).cloned().collect();
    messages.sort_by_key(|m| m.order);
    let read = skip + messages.len();
    let next = if state.endless {
        Some(skip.to_string())
    } else {
        (read < new.len()).then(|| read.to_string())
    };
    PollPage {
        newest: messages.last().map(|m| Cursor(m.order.0.to_string())),
        contiguous: !state.newest_first || next.is_none(),
        messages,
        next,
        threads: state.threads.get(&request.place).cloned().unwrap_or_default(),
    }
}

#[async_trait]
impl Push for Platform {
    async fn subscribe(&self, sink: Sink) -> Result<(), ChannelError> {
        self.note("subscribe".into());
        let acts = self
            .state()
            .sockets
            .pop_front()
            .unwrap_or_else(|| vec![Act::Ready]);
        for act in acts {
            match act {
                Act::Ready => sink.ready(),
                Act::Beat => sink.alive(),
                Act::Wait(pause) => sleep(pause).await,
                Act::End(end) => return end,
                Act::Hang => return std::future::pending().await,
                Act::Push(message) => {
                    let pushed = sink.push(vec![*message]).await;
                    pushed.map_err(|_| ChannelError::Other("the socket was closed".into()))?;
                }
            }
        }
        // A socket that is well: it gives a sign of life every ten seconds.
        loop {
            sleep(Duration::from_secs(10)).await;
            sink.alive();
        }
    }
}

impl Platform {
    pub(super) fn shared(self) -> Arc<Self> {
        Arc::new(self)
    }
}
