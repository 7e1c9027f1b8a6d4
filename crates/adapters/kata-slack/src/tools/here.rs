//! Where a call may reach, and what its failure means to an agent.

use std::sync::Arc;

use kata_channel::{ChannelError, Effect, SendError};
use kata_plugin::{ToolContext, ToolError};

use crate::{errors::CallError, registry::Registry, socket::Desk};

/// The channel that a call works for, and a conversation that it may reach.
#[derive(Debug)]
pub(super) struct Here {
    pub(super) desk: Arc<Desk>,
    pub(super) conversation: String,
}

impl Here {
    /// The conversation `asked` for, or the turn's own.
    ///
    /// # Errors
    /// The channel is not connected, or not configured for this conversation: with `channelIds` those alone, without them the
    /// turn's own. What else the bot was invited to is not for every turn to read.
    pub(super) fn find(
        registry: &Registry,
        context: &ToolContext,
        asked: Option<&str>,
    ) -> Result<Self, ToolError> {
        let desk = registry.desk(&context.channel);
        let desk = desk.filter(|desk| desk.account.me().is_ok()).ok_or_else(|| {
            ToolError::Platform(format!(
                "the Slack channel {} is not connected: try again later",
                context.channel.slug
            ))
        })?;
        let own = context.place.conversation.as_str();
        let conversation = asked.unwrap_or(own);
        let is_configured = match &*desk.named {
            [] => conversation == own,
            named => named.iter().any(|named| named == conversation),
        };
        if !is_configured {
            return Err(ToolError::NotHere(format!(
                "this channel is not configured for the conversation {conversation}"
            )));
        }
        Ok(Self {
            conversation: conversation.to_owned(),
            desk,
        })
    }
}

/// A call that only reads has failed.
pub(super) fn unread(error: CallError) -> ToolError {
    let lacks_a_scope = error.code() == Some("missing_scope");
    match ChannelError::from(error) {
        why if lacks_a_scope => ToolError::NotHere(why.to_string()),
        ChannelError::RateLimited {
            what,
            retry_after: Some(pause),
        } => ToolError::Platform(format!(
            "{what} is rate limited: try again in {} s",
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
        Effect::Maybe => ToolError::Unknown(format!("it is not known whether Slack did it: {why}")),
    }
}
