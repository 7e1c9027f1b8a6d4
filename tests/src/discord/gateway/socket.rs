//! One connection to the gateway.

use std::{io::Write as _, sync::Arc, time::Duration};

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use flate2::{Compression, write::ZlibEncoder};
use serde_json::{Value, json};
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::{Instant, sleep_until},
};

use super::{
    super::Shared,
    close,
    hub::{Connection, Order},
    receive::receive,
};
use crate::port::Cut;

/// A frame from this size on is compressed for an app that asked for it in identify.
const WORTH_IT: usize = 1024;

/// What the query of the gateway's address says.
#[derive(Clone, Debug, serde::Deserialize)]
pub(crate) struct Link {
    v: Option<String>,
    encoding: Option<String>,
    compress: Option<String>,
}

/// How frames are written.
enum Writing {
    Plain,
    /// One zlib stream over the whole connection.
    /// <https://docs.discord.com/developers/events/gateway#transport-compression>
    Stream(ZlibEncoder<Vec<u8>>),
    /// Each frame by itself.
    /// <https://docs.discord.com/developers/events/gateway#payload-compression>
    Payload,
}

impl Writing {
    fn frame(&mut self, frame: &Value) -> Message {
        let text = frame.to_string();
        match self {
            Self::Stream(zlib) => {
                // A flush ends each message with 00 00 ff ff, by which the reader knows that it is whole.
                zlib.write_all(text.as_bytes())
                    .and_then(|()| zlib.flush())
                    .expect("memory takes it");
                Message::binary(std::mem::take(zlib.get_mut()))
            }
            Self::Payload if text.len() >= WORTH_IT => {
                let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
                zlib.write_all(text.as_bytes()).expect("memory takes it");
                Message::binary(zlib.finish().expect("memory takes it"))
            }
            Self::Plain | Self::Payload => Message::text(text),
        }
    }
}

/// Serves one connection until either side ends it.
pub(crate) async fn serve(shared: Arc<Shared>, mut socket: WebSocket, cut: Cut, link: Link) {
    if let Err((code, what)) = check(&link) {
        shared.change(|state| state.record.violations.push(format!("gateway: {what}")));
        return bye(&mut socket, Some(code)).await;
    }
    let (orders, inbox) = unbounded_channel();
    let (id, interval) = shared.change(|state| {
        state.record.hellos += 1;
        let id = state.hub.serial();
        state
            .hub
            .connections
            .insert(id, Connection::new(orders, cut.clone()));
        (id, state.hub.heartbeat_interval)
    });
    let writing = match link.compress {
        Some(_) => Writing::Stream(ZlibEncoder::new(Vec::new(), Compression::fast())),
        None => Writing::Plain,
    };
    let mut talk = Talk {
        shared: &shared,
        id,
        interval: Duration::from_millis(interval),
        writing,
    };
    let over = talk.run(&mut socket, inbox, &cut).await;
    shared.change(|state| state.hub.leave(id, over));
}

fn check(link: &Link) -> Result<(), (u16, String)> {
    if link.v.as_deref() != Some("10") {
        return Err((
            close::INVALID_VERSION,
            format!("version {:?} of the gateway", link.v),
        ));
    }
    if link.encoding.as_deref().is_some_and(|e| e != "json") {
        return Err((
            close::DECODE_ERROR,
            format!("the fake does not speak {:?}", link.encoding),
        ));
    }
    if link.compress.as_deref().is_some_and(|c| c != "zlib-stream") {
        return Err((
            close::DECODE_ERROR,
            format!("the fake does not compress with {:?}", link.compress),
        ));
    }
    Ok(())
}

async fn bye(socket: &mut WebSocket, code: Option<u16>) {
    let frame = code.map(|code| CloseFrame {
        code,
        reason: "".into(),
    });
    // The peer may be gone already.
    let _ = socket.send(Message::Close(frame)).await;
}

struct Talk<'a> {
    shared: &'a Shared,
    id: u64,
    interval: Duration,
    writing: Writing,
}

impl Talk<'_> {
    /// Says whether the session is over with it.
    async fn run(&mut self, socket: &mut WebSocket, mut inbox: UnboundedReceiver<Order>, cut: &Cut) -> bool {
        let hello = json!({
            "op": 10, "s": null, "t": null, "d": {
                "heartbeat_interval": u64::try_from(self.interval.as_millis()).unwrap_or(u64::MAX),
                "_trace": ["[\"gateway-prd-kata\",{\"micros\":0.0}]"],
            },
        });
        let mut due = self.due();
        let mut sent = socket.send(self.writing.frame(&hello)).await;
        while sent.is_ok() {
            sent = tokio::select! {
                order = inbox.recv() => match order {
                    Some(Order::Send(frame)) => socket.send(self.writing.frame(&frame)).await,
                    Some(Order::Garble(bytes)) => socket.send(Message::binary(bytes)).await,
                    Some(Order::Close(code)) => {
                        bye(socket, code).await;
                        return false;
                    }
                    // Half-open: the connection stays, and nothing ever happens on it again.
                    Some(Order::FallSilent) => {
                        cut.happened().await;
                        return false;
                    }
                    None => return false,
                },
                frame = socket.recv() => match frame {
                    Some(Ok(Message::Text(text))) => { due = self.take(&text, due); Ok(()) }
                    Some(Ok(Message::Binary(bytes))) => { due = self.take(&String::from_utf8_lossy(&bytes), due); Ok(()) }
                    Some(Ok(Message::Close(frame))) => return frame.is_some_and(|f| matches!(f.code, 1000 | 1001)),
                    Some(Err(_)) | None => return false,
                    Some(Ok(_)) => Ok(()),
                },
                () = sleep_until(due) => {
                    bye(socket, Some(close::SESSION_TIMED_OUT)).await;
                    return false;
                }
            };
        }
        false
    }

    /// When the app's next heartbeat must have come, with the tolerance that Discord has.
    fn due(&self) -> Instant {
        Instant::now() + self.interval * 2
    }

    /// Takes a payload; gives the time for the next heartbeat.
    fn take(&mut self, text: &str, due: Instant) -> Instant {
        let payload: Value = serde_json::from_str(text).unwrap_or_default();
        // Asked for in identify, it begins with the answer to it.
        if payload["op"] == 2 && payload["d"]["compress"] == true && matches!(self.writing, Writing::Plain) {
            self.writing = Writing::Payload;
        }
        self.shared.change(|state| receive(state, self.id, text));
        if payload["op"] == 1 { self.due() } else { due }
    }
}
