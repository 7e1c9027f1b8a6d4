//! Opening the socket, at the address that Discord's API names and we trust. There is no other: a look-up that fails is a failure.

use std::time::Duration;

use futures_util::{StreamExt, stream::SplitSink, stream::SplitStream};
use kata_channel::ChannelError;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};
use url::Url;

use super::inflate::{Broken, Inflate};
use crate::{
    account::Account,
    rest::wire::{GatewayBot, SessionStarts},
};

/// TCP, TLS and the upgrade.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// A server of hundreds of channels and thousands of roles and threads tells of itself in one frame. Inflated or not, a longer one is
/// not taken.
pub(super) const LARGEST_FRAME: usize = 16 * 1024 * 1024;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Where frames are written. What we say is short, and is not compressed.
pub(super) type Writer = SplitSink<Socket, Message>;

/// Where frames are read, and inflated.
pub(super) struct Incoming {
    frames: SplitStream<Socket>,
    inflate: Inflate,
}

/// What came through the socket.
#[derive(Debug)]
pub(super) enum Heard {
    Text(String),
    /// A part of a text, or a frame of the socket's own.
    Life,
    /// It is closed, with this code.
    Close(Option<u16>),
    /// What came cannot be inflated, nor anything that follows.
    Garbled,
}

/// Where a new session begins, if one may.
pub(super) async fn look_up(account: &Account) -> Result<Url, ChannelError> {
    let found: GatewayBot = account
        .rest
        .get("look up the gateway", "/gateway/bot".into())
        .await?;
    let url = trusted(account, &found.url).ok_or_else(|| {
        ChannelError::ConnectionLost("Discord named a gateway that is not safe to use".into())
    })?;
    match found.session_start_limit {
        Some(SessionStarts {
            remaining: 0,
            reset_after,
        }) => Err(limited(Duration::from_millis(reset_after))),
        _ => Ok(url),
    }
}

/// No session may begin for so long.
pub(super) fn limited(pause: Duration) -> ChannelError {
    ChannelError::RateLimited {
        what: "beginning a session with Discord".into(),
        retry_after: Some(pause),
    }
}

/// The address, if the token may be said there.
pub(super) fn trusted(account: &Account, url: &str) -> Option<Url> {
    let url: Url = url.parse().ok()?;
    account.endpoint.trusts_gateway(&url).then_some(url)
}

/// Connects.
pub(super) async fn open(account: &Account, url: &Url) -> Result<(Writer, Incoming), ChannelError> {
    let mut url = url.clone();
    url.set_query(Some("v=10&encoding=json&compress=zlib-stream"));
    let config = WebSocketConfig::default()
        .max_message_size(Some(LARGEST_FRAME))
        .max_frame_size(Some(LARGEST_FRAME));
    let connector = Connector::Rustls(account.tls.clone());
    let connecting = connect_async_tls_with_config(url.as_str(), Some(config), true, Some(connector));
    match timeout(OPEN_TIMEOUT, connecting).await {
        Ok(Ok((socket, _))) => {
            let (writer, frames) = socket.split();
            let inflate = Inflate::new();
            Ok((writer, Incoming { frames, inflate }))
        }
        Ok(Err(_)) => Err(ChannelError::ConnectionLost(
            "Discord's gateway cannot be opened".into(),
        )),
        Err(_) => Err(ChannelError::ConnectionLost(
            "Discord's gateway did not open in time".into(),
        )),
    }
}

// === impl Incoming ===

impl Incoming {
    /// The next frame.
    ///
    /// # Cancel safety
    /// Cancel safe: a frame that was taken has been inflated.
    pub(super) async fn next(&mut self) -> Heard {
        match self.frames.next().await {
            Some(Ok(Message::Binary(bytes))) => match self.inflate.take(&bytes) {
                Ok(Some(text)) => Heard::Text(text),
                Ok(None) => Heard::Life,
                Err(Broken) => Heard::Garbled,
            },
            Some(Ok(Message::Text(text))) => Heard::Text(text.as_str().to_owned()),
            Some(Ok(Message::Close(frame))) => Heard::Close(frame.map(|frame| frame.code.into())),
            Some(Ok(_)) => Heard::Life,
            Some(Err(_)) | None => Heard::Close(None),
        }
    }
}
