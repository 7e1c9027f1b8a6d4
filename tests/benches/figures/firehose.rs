//! A Slack that can do one thing: push frames that were made beforehand, as fast as the socket takes them, and count
//! the acknowledgements. [`kata_testkit::slack::FakeSlack`] makes and records each event, which costs as much as
//! storing it does.

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use axum::{
    Json, Router,
    extract::{
        Path, State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    response::Response,
    routing::any,
};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use jiff::Timestamp;
use kata_testkit::{
    Platform,
    slack::{BOT, BOT_USER, TEAM},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::lab::{Lab, USER};

/// How long a flood may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Frames to push.
pub(crate) struct Plan(Vec<Message>);

impl Plan {
    /// So many messages, by turns in each of the conversations.
    pub(crate) fn new(conversations: &[String], events: usize) -> Self {
        let start = Timestamp::now().as_microsecond();
        let frame =
            |(at, conversation): (i64, &String)| Message::text(envelope(conversation, at).to_string());
        Self(
            (start..)
                .zip(conversations.iter().cycle())
                .take(events)
                .map(frame)
                .collect(),
        )
    }
}

/// What Slack sends for a message in a channel. <https://docs.slack.dev/apis/events-api/using-socket-mode>
fn envelope(conversation: &str, at: i64) -> Value {
    let ts = format!("{}.{:06}", at / 1_000_000, at % 1_000_000);
    let text = format!("what became of the thing that we spoke about at {at}?");
    let event = json!({
        "type": "message", "user": USER, "text": text, "ts": ts, "event_ts": ts, "channel": conversation,
        "channel_type": "channel", "team": TEAM, "client_msg_id": format!("client-{ts}"),
        "blocks": [{"type": "rich_text", "block_id": "b1", "elements": [
            {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]},
        ]}],
    });
    json!({
        "envelope_id": format!("{at:016x}-3be8-4280-b339-36e3f6652bac"), "type": "events_api",
        "accepts_response_payload": false, "retry_attempt": 0, "retry_reason": "",
        "payload": {
            "token": "verification-token", "team_id": TEAM, "context_team_id": TEAM, "api_app_id": "A0KATA0001",
            "event": event, "type": "event_callback", "event_id": format!("Ev{at}"), "event_time": at / 1_000_000,
            "is_ext_shared_channel": false, "event_context": format!("4-{at}"),
            "authorizations": [{
                "enterprise_id": null, "team_id": TEAM, "user_id": BOT_USER, "is_bot": true,
                "is_enterprise_install": false,
            }],
        },
    })
}

/// The server, until it is dropped.
pub(crate) struct Firehose {
    addr: SocketAddr,
    go: Mutex<Option<oneshot::Sender<()>>>,
    took: Receiver<Duration>,
    serving: JoinHandle<()>,
}

/// What the one socket is given.
struct Supply {
    frames: Vec<Message>,
    go: oneshot::Receiver<()>,
    took: SyncSender<Duration>,
}

#[derive(Clone)]
struct Shared {
    addr: SocketAddr,
    supply: Arc<Mutex<Option<Supply>>>,
}

impl Firehose {
    /// Serves; the frames are for the first socket.
    pub(crate) fn start(lab: &Lab, plan: Plan) -> Result<Self> {
        let (go, told) = oneshot::channel();
        let (tell, took) = sync_channel(1);
        let supply = Supply {
            frames: plan.0,
            go: told,
            took: tell,
        };
        let listener = lab.runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let addr = listener.local_addr()?;
        let app = Router::new()
            .route("/api/{method}", any(api))
            .route("/link", any(link))
            .with_state(Shared {
                addr,
                supply: Arc::new(Mutex::new(Some(supply))),
            });
        let serving = lab.runtime.spawn(async move {
            // Serving on our own listener does not fail.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self {
            addr,
            go: Mutex::new(Some(go)),
            took,
            serving,
        })
    }

    pub(crate) fn api_url(&self) -> String {
        format!("http://{}/api", self.addr)
    }

    pub(crate) fn socket_url(&self) -> String {
        socket_url(self.addr)
    }

    /// Pushes all frames; gives the time until the last of them was acknowledged.
    pub(crate) fn flood(&self) -> Result<Duration> {
        let go = self.go.lock().unwrap_or_else(PoisonError::into_inner).take();
        go.and_then(|go| go.send(()).ok())
            .context("the daemon is not connected")?;
        self.took
            .recv_timeout(PATIENCE)
            .context("not every event was acknowledged")
    }
}

impl Platform for Firehose {
    fn endpoints(&self) -> Vec<(&'static str, String)> {
        vec![("KATA_SLACK_API_URL", self.api_url())]
    }
}

impl Drop for Firehose {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn socket_url(addr: SocketAddr) -> String {
    format!("ws://{addr}/link")
}

/// The same answer to everybody.
async fn api(State(shared): State<Shared>, Path(method): Path<String>) -> Json<Value> {
    let url = socket_url(shared.addr);
    let profile = json!({"display_name": "ada", "real_name": "Ada"});
    Json(match method.as_str() {
        "auth.test" => json!({
            "ok": true, "url": "https://kata.slack.com/", "team": "Kata", "user": "kata", "team_id": TEAM,
            "user_id": BOT_USER, "bot_id": BOT, "is_enterprise_install": false,
        }),
        "apps.connections.open" => json!({"ok": true, "url": url}),
        "users.info" => {
            json!({"ok": true, "user": {"id": USER, "name": "ada", "team_id": TEAM, "profile": profile}})
        }
        "conversations.history" | "conversations.replies" => {
            json!({"ok": true, "messages": [], "has_more": false})
        }
        _ => json!({"ok": true}),
    })
}

async fn link(State(shared): State<Shared>, upgrade: WebSocketUpgrade) -> Response {
    let supply = shared
        .supply
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    upgrade.on_upgrade(async move |mut socket| {
        let hello =
            json!({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A0KATA0001"}});
        if let (Ok(()), Some(supply)) = (socket.send(Message::text(hello.to_string())).await, supply) {
            talk(socket, supply).await;
        }
    })
}

async fn talk(socket: WebSocket, supply: Supply) {
    let Supply { frames, go, took } = supply;
    let expected = frames.len();
    let (outward, inward) = socket.split();
    let (start, end) = tokio::join!(push(outward, frames, go), acknowledgements(inward, expected));
    if let (Some((start, _open)), Some((end, mut inward))) = (start, end) {
        let _ = took.send(end - start);
        // The socket stays open until the daemon closes it.
        while let Some(Ok(_)) = inward.next().await {}
    }
}

type Outward = SplitSink<WebSocket, Message>;
type Inward = SplitStream<WebSocket>;

/// When the first frame was pushed.
async fn push(
    mut outward: Outward,
    frames: Vec<Message>,
    go: oneshot::Receiver<()>,
) -> Option<(Instant, Outward)> {
    go.await.ok()?;
    let start = Instant::now();
    for frame in frames {
        outward.feed(frame).await.ok()?;
    }
    outward.flush().await.ok()?;
    Some((start, outward))
}

#[derive(Deserialize)]
struct Acknowledgement<'a> {
    envelope_id: &'a str,
}

/// When the last of so many different envelopes was acknowledged.
async fn acknowledgements(mut inward: Inward, expected: usize) -> Option<(Instant, Inward)> {
    let mut seen = HashSet::with_capacity(expected);
    while seen.len() < expected {
        if let Message::Text(text) = inward.next().await?.ok()? {
            let ack: Acknowledgement<'_> = serde_json::from_str(&text).ok()?;
            seen.insert(ack.envelope_id.to_owned());
        }
    }
    Some((Instant::now(), inward))
}
