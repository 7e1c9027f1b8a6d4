//! Sending one part: by the `response_url` of the slash command that is answered while it lives, by
//! `chat.postMessage` otherwise.

use kata_channel::{IdempotencyKey, MessageId, Outbound, Receipt, SendError, ThreadId, settings::ReplyIn};
use serde::Serialize;
use serde_json::Value;
use slack_morphism::{
    SlackMessageContent, SlackMessageMetadata, SlackMessageResponseType, api::SlackApiChatPostMessageRequest,
};
use url::Url;

use super::{SlackAdapter, cards};
use crate::{
    errors::CallError,
    read::response_url_until,
    web::{Call, wire},
};

/// Under this name and field our messages carry their key, for the read-back (D20).
pub(super) const EVENT_TYPE: &str = "kata_answer";
pub(super) const KEY: &str = "key";

/// Messages that a `response_url` takes.
const RESPONSE_URL_TAKES: u32 = 5;

/// A message to a `response_url`. An answer is for everyone who saw the command being given, as a posted one would be,
/// and as it will be once the address has expired.
#[derive(Serialize)]
struct Response<'a> {
    text: &'a str,
    response_type: SlackMessageResponseType,
}

pub(super) async fn send(adapter: &SlackAdapter, out: &Outbound) -> Result<Receipt, SendError> {
    if let Some(url) = response_url(adapter, out) {
        let body = Response {
            text: &out.text,
            response_type: SlackMessageResponseType::InChannel,
        };
        match adapter.account().web.post_to(&url, &body).await {
            Ok(()) => return Ok(Receipt { id: None }),
            Err(error) if !is_spent(&error) => return Err(error.into()),
            Err(_) => tracing::debug!("a response_url is used up: the answer is posted"),
        }
    }
    post(adapter, out).await
}

async fn post(adapter: &SlackAdapter, out: &Outbound) -> Result<Receipt, SendError> {
    let conversation = out.place.conversation.as_str();
    let content = SlackMessageContent::new()
        .with_text(out.text.clone())
        .with_metadata(metadata(&out.key))
        .opt_blocks((!out.choices.is_empty()).then(|| cards::blocks(&out.text, &out.choices)));
    let thread = thread(adapter, out).map(|thread| thread.as_str().into());
    let request = SlackApiChatPostMessageRequest::new(conversation.into(), content).opt_thread_ts(thread);
    let call = Call {
        method: "chat.postMessage",
        per: Some(conversation),
    };
    let posted: wire::Posted = adapter.account().web.post(call, &request).await?;
    Ok(Receipt {
        id: Some(MessageId::new(posted.ts)),
    })
}

/// The thread an answer goes to: that of the message, unless the channel answers in the conversation always.
pub(super) fn thread<'a>(adapter: &SlackAdapter, out: &'a Outbound) -> Option<&'a ThreadId> {
    out.place
        .thread
        .as_ref()
        .filter(|_| adapter.desk.reply_in != ReplyIn::Conversation)
}

/// Whether a part of this answer goes, or went, by `response_url` at `at`. One with choices never does: Slack gives such a
/// message no id, and its choices could not be taken away.
pub(super) fn goes_by_response_url(out: &Outbound, at: kata_channel::Timestamp) -> bool {
    out.choices.is_empty()
        && out.part <= RESPONSE_URL_TAKES
        && response_url_until(&out.metadata).is_some_and(|until| at < until)
}

fn response_url(adapter: &SlackAdapter, out: &Outbound) -> Option<Url> {
    if !goes_by_response_url(out, adapter.desk.clock.wall()) {
        return None;
    }
    let url: Url = out
        .metadata
        .get("responseUrl")
        .and_then(Value::as_str)?
        .parse()
        .ok()?;
    adapter.account().endpoint.trusts(&url).then_some(url)
}

/// Slack says `expired_url` or `used_url`, with or without a status of 404.
fn is_spent(error: &CallError) -> bool {
    matches!(error, CallError::Status(404 | 410)) || matches!(error.code(), Some("expired_url" | "used_url"))
}

fn metadata(key: &IdempotencyKey) -> SlackMessageMetadata {
    SlackMessageMetadata::new(EVENT_TYPE.into()).with_event_payload([(KEY.into(), key.0.clone())].into())
}
