//! Where a call may reach, and what its failure means to an agent.

use std::sync::Arc;

use kata_channel::{ChannelError, Effect, Place, SendError};
use kata_plugin::{ToolContext, ToolError};

use crate::{
    errors::{CallError, code},
    gateway::Desk,
    read,
    registry::Registry,
    snowflake,
};

/// The channel that a call works for, and a place that it may reach.
#[derive(Debug)]
pub(super) struct Here {
    pub(super) desk: Arc<Desk>,
    pub(super) place: Place,
}

impl Here {
    /// The place `asked` for, or the turn's own.
    ///
    /// # Errors
    /// The channel is not connected, or not configured for this place: with `channelIds` those and their threads alone, without them the
    /// turn's own channel. What else the bot can see is not for every turn to read.
    pub(super) async fn find(
        registry: &Registry,
        context: &ToolContext,
        asked: Option<&str>,
    ) -> Result<Self, ToolError> {
        let desk = registry.desk(&context.channel);
        let desk = desk.filter(|desk| desk.account.me().is_ok()).ok_or_else(|| {
            ToolError::Platform(format!(
                "the Discord channel {} is not connected: try again later",
                context.channel.slug
            ))
        })?;
        let own = &context.place;
        let Some(asked) = asked.filter(|asked| *asked != read::channel(own)) else {
            return Ok(Self {
                place: own.clone(),
                desk,
            });
        };
        let not_here = || {
            ToolError::NotHere(format!(
                "this channel is not configured for the conversation {asked}"
            ))
        };
        // What is not an id would be a path of its own.
        if snowflake::number(asked).is_none() {
            return Err(not_here());
        }
        let place = desk
            .place(asked)
            .await
            .map_err(|e| ToolError::Platform(e.to_string()))?;
        let place = place.ok_or_else(not_here)?;
        let is_configured = match &*desk.named {
            [] => place.conversation == own.conversation,
            _ => desk.names(place.conversation.as_str()),
        };
        is_configured.then(|| Self { desk, place }).ok_or_else(not_here)
    }

    /// As Discord names the place.
    pub(super) fn channel(&self) -> &str {
        read::channel(&self.place)
    }
}

/// A call that only reads has failed.
pub(super) fn unread(error: CallError) -> ToolError {
    let may_not = matches!(
        error.code(),
        Some(code::MISSING_ACCESS | code::MISSING_PERMISSIONS)
    );
    let is_form = error.code() == Some(code::BAD_FORM);
    match ChannelError::from(error) {
        why if may_not => ToolError::NotHere(why.to_string()),
        why if is_form => ToolError::Input(why.to_string()),
        ChannelError::RateLimited {
            what,
            retry_after: Some(pause),
        } => ToolError::Platform(format!(
            "to {what} is rate limited: try again in {} s",
            pause.as_secs_f64().ceil()
        )),
        why => ToolError::Platform(why.to_string()),
    }
}

/// A call that writes has failed: without an effect, or nobody knows.
pub(super) fn unwritten(error: CallError) -> ToolError {
    let SendError { error: why, effect } = error.clone().into();
    match effect {
        Effect::None => unread(error),
        Effect::Maybe => ToolError::Unknown(format!("it is not known whether Discord did it: {why}")),
    }
}
