//! The channel that a call works for.

use std::sync::Arc;

use google_gmail1::api::Message;
use kata_plugin::{ToolContext, ToolError};

use crate::{adapter::fetch, desk::Desk, errors::unread, mail::Mail, registry::Registry};

/// The channel of the turn.
///
/// # Errors
/// It is none of ours, or not connected.
pub(super) fn desk(registry: &Registry, context: &ToolContext) -> Result<Arc<Desk>, ToolError> {
    let desk = registry
        .desk(&context.channel)
        .ok_or_else(|| ToolError::NotHere(format!("the channel {} has no mailbox", context.channel.slug)))?;
    match desk.mailbox.address() {
        Ok(_) => Ok(desk),
        Err(_) => Err(ToolError::Platform(format!(
            "the Gmail channel {} is not connected: try again later",
            context.channel.slug
        ))),
    }
}

/// A mail that this channel serves.
///
/// # Errors
/// It is another's, or not there. Which of the two is nobody's business.
pub(super) async fn mail(desk: &Desk, id: &str) -> Result<(Message, Mail), ToolError> {
    let (message, mail) = fetch(desk, id).await.map_err(unread)?;
    let mail = mail.map_err(|error| ToolError::Platform(error.to_string()))?;
    let is_ours = desk
        .serves(&message, mail.message_id.as_deref())
        .await
        .map_err(unread)?;
    match is_ours {
        true => Ok((message, mail)),
        false => Err(ToolError::Input("there is no such mail (any more)".into())),
    }
}
