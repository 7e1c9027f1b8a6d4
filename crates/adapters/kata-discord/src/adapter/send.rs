//! Sending one part: as the answer to the slash command that is answered while its token lives, by Create Message otherwise.

use std::time::Duration;

use http::Method;
use kata_channel::{MessageId, Outbound, Place, Receipt, SendError, Timestamp, settings::ReplyIn};
use serde_json::{Value, json};

use super::{DiscordAdapter, cards};
use crate::{
    errors::{CallError, code},
    read::{response_url, response_url_until},
    rest::{
        Call,
        wire::{Made, Message},
    },
    snowflake,
};

const WHAT: &str = "send a message";
/// "The past few minutes": <https://docs.discord.com/developers/resources/message#create-message>.
const NONCE_HOLDS: Duration = Duration::from_secs(2 * 60);
/// A deferred answer that is not filled in yet:
/// <https://docs.discord.com/developers/resources/message#message-object-message-flags>.
const LOADING: u64 = 1 << 7;
/// The name of a thread that an answer opens.
const THREAD_NAME: usize = 80;

pub(super) async fn send(adapter: &DiscordAdapter, out: &Outbound) -> Result<Receipt, SendError> {
    if let Some(path) = webhook(adapter, out, adapter.desk.clock.wall()) {
        match answer(adapter, out, &path).await {
            Ok(receipt) => return Ok(receipt),
            Err(error) if !is_spent(&error) => return Err(error.into()),
            Err(_) => tracing::debug!("an interaction's token is worth nothing: the answer is posted"),
        }
    }
    Ok(post(adapter, out).await?)
}

/// The first answer takes the place of "is thinking", whatever comes then stands below. Asking first makes it known whether an earlier
/// attempt arrived.
async fn answer(adapter: &DiscordAdapter, out: &Outbound, path: &str) -> Result<Receipt, CallError> {
    let rest = &adapter.account().rest;
    let original = format!("{path}/messages/@original");
    let look = Call::get("look at a command's answer", original.clone()).unsigned();
    let standing: Message = rest.look(look).await?;
    let mut body = content(out);
    let call = if standing.flags & LOADING != 0 {
        Call::new(WHAT, Method::PATCH, original).unsigned()
    } else if same_words(&standing.content, &out.text) {
        return Ok(receipt(standing.id));
    } else {
        body["allowed_mentions"] = quiet(false);
        Call::new(WHAT, Method::POST, format!("{path}?wait=true")).unsigned()
    };
    let made: Made = rest.send(call, &body).await?;
    Ok(receipt(made.id))
}

async fn post(adapter: &DiscordAdapter, out: &Outbound) -> Result<Receipt, CallError> {
    let channel = target(adapter, &out.place);
    match create(adapter, out, channel).await {
        Err(error) if opens_a_thread(adapter, out, &error) => {
            open_thread(adapter, out).await?;
            create(adapter, out, channel).await
        }
        sent => sent,
    }
}

async fn create(adapter: &DiscordAdapter, out: &Outbound, channel: &str) -> Result<Receipt, CallError> {
    let mut body = content(out);
    body["nonce"] = out.key.0.as_str().into();
    body["enforce_nonce"] = true.into();
    if let Some(to) = replies_to(adapter, out) {
        body["message_reference"] = json!({"message_id": to, "fail_if_not_exists": false});
    }
    let call = Call::new(WHAT, Method::POST, format!("/channels/{channel}/messages"));
    let made: Made = adapter.account().rest.send(call, &body).await?;
    Ok(receipt(made.id))
}

/// A webhook knows no nonce: what may have gone out by one is looked up.
pub(super) fn nonce_holds(out: &Outbound) -> Option<Duration> {
    response_url(&out.metadata).is_none().then_some(NONCE_HOLDS)
}

fn receipt(id: String) -> Receipt {
    Receipt {
        id: Some(MessageId::new(id)),
    }
}

fn content(out: &Outbound) -> Value {
    let mut body = json!({"content": out.text, "allowed_mentions": quiet(true)});
    if let Some(rows) = cards::rows(&out.choices) {
        body["components"] = rows;
    }
    body
}

/// Nothing in a text calls anybody; a reply may call the one it replies to.
pub(crate) fn quiet(replied_user: bool) -> Value {
    json!({"parse": [], "replied_user": replied_user})
}

/// The channel or thread that an answer goes to: that of the message, unless the channel answers in the conversation always.
pub(super) fn target<'a>(adapter: &DiscordAdapter, place: &'a Place) -> &'a str {
    match &place.thread {
        // A forum itself takes no messages: there is nothing but its posts.
        Some(thread) if adapter.desk.reply_in != ReplyIn::Conversation || in_a_forum(adapter, place) => {
            thread.as_str()
        }
        _ => place.conversation.as_str(),
    }
}

fn in_a_forum(adapter: &DiscordAdapter, place: &Place) -> bool {
    let parent = adapter.account().atlas.spot(place.conversation.as_str());
    parent.is_some_and(|spot| crate::atlas::kind::is_forum(spot.kind))
}

/// The message that this part is a reply to. The first part alone is one: the others follow it. A command is no message, and a reply
/// stands in the same channel as what it replies to.
pub(super) fn replies_to<'a>(adapter: &DiscordAdapter, out: &'a Outbound) -> Option<&'a str> {
    let to = out.reply_to.as_ref()?.as_str();
    let is_message = snowflake::number(to).is_some() && !out.metadata.contains_key("command");
    let moved = out
        .place
        .thread
        .as_ref()
        .is_some_and(|thread| target(adapter, &out.place) != thread.as_str());
    // A thread that was opened for a message is not where the message stands.
    let opened = adapter.desk.reply_in == ReplyIn::Thread
        && out
            .place
            .thread
            .as_ref()
            .is_some_and(|thread| thread.as_str() == to);
    (is_message && out.part == 1 && !moved && !opened).then_some(to)
}

/// Until its token dies a command is answered by its webhook, whose path is the credential.
pub(super) fn webhook(adapter: &DiscordAdapter, out: &Outbound, at: Timestamp) -> Option<String> {
    let until = response_url_until(&out.metadata)?;
    let path = response_url(&out.metadata)?.strip_prefix(adapter.account().endpoint.base())?;
    let is_webhook =
        path.starts_with("/webhooks/") && !path.contains(['?', '#', ' ']) && !path.contains("..");
    (at < until && is_webhook).then(|| path.to_owned())
}

/// The token is dead, or the command was never acknowledged.
fn is_spent(error: &CallError) -> bool {
    matches!(
        error.code(),
        Some(
            code::UNKNOWN_WEBHOOK
                | code::UNKNOWN_INTERACTION
                | code::BAD_WEBHOOK_TOKEN
                | code::UNKNOWN_MESSAGE
        )
    ) || matches!(error, CallError::Status(404))
}

/// With `replyIn: thread` the thread of a message is opened by its first answer.
fn opens_a_thread(adapter: &DiscordAdapter, out: &Outbound, error: &CallError) -> bool {
    adapter.desk.reply_in == ReplyIn::Thread
        && out.place.thread.is_some()
        && error.code() == Some(code::UNKNOWN_CHANNEL)
}

async fn open_thread(adapter: &DiscordAdapter, out: &Outbound) -> Result<(), CallError> {
    let (channel, Some(message)) = (&out.place.conversation, &out.place.thread) else {
        return Ok(());
    };
    let path = format!("/channels/{channel}/messages/{message}/threads");
    let call = Call::new("open a thread", Method::POST, path);
    let body = json!({"name": thread_name(&out.text)});
    match adapter.account().rest.done(call, &body).await {
        Err(error) if error.code() != Some(code::THREAD_EXISTS) => Err(error),
        _ => Ok(()),
    }
}

/// The first line of the answer, without its marks.
fn thread_name(text: &str) -> String {
    let line = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    let plain = line
        .chars()
        .filter(|c| !matches!(c, '*' | '_' | '~' | '`' | '|' | '#' | '>' | '\\'));
    let name: String = plain.take(THREAD_NAME).collect();
    match name.trim() {
        "" => "Kata".to_owned(),
        name => name.to_owned(),
    }
}

/// Discord gives a text back trimmed.
pub(super) fn same_words(told: &str, sent: &str) -> bool {
    told.trim() == sent.trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_named_by_the_first_line() {
        for (text, name) in [
            ("## **Rain** at noon\nTake it.", "Rain at noon"),
            ("\n\n```\ncode", "Kata"),
            ("", "Kata"),
        ] {
            assert_eq!(thread_name(text), name, "{text:?}");
        }
        assert_eq!(thread_name(&"é".repeat(200)).chars().count(), THREAD_NAME);
    }
}
