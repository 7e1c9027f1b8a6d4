//! One Socket Mode connection.

use std::sync::Arc;

use axum::extract::ws::{Message, WebSocket};
use serde_json::{Value, json};
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::{MissedTickBehavior, interval},
};

use crate::port::Cut;

use super::{
    Shared,
    hub::Order,
    record::{Ack, Posted, Via},
    world::APP,
};

/// Serves one connection until either side ends it.
pub(crate) async fn serve(shared: Arc<Shared>, mut socket: WebSocket, cut: Cut) {
    let (id, hello) = shared.change(|state| {
        state.record.hellos += 1;
        (state.world.serial(), hello(state.hub.open() + 1))
    });
    if socket.send(Message::text(hello)).await.is_err() {
        return;
    }
    let (orders, inbox) = unbounded_channel();
    shared.change(|state| state.hub.join(id, orders, cut.clone()));
    talk(&shared, &mut socket, inbox, &cut).await;
    shared.change(|state| state.hub.leave(id));
}

fn hello(connections: usize) -> String {
    json!({
        "type": "hello", "num_connections": connections, "connection_info": {"app_id": APP},
        "debug_info": {
            "host": "applink-1", "started": "2026-11-22 10:11:12.345", "build_number": 53,
            "approximate_connection_time": 3600,
        },
    })
    .to_string()
}

async fn talk(shared: &Shared, socket: &mut WebSocket, mut inbox: UnboundedReceiver<Order>, cut: &Cut) {
    let mut pings = interval(shared.ping_every());
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pings.tick().await;
    loop {
        let sent = tokio::select! {
            order = inbox.recv() => match order {
                Some(Order::Send(frame)) => socket.send(Message::text(frame)).await,
                // Half-open: the connection stays, and nothing ever happens on it again.
                Some(Order::FallSilent) => return cut.happened().await,
                None => return,
            },
            frame = socket.recv() => match frame {
                Some(Ok(Message::Text(text))) => { acknowledge(shared, &text); Ok(()) }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                // Pings are answered by the library; pongs need no answer.
                Some(Ok(_)) => Ok(()),
            },
            _ = pings.tick() => socket.send(Message::Ping("Ping from applink-1".into())).await,
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Takes what the app sent: acknowledgements, with or without a payload, and nothing else.
fn acknowledge(shared: &Shared, text: &str) {
    let Ok(ack) = serde_json::from_str::<Value>(text) else {
        return;
    };
    let Some(envelope_id) = ack["envelope_id"].as_str() else {
        return;
    };
    shared.change(|state| {
        let at = jiff::Timestamp::now();
        let known = state.hub.acknowledge(envelope_id);
        let (message, attempt) = known
            .as_ref()
            .map_or((None, 0), |k| (k.message.clone(), k.attempt));
        state.record.acks.push(Ack {
            envelope_id: envelope_id.to_owned(),
            message,
            attempt,
            at,
        });
        if let (Some(known), Some(text)) = (known, ack["payload"]["text"].as_str()) {
            let channel = known.payload["channel_id"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            let ts = state.world.next_ts().to_string();
            let (text, via) = (text.to_owned(), Via::Acknowledgement);
            state.record.posted.push(Posted {
                via,
                channel,
                thread: None,
                text,
                key: None,
                ts,
                at,
            });
        }
    });
}
