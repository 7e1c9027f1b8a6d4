//! Sessions and connections: who is told what, what a session missed, what ends it.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};
use tokio::{sync::mpsc::UnboundedSender, time::Instant};

use crate::port::Cut;

/// Events that a session may be told again. Discord keeps a bounded number of them too.
const KEPT: usize = 20_000;

/// What a connection's task is told.
#[derive(Debug)]
pub(crate) enum Order {
    Send(Value),
    /// A binary frame of these bytes, whatever they are.
    Garble(Vec<u8>),
    /// A close frame, with or without a code.
    Close(Option<u16>),
    /// Neither read nor write any more, and keep the connection open.
    FallSilent,
}

/// What was agreed on in identify.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) token: String,
    pub(crate) intents: u64,
    pub(crate) seq: u64,
    /// What was dispatched, with its number.
    sent: VecDeque<(u64, Value)>,
    pub(crate) connection: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) orders: UnboundedSender<Order>,
    pub(crate) cut: Cut,
    pub(crate) session: Option<String>,
    /// It is half-open, and Discord has not noticed.
    pub(crate) silent: bool,
    /// When the app's payloads of the last minute came.
    pub(crate) recent: VecDeque<Instant>,
}

impl Connection {
    pub(crate) fn new(orders: UnboundedSender<Order>, cut: Cut) -> Self {
        Self {
            orders,
            cut,
            session: None,
            silent: false,
            recent: VecDeque::new(),
        }
    }

    pub(crate) fn order(&self, order: Order) {
        // A send fails when the connection's task has just ended; then it is about to be removed.
        let _ = self.orders.send(order);
    }
}

#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) connections: BTreeMap<u64, Connection>,
    pub(crate) sessions: BTreeMap<String, Session>,
    serial: u64,
    /// Milliseconds that new connections are told.
    pub(crate) heartbeat_interval: u64,
    /// Heartbeats are acknowledged.
    pub(crate) acknowledges: bool,
    /// How often each event is told.
    pub(crate) times: usize,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            connections: BTreeMap::new(),
            sessions: BTreeMap::new(),
            serial: 0,
            heartbeat_interval: 41_250,
            acknowledges: true,
            times: 1,
        }
    }
}

impl Hub {
    pub(crate) fn serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// Tells every session that asked for it; `d` is what a session with these intents sees.
    pub(crate) fn dispatch(&mut self, event: &str, needed: u64, d: impl Fn(u64) -> Value) {
        for session in self.sessions.values_mut() {
            if needed != 0 && session.intents & needed == 0 {
                continue;
            }
            let d = d(session.intents);
            for _ in 0..self.times {
                let frame = session.dispatch(event, d.clone());
                let connection = session.connection.and_then(|id| self.connections.get(&id));
                if let Some(connection) = connection {
                    connection.order(Order::Send(frame));
                }
            }
        }
    }

    /// Connections whose session is ready or resumed, and not half-open.
    pub(crate) fn open(&self) -> usize {
        let open = |c: &&Connection| c.session.is_some() && !c.silent;
        self.connections.values().filter(open).count()
    }

    /// A connection that is gone. After a close with 1000 or 1001 its session is over, else it may be resumed.
    pub(crate) fn leave(&mut self, id: u64, over: bool) {
        let Some(name) = self.connections.remove(&id).and_then(|c| c.session) else {
            return;
        };
        if over {
            self.sessions.remove(&name);
        } else if let Some(session) = self.sessions.get_mut(&name)
            && session.connection == Some(id)
        {
            session.connection = None;
        }
    }

    /// Closes every connection; the sessions stay.
    pub(crate) fn close_all(&mut self, code: Option<u16>) {
        self.connections
            .values()
            .for_each(|c| c.order(Order::Close(code)));
    }

    pub(crate) fn send_all(&mut self, frame: &Value) {
        self.connections
            .values()
            .for_each(|c| c.order(Order::Send(frame.clone())));
    }

    pub(crate) fn garble(&self, bytes: &[u8]) {
        self.connections
            .values()
            .for_each(|c| c.order(Order::Garble(bytes.to_vec())));
    }

    pub(crate) fn fall_silent(&mut self) {
        for connection in self.connections.values_mut() {
            connection.silent = true;
            connection.order(Order::FallSilent);
        }
    }

    pub(crate) fn cut(&self) {
        self.connections.values().for_each(|c| c.cut.cut());
    }

    /// Ends every session: the next resume is answered with op 9.
    pub(crate) fn end_sessions(&mut self) {
        self.sessions.clear();
        self.connections.values_mut().for_each(|c| c.session = None);
    }
}

impl Session {
    pub(crate) fn new(token: String, intents: u64, connection: u64) -> Self {
        Self {
            token,
            intents,
            seq: 0,
            sent: VecDeque::new(),
            connection: Some(connection),
        }
    }

    /// The next event's frame.
    pub(crate) fn dispatch(&mut self, event: &str, d: Value) -> Value {
        self.seq += 1;
        let frame = json!({"op": 0, "s": self.seq, "t": event, "d": d});
        self.sent.push_back((self.seq, frame.clone()));
        if self.sent.len() > KEPT {
            self.sent.pop_front();
        }
        frame
    }

    /// What came after `seq`; none if some of it is forgotten.
    pub(crate) fn missed(&self, seq: u64) -> Option<Vec<Value>> {
        let oldest = self.sent.front().map_or(self.seq, |(first, _)| first - 1);
        if seq < oldest {
            return None;
        }
        let missed = self.sent.iter().filter(|(s, _)| *s > seq);
        Some(missed.map(|(_, frame)| frame.clone()).collect())
    }
}
