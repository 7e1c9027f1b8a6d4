//! An answer becomes a draft in its thread; or a mail, where the configuration names all who would get it.

use std::time::Duration;

use google_gmail1::api::{Message, Thread};
use kata_channel::{ChannelError, MessageId, Outbound, Receipt, SendError};

use super::read::fetch;
use crate::{
    desk::Desk,
    errors::CallError,
    mail::{Answered, KEY_HEADER, Letter, Mail},
};

/// The window in which the answers of a thread are counted.
const A_DAY: Duration = Duration::from_secs(24 * 3600);

pub(super) async fn send(desk: &Desk, out: &Outbound) -> Result<Receipt, SendError> {
    // What is asked before the mail leaves has no effect, however it fails.
    let unsent = |error: CallError| SendError::none(error.into());
    let me = desk.mailbox.address().map_err(SendError::none)?;
    let api = &desk.mailbox.api;
    let Some(thread) = out.place.thread.as_ref().map(|thread| thread.as_str()) else {
        let why = "the answer belongs to no mail thread".into();
        return Err(SendError::none(ChannelError::Rejected(why)));
    };
    let known = api.thread(thread).await.map_err(unsent)?;
    if let Some(id) = find(&known, &out.key.0) {
        return Ok(Receipt {
            id: Some(MessageId::new(id)),
        });
    }
    within_the_day(desk, &known).map_err(SendError::none)?;
    let answered = answered(desk, out, &known).await?;
    let to = answered.answer_to().cloned().filter(|to| to.address != me);
    let Some(to) = to else {
        let why = "the mail that is answered names nobody to answer".into();
        return Err(SendError::none(ChannelError::Rejected(why)));
    };
    let raw = Letter {
        from: &me,
        to: std::slice::from_ref(&to),
        cc: &[],
        bcc: &[],
        subject: None,
        answers: Some(&Answered::from(&answered)),
        markdown: &out.text,
        key: &out.key.0,
        date: desk.clock.wall(),
    }
    .write();
    let message = match desk.sends_to([&*to.address]) {
        true => api.send(&raw, Some(thread)).await?,
        false => api.draft(&raw, Some(thread)).await?.message.unwrap_or_default(),
    };
    Ok(Receipt {
        id: message.id.map(MessageId::new),
    })
}

/// The mail that is answered: the one that the answer names, else the last one that somebody else wrote.
async fn answered(desk: &Desk, out: &Outbound, thread: &Thread) -> Result<Mail, SendError> {
    let messages = thread.messages.as_deref().unwrap_or_default();
    let named = out.reply_to.as_ref().map(|id| id.as_str().to_owned());
    let is_there = |id: &String| messages.iter().any(|message| message.id.as_ref() == Some(id));
    let last = || {
        let theirs = messages.iter().rev().find(|message| {
            let labels = message.label_ids.as_deref().unwrap_or_default();
            key_of(message).is_none() && !labels.iter().any(|label| label == "DRAFT")
        });
        theirs.and_then(|message| message.id.clone())
    };
    let Some(id) = named.filter(is_there).or_else(last) else {
        let why = "the mail that is answered is gone".into();
        return Err(SendError::none(ChannelError::Rejected(why)));
    };
    let (_, mail) = fetch(desk, &id)
        .await
        .map_err(|error| SendError::none(error.into()))?;
    mail.map_err(|error| SendError::none(ChannelError::Rejected(error.to_string())))
}

/// Two programs that answer each other do not stop by themselves. The mailbox itself is what counts: it outlives us.
pub(crate) fn within_the_day(desk: &Desk, thread: &Thread) -> Result<(), ChannelError> {
    let since = (desk.clock.wall() - A_DAY).as_millis();
    let messages = thread.messages.iter().flatten();
    let ours = messages
        .filter(|message| key_of(message).is_some() && message.internal_date.is_some_and(|at| at >= since))
        .count();
    let most = desk.mail.answers_per_day;
    if ours < usize::try_from(most).unwrap_or(usize::MAX) {
        return Ok(());
    }
    Err(ChannelError::Rejected(format!(
        "this mail thread has had {ours} answers within 24 hours, which is what settings.mail.answersPerDay allows"
    )))
}

/// The message that carries this key.
pub(super) fn find(thread: &Thread, key: &str) -> Option<String> {
    let mut messages = thread.messages.iter().flatten();
    let ours = messages.find(|message| key_of(message) == Some(key))?;
    ours.id.clone()
}

/// Gmail says so, which nobody else's mail can do.
pub(super) fn is_ours(message: &Message) -> bool {
    let labels = message.label_ids.as_deref().unwrap_or_default();
    labels.iter().any(|label| label == "SENT" || label == "DRAFT")
}

/// The key of a mail of ours. The header alone may stand in anybody's.
fn key_of(message: &Message) -> Option<&str> {
    if !is_ours(message) {
        return None;
    }
    let mut headers = message.payload.as_ref()?.headers.iter().flatten();
    let key = headers.find(|header| {
        header
            .name
            .as_deref()
            .is_some_and(|name| name.eq_ignore_ascii_case(KEY_HEADER))
    })?;
    key.value.as_deref().map(str::trim)
}
