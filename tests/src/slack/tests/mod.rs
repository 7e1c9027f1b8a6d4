//! The fake is held to Slack's documents, by a client that knows nothing of katad.

mod blocks;
mod faults;
mod methods;
mod pages;
mod shapes;
mod sockets;

use axum::body::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use super::{APP_TOKEN, BOT_TOKEN, ChannelKind, FakeSlack};

/// A workspace with a channel, a private one that the bot is not in, and Ada in all.
async fn workspace() -> FakeSlack {
    let slack = FakeSlack::start().await;
    slack.add_user("U1", "ada");
    slack.add_channel("C1", "general", ChannelKind::Public, &["U1"]);
    slack.add_channel("C2", "elsewhere", ChannelKind::Public, &["U1"]);
    slack.kick_bot("C2");
    slack.add_channel("G1", "secret", ChannelKind::Private, &["U1"]);
    slack.kick_bot("G1");
    slack
}

async fn send(request: Request<Full<Bytes>>) -> Result<Response<Bytes>, hyper_util::client::legacy::Error> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let (parts, body) = client.request(request).await?.into_parts();
    // A connection that was cut inside the body reads as an empty one here; these tests cut before the head.
    let body = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    Ok(Response::from_parts(parts, body))
}

/// A JSON call with the bot's token.
async fn post(
    slack: &FakeSlack,
    method: &str,
    args: Value,
) -> Result<Response<Bytes>, hyper_util::client::legacy::Error> {
    let request = Request::post(format!("{}/{method}", slack.api_url()))
        .header("authorization", format!("Bearer {BOT_TOKEN}"))
        .header("content-type", "application/json; charset=utf-8")
        .body(Full::from(args.to_string()))
        .unwrap();
    send(request).await
}

/// A JSON call that is answered with HTTP 200.
async fn call(slack: &FakeSlack, method: &str, args: Value) -> Value {
    let response = post(slack, method, args).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    serde_json::from_slice(response.body()).unwrap()
}

/// The error code of a call, or `ok`.
async fn outcome(slack: &FakeSlack, method: &str, args: Value) -> String {
    let answer = call(slack, method, args).await;
    if answer["ok"] == true {
        "ok".into()
    } else {
        answer["error"].as_str().unwrap().to_owned()
    }
}

/// A Socket Mode client.
struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    async fn open(slack: &FakeSlack) -> Self {
        let request = Request::post(format!("{}/apps.connections.open", slack.api_url()))
            .header("authorization", format!("Bearer {APP_TOKEN}"))
            .body(Full::default())
            .unwrap();
        let answer: Value = serde_json::from_slice(send(request).await.unwrap().body()).unwrap();
        let (socket, _) = connect_async(answer["url"].as_str().unwrap()).await.unwrap();
        let mut socket = Self(socket);
        assert_eq!(socket.frame().await["type"], "hello");
        slack.wait_connected().await;
        socket
    }

    /// The next frame with text.
    async fn frame(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.0.next().await.unwrap().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    async fn ack(&mut self, frame: &Value) {
        let ack = json!({"envelope_id": frame["envelope_id"]}).to_string();
        self.0.send(Message::text(ack)).await.unwrap();
    }
}
