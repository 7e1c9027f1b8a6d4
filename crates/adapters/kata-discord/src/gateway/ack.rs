//! Interactions are acknowledged within three seconds, or not at all, and after their commit (D1):
//! <https://docs.discord.com/developers/interactions/receiving-and-responding#responding-to-an-interaction>.

use std::time::Duration;

use http::Method;
use serde_json::json;
use tokio::time::timeout_at;

use super::frame::Event;
use crate::{
    account::Account,
    rest::{Call, wire::Interaction},
};

/// Discord gives an interaction three seconds, then its token is worth nothing.
const ACK_WITHIN: Duration = Duration::from_secs(3);

/// An answer follows. The person sees that somebody thinks.
const DEFERRED: u64 = 5;
/// Nothing follows here: what was pressed is closed when its question is.
const SEEN: u64 = 6;

/// Acknowledges an interaction that is stored. One that comes too late is answered by a message.
pub(super) async fn acknowledge(account: &Account, event: &Event, interaction: &Interaction) {
    let deadline = event.received + ACK_WITHIN;
    let kind = if crate::read::is_press(interaction) {
        SEEN
    } else {
        DEFERRED
    };
    let path = format!("/interactions/{}/{}/callback", interaction.id, interaction.token);
    let call = Call::new("acknowledge an interaction", Method::POST, path).unsigned();
    match timeout_at(deadline, account.rest.done(call, &json!({"type": kind}))).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::debug!(code = error.code(), "an interaction could not be acknowledged"),
        Err(_) => tracing::debug!("an interaction was stored too late to be acknowledged"),
    }
}
