//! How a socket begins: with the session that there was, or a new one where and when one may begin.

use std::time::Duration;

use kata_channel::ChannelError;
use tokio::time::{Instant, timeout};

use super::{
    close,
    frame::{self, Frame},
    link::{self, Heard, Incoming},
    session::Session,
};
use crate::account::Account;

/// Discord says hello at once.
const HELLO_WITHIN: Duration = Duration::from_secs(10);

/// The session to go on with, if there is one that is worth it.
pub(super) fn resumable(account: &Account) -> Option<Session> {
    let mut kept = account.gateway.session();
    if kept.as_mut().is_some_and(|session| !session.try_again()) {
        *kept = None;
    }
    kept.clone()
}

/// Where a new session begins, if one may.
pub(super) async fn begin(account: &Account) -> Result<url::Url, ChannelError> {
    let url = link::look_up(account).await?;
    account.gateway.budget().take().map_err(link::limited)?;
    account.gateway.may_begin().await;
    Ok(url)
}

/// The first thing that is said: how often our heart is to beat.
pub(super) async fn hello(incoming: &mut Incoming) -> Result<Duration, ChannelError> {
    let first = timeout(HELLO_WITHIN, incoming.next()).await;
    match first {
        Ok(Heard::Text(text)) if let Frame::Hello(every) = frame::read(&text, Instant::now()) => Ok(every),
        Ok(Heard::Close(Some(code))) => Err(close::read(Some(code)).error),
        _ => Err(ChannelError::ConnectionLost(
            "Discord's gateway does not say hello".into(),
        )),
    }
}
