//! Opening the socket, at the address that Discord's API names and we trust. There is no other: a look-up that fails is a failure.

use std::time::Duration;

use kata_channel::ChannelError;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::protocol::WebSocketConfig,
};
use url::Url;

use crate::{
    account::Account,
    rest::wire::{GatewayBot, SessionStarts},
};

/// TCP, TLS and the upgrade.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// A server of hundreds of channels and thousands of roles and threads tells of itself in one frame.
const LARGEST_FRAME: usize = 16 * 1024 * 1024;

pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Where a new session begins, and how many may.
pub(super) async fn look_up(account: &Account) -> Result<(Url, Option<SessionStarts>), ChannelError> {
    let found: GatewayBot = account
        .rest
        .get("look up the gateway", "/gateway/bot".into())
        .await?;
    let url = trusted(account, &found.url).ok_or_else(|| {
        ChannelError::ConnectionLost("Discord named a gateway that is not safe to use".into())
    })?;
    Ok((url, found.session_start_limit))
}

/// The address, if the token may be said there.
pub(super) fn trusted(account: &Account, url: &str) -> Option<Url> {
    let url: Url = url.parse().ok()?;
    account.endpoint.trusts_gateway(&url).then_some(url)
}

/// Connects.
pub(super) async fn open(account: &Account, url: &Url) -> Result<Socket, ChannelError> {
    let mut url = url.clone();
    url.set_query(Some("v=10&encoding=json"));
    let config = WebSocketConfig::default()
        .max_message_size(Some(LARGEST_FRAME))
        .max_frame_size(Some(LARGEST_FRAME));
    let connector = Connector::Rustls(account.tls.clone());
    let connecting = connect_async_tls_with_config(url.as_str(), Some(config), true, Some(connector));
    match timeout(OPEN_TIMEOUT, connecting).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(_)) => Err(ChannelError::ConnectionLost(
            "Discord's gateway cannot be opened".into(),
        )),
        Err(_) => Err(ChannelError::ConnectionLost(
            "Discord's gateway did not open in time".into(),
        )),
    }
}
