//! Envelopes and sockets: which socket gets what, what is not yet acknowledged, what comes again.
//! <https://docs.slack.dev/apis/events-api/using-socket-mode>

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{sync::mpsc::UnboundedSender, time::Instant};

use crate::port::Cut;

/// When an event that was not acknowledged comes again.
#[derive(Clone, Copy, Debug)]
pub struct Redelivery {
    /// After this long without an acknowledgement.
    pub after: Duration,
    /// This often at most, then Slack gives the event up.
    pub attempts: u32,
}

impl Default for Redelivery {
    fn default() -> Self {
        Self {
            after: Duration::from_secs(60),
            attempts: 3,
        }
    }
}

/// What a socket's task is told.
#[derive(Debug)]
pub(crate) enum Order {
    Send(String),
    /// Neither read nor write any more, and keep the connection open.
    FallSilent,
}

#[derive(Debug)]
struct Socket {
    id: u64,
    orders: UnboundedSender<Order>,
    cut: Cut,
    /// It was told to disconnect: it gets no more events.
    draining: bool,
    /// It is half-open, and Slack has not noticed: it gets events and does nothing with them.
    silent: bool,
}

#[derive(Clone, Debug)]
struct Envelope {
    serial: u64,
    kind: &'static str,
    payload: Value,
    message: Option<String>,
    attempt: u32,
}

#[derive(Debug)]
struct Sent {
    envelope: Envelope,
    socket: u64,
    at: Instant,
}

#[derive(Debug, Default)]
pub(crate) struct Hub {
    sockets: Vec<Socket>,
    turn: usize,
    serial: u64,
    waiting: VecDeque<Envelope>,
    unacknowledged: BTreeMap<u64, Sent>,
    pub(crate) redelivery: Redelivery,
}

impl Hub {
    /// Sends `payload` to one of the sockets, as soon as there is one.
    pub(crate) fn enqueue(&mut self, kind: &'static str, payload: Value, message: Option<String>) {
        // A command or a press that reaches nobody fails before the user's eyes; only events are tried again.
        if kind != "events_api" && self.open() == 0 {
            return;
        }
        self.serial += 1;
        self.waiting.push_back(Envelope {
            serial: self.serial,
            kind,
            payload,
            message,
            attempt: 0,
        });
        self.flush();
    }

    fn flush(&mut self) {
        while let Some(envelope) = self.waiting.pop_front() {
            let Some(socket) = self.pick() else {
                self.waiting.push_front(envelope);
                return;
            };
            let (id, frame) = (socket.id, envelope.frame());
            // A send fails when the socket's task has just ended; then the socket is about to be removed.
            let _ = socket.orders.send(Order::Send(frame));
            self.unacknowledged.insert(
                envelope.serial,
                Sent {
                    envelope,
                    socket: id,
                    at: Instant::now(),
                },
            );
        }
    }

    /// One event goes to one of an app's sockets, by turns.
    fn pick(&mut self) -> Option<&Socket> {
        let open = self.sockets.iter().filter(|s| !s.draining).count();
        if open == 0 {
            return None;
        }
        self.turn = self.turn.wrapping_add(1);
        self.sockets.iter().filter(|s| !s.draining).nth(self.turn % open)
    }

    /// A socket that has said hello.
    pub(crate) fn join(&mut self, id: u64, orders: UnboundedSender<Order>, cut: Cut) {
        // By the time the app has come back, Slack too has noticed that the old connection is dead.
        let dead: Vec<u64> = self.sockets.iter().filter(|s| s.silent).map(|s| s.id).collect();
        self.sockets.push(Socket {
            id,
            orders,
            cut,
            draining: false,
            silent: false,
        });
        self.flush();
        dead.into_iter().for_each(|id| self.leave(id));
    }

    /// A socket that is gone. What it did not acknowledge goes to the next one.
    pub(crate) fn leave(&mut self, id: u64) {
        self.sockets.retain(|s| s.id != id);
        self.take_back(|sent| sent.socket == id);
    }

    /// Sends again what has waited too long for its acknowledgement.
    pub(crate) fn redeliver_due(&mut self) {
        let after = self.redelivery.after;
        self.take_back(|sent| sent.at.elapsed() >= after);
    }

    fn take_back(&mut self, due: impl Fn(&Sent) -> bool) {
        let serials: Vec<u64> = self
            .unacknowledged
            .iter()
            .filter(|(_, sent)| due(sent))
            .map(|(serial, _)| *serial)
            .collect();
        let taken = serials
            .into_iter()
            .filter_map(|s| self.unacknowledged.remove(&s))
            .map(|s| s.envelope);
        let attempts = self.redelivery.attempts;
        let again = taken
            .filter(|e| e.kind == "events_api" && e.attempt < attempts)
            .map(|e| Envelope {
                attempt: e.attempt + 1,
                ..e
            })
            .collect::<Vec<_>>();
        // They are older than what waits.
        for envelope in again.into_iter().rev() {
            self.waiting.push_front(envelope);
        }
        self.flush();
    }

    /// Takes an acknowledgement: which message it was for, and which attempt.
    pub(crate) fn acknowledge(&mut self, envelope_id: &str) -> Option<Acknowledged> {
        let serial = *self
            .unacknowledged
            .iter()
            .find(|(s, _)| envelope_id == id_of(**s))?
            .0;
        let envelope = self.unacknowledged.remove(&serial)?.envelope;
        Some(Acknowledged {
            message: envelope.message,
            attempt: envelope.attempt,
            payload: envelope.payload,
        })
    }

    /// Asks the sockets to go, as Slack does every few hours.
    pub(crate) fn disconnect(&mut self, reason: &str) {
        let frame = json!({"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-1"}});
        for socket in &mut self.sockets {
            let _ = socket.orders.send(Order::Send(frame.to_string()));
            socket.draining = true;
        }
    }

    /// Half-open sockets: the peer is gone and neither side was told.
    pub(crate) fn fall_silent(&mut self) {
        for socket in &mut self.sockets {
            socket.silent = true;
            let _ = socket.orders.send(Order::FallSilent);
        }
    }

    /// Cuts the sockets' connections.
    pub(crate) fn cut(&mut self) {
        for socket in &self.sockets {
            socket.cut.cut();
        }
    }

    /// Forgets what was not delivered or not acknowledged: Slack gave up.
    pub(crate) fn give_up(&mut self) {
        self.waiting.clear();
        self.unacknowledged.clear();
    }

    pub(crate) fn open(&self) -> usize {
        self.sockets.iter().filter(|s| !s.draining).count()
    }

    /// Envelopes not yet acknowledged, delivered or not.
    pub(crate) fn pending(&self) -> usize {
        self.waiting.len() + self.unacknowledged.len()
    }
}

/// What an acknowledgement was for.
#[derive(Debug)]
pub(crate) struct Acknowledged {
    pub(crate) message: Option<String>,
    pub(crate) attempt: u32,
    pub(crate) payload: Value,
}

fn id_of(serial: u64) -> String {
    format!("{serial:08x}-3be8-4280-b339-36e3f6652bac")
}

impl Envelope {
    fn frame(&self) -> String {
        let mut frame = json!({
            "envelope_id": id_of(self.serial), "type": self.kind, "payload": self.payload,
            // An interaction in a message is answered by its `response_url` alone.
            "accepts_response_payload": self.kind == "slash_commands",
        });
        if self.kind == "events_api" {
            frame["retry_attempt"] = self.attempt.into();
            frame["retry_reason"] = if self.attempt == 0 { "" } else { "timeout" }.into();
        }
        frame.to_string()
    }
}
