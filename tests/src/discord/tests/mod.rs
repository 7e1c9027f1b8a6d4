//! The fake is held to Discord's documents, by a client that knows nothing of katad.

mod answers;
mod faults;
mod gateway;
mod interactions;
mod messages;

use std::io::Read as _;

use axum::body::Bytes;
use flate2::read::ZlibDecoder;
use futures_util::{SinkExt, StreamExt};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use super::{BOT_TOKEN, ChannelKind, FakeDiscord, gateway::intent};

/// A guild with a channel, a forum, and one that the bot does not see.
async fn guild() -> FakeDiscord {
    let discord = FakeDiscord::start().await;
    discord.add_user("1001", "ada");
    discord.add_user("1002", "bob");
    discord.add_channel("2001", "general", ChannelKind::Text);
    discord.add_channel("2002", "secret", ChannelKind::Text);
    discord.set_visible("2002", false);
    discord.add_channel("2009", "ideas", ChannelKind::Forum);
    discord
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

fn request(discord: &FakeDiscord, method: Method, path: &str, body: &Value) -> Request<Full<Bytes>> {
    let body = if body.is_null() {
        Bytes::new()
    } else {
        Bytes::from(body.to_string())
    };
    Request::builder()
        .method(method)
        .uri(format!("{}/api/v10{path}", discord.api_url()))
        .header("authorization", format!("Bot {BOT_TOKEN}"))
        .header("user-agent", "DiscordBot (https://example.org, 1)")
        .header("content-type", "application/json")
        .body(Full::from(body))
        .unwrap()
}

/// A call with the bot's token: status and body.
async fn call(discord: &FakeDiscord, method: Method, path: &str, body: Value) -> (u16, Value) {
    let answer = send(request(discord, method, path, &body)).await.unwrap();
    let body = serde_json::from_slice(answer.body()).unwrap_or_default();
    (answer.status().as_u16(), body)
}

async fn get(discord: &FakeDiscord, path: &str) -> Value {
    let (status, body) = call(discord, Method::GET, path, Value::Null).await;
    assert_eq!(status, 200, "{path}: {body}");
    body
}

async fn post(discord: &FakeDiscord, path: &str, body: Value) -> (u16, Value) {
    call(discord, Method::POST, path, body).await
}

/// A gateway client.
struct Gateway {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    stream: Option<flate2::Decompress>,
}

impl Gateway {
    /// Opens a connection, past hello.
    async fn open(discord: &FakeDiscord, query: &str) -> Self {
        let url = get(discord, "/gateway").await["url"].as_str().unwrap().to_owned();
        let (socket, _) = connect_async(format!("{url}/?v=10&encoding=json{query}"))
            .await
            .unwrap();
        let stream = query
            .contains("zlib-stream")
            .then(|| flate2::Decompress::new(true));
        let mut gateway = Self { socket, stream };
        assert_eq!(gateway.frame().await.unwrap()["op"], 10);
        gateway
    }

    /// A session with these intents, past READY and the guild.
    async fn ready(discord: &FakeDiscord, intents: u64) -> (Self, Value) {
        let mut gateway = Self::open(discord, "").await;
        gateway.identify(intents, json!({})).await;
        let ready = gateway.event("READY").await;
        if intents & intent::GUILDS != 0 {
            gateway.event("GUILD_CREATE").await;
        }
        (gateway, ready)
    }

    async fn identify(&mut self, intents: u64, more: Value) {
        let mut d = json!({
            "token": BOT_TOKEN, "intents": intents, "properties": {"os": "linux", "browser": "t", "device": "t"},
        });
        d.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        self.send(json!({"op": 2, "d": d})).await;
    }

    async fn send(&mut self, payload: Value) {
        self.socket
            .send(Message::text(payload.to_string()))
            .await
            .unwrap();
    }

    /// The next frame; or the code with which the connection was closed.
    async fn frame(&mut self) -> Result<Value, Option<u16>> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Binary(bytes))) => return Ok(self.inflate(&bytes)),
                Some(Ok(Message::Close(frame))) => return Err(frame.map(|f| f.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    fn inflate(&mut self, bytes: &[u8]) -> Value {
        let mut out = Vec::with_capacity(1 << 20);
        match &mut self.stream {
            Some(stream) => {
                assert!(
                    bytes.ends_with(&[0, 0, 0xff, 0xff]),
                    "a message ends with a flush"
                );
                stream
                    .decompress_vec(bytes, &mut out, flate2::FlushDecompress::Sync)
                    .unwrap();
            }
            None => _ = ZlibDecoder::new(bytes).read_to_end(&mut out).unwrap(),
        }
        serde_json::from_slice(&out).unwrap()
    }

    /// The next frame, which is this event.
    async fn event(&mut self, name: &str) -> Value {
        let frame = self.frame().await.unwrap();
        assert_eq!(frame["t"], name, "{frame}");
        frame["d"].clone()
    }

    /// The code with which the connection is closed, after whatever comes before.
    async fn closed(&mut self) -> Option<u16> {
        loop {
            if let Err(code) = self.frame().await {
                return code;
            }
        }
    }
}

const MESSAGES: u64 = intent::GUILDS
    | intent::GUILD_MESSAGES
    | intent::DIRECT_MESSAGES
    | intent::MESSAGE_CONTENT
    | intent::GUILD_MESSAGE_REACTIONS;
