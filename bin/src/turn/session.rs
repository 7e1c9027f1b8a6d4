//! Resolves the session: claimed rows become the turn that an agent is given. Under the rescue, over the gate, which
//! asks for the role that is found here.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use kata_agent::Turn;
use kata_channel::{Attachment, ChannelKey, Place, Timestamp};
use kata_session::{Enclosed, Prompt, Said, digest_text};
use kata_store::ClaimedRow;
use serde_json::Value;
use tower::{Layer, Service};

use super::Claimed;
use crate::{gate::least_trusted, wire};

/// Turns of one channel.
#[derive(Clone, Debug)]
pub(crate) struct SessionLayer {
    platform: &'static str,
    channel: Arc<ChannelKey>,
}

/// See [`SessionLayer`].
#[derive(Clone, Debug)]
pub(crate) struct Session<S> {
    inner: S,
    platform: &'static str,
    channel: Arc<ChannelKey>,
}

// === impl SessionLayer ===

impl SessionLayer {
    pub(crate) fn new(platform: &'static str, channel: ChannelKey) -> Self {
        Self {
            platform,
            channel: Arc::new(channel),
        }
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = Session<S>;

    fn layer(&self, inner: S) -> Session<S> {
        Session {
            inner,
            platform: self.platform,
            channel: Arc::clone(&self.channel),
        }
    }
}

// === impl Session ===

impl<S> Service<Claimed> for Session<S>
where
    S: Service<Turn>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, claimed: Claimed) -> S::Future {
        let turn = resolve(self.platform, &self.channel, claimed);
        self.inner.call(turn)
    }
}

fn resolve(platform: &str, channel: &ChannelKey, claimed: Claimed) -> Turn {
    let Claimed {
        turn,
        cancel,
        watch,
        deadline,
        ..
    } = claimed;
    let place = Place {
        conversation: turn.conversation.as_str().into(),
        thread: turn.thread.as_deref().map(Into::into),
    };
    let messages: Vec<Said> = turn.rows.iter().map(said).collect();
    let role = least_trusted(&turn.rows);
    let content = if turn.is_digest {
        digest_text(&messages)
    } else {
        let contents: Vec<&str> = turn.rows.iter().map(|row| row.content.as_str()).collect();
        contents.join("\n\n")
    };
    Turn {
        content,
        is_digest: turn.is_digest,
        prompt: Prompt::new(platform, channel, &place, &messages)
            .as_digest(turn.is_digest)
            .render(),
        metadata: turn
            .rows
            .last()
            .map(|row| row.metadata.clone())
            .unwrap_or_default(),
        attempt: turn.attempt,
        deadline: Some(deadline.to_iso()),
        messages,
        cancel,
        watch,
        ..Turn::new(
            turn.id,
            turn.workspace,
            turn.slug,
            turn.session_key,
            wire::perm_role(role),
        )
    }
}

/// A message, as an agent is shown it.
pub(super) fn said(row: &ClaimedRow) -> Said {
    let files = row.metadata.get("attachments").and_then(Value::as_array);
    Said {
        message_id: row
            .platform_id
            .clone()
            .unwrap_or_else(|| row.id.to_string())
            .into(),
        sender: row.sender.clone().unwrap_or_default().into(),
        sender_name: row
            .metadata
            .get("senderName")
            .and_then(Value::as_str)
            .map(str::to_owned),
        role: wire::role(row.role.as_deref()),
        sent_at: Timestamp::from_millis(row.sent_at.0),
        text: row.prompt.clone(),
        files: files.into_iter().flatten().filter_map(enclosed).collect(),
    }
}

fn enclosed(file: &Value) -> Option<Enclosed> {
    let path = file.get("path").and_then(Value::as_str).map(str::to_owned);
    let Attachment {
        name,
        mime_type,
        size,
        ..
    } = serde_json::from_value(file.clone()).ok()?;
    Some(Enclosed {
        name,
        mime_type,
        size,
        path,
    })
}
