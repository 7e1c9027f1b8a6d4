//! Opening the socket: Slack hands out an address with a ticket in it, good for one connection.

use std::{sync::Arc, time::Duration};

use kata_channel::ChannelError;
use rustls::ClientConfig;
use serde_json::json;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::protocol::WebSocketConfig,
};
use url::Url;

use crate::{
    endpoint::Endpoint,
    web::{Call, Web, wire::ConnectionsOpen},
};

/// TCP, TLS and the upgrade.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// An event's payload is some kilobytes; a message of 40,000 characters with its blocks stays below this.
const LARGEST_FRAME: usize = 4 * 1024 * 1024;

pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Asks for an address: <https://docs.slack.dev/reference/methods/apps.connections.open>.
pub(super) async fn address(web: &Web, endpoint: &Endpoint) -> Result<Url, ChannelError> {
    let opened: ConnectionsOpen = web
        .post(Call::method("apps.connections.open"), &json!({}))
        .await?;
    if !endpoint.trusts_socket(&opened.url) {
        return Err(ChannelError::ConnectionLost(
            "Slack named a socket address that is not safe to use".into(),
        ));
    }
    Ok(opened.url)
}

/// Asks for an address and connects to it. Errors name no address: the ticket in it is a credential.
pub(super) async fn open(
    web: &Web,
    endpoint: &Endpoint,
    tls: &Arc<ClientConfig>,
) -> Result<Socket, ChannelError> {
    let url = address(web, endpoint).await?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(LARGEST_FRAME))
        .max_frame_size(Some(LARGEST_FRAME));
    let connector = Connector::Rustls(tls.clone());
    let connecting = connect_async_tls_with_config(url.as_str(), Some(config), true, Some(connector));
    match timeout(OPEN_TIMEOUT, connecting).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(_)) => Err(ChannelError::ConnectionLost(
            "Slack's socket cannot be opened".into(),
        )),
        Err(_) => Err(ChannelError::ConnectionLost(
            "Slack's socket did not open in time".into(),
        )),
    }
}
