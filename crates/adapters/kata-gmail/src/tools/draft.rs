//! `gmail_draft` and `gmail_send`: a mail to whom the agent names, as a draft or for good. Sending is asked for each time,
//! unless a rule of the workspace grants it.

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use kata_plugin::{SideEffect, Tool, ToolContext, ToolDefault, ToolEffect, ToolError, ToolOutput, ToolSpec};
use rand::RngExt as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{SEND, here, id};
use crate::{
    adapter::{by_key, key_by_leave, within_the_day},
    desk::Desk,
    errors::{unread, unwritten},
    mail::{Answered, Letter, Person},
    registry::Registry,
};

/// What is done with the mail.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    Draft,
    Send,
}

pub(super) fn draft_spec(registry: Arc<Registry>) -> ToolSpec {
    ToolSpec {
        name: "gmail_draft",
        description: "Puts a mail among the drafts, for a person to read and send. The answer to this conversation becomes a draft \
                      by itself; this is for other mails.",
        input: schema(),
        default: ToolDefault::Allow,
        effects: &[ToolEffect::Writes],
        side_effect: SideEffect::EveryTime,
        handler: Arc::new(Post {
            registry,
            deed: Deed::Draft,
        }),
    }
}

pub(super) fn send_spec(registry: Arc<Registry>) -> ToolSpec {
    ToolSpec {
        name: SEND,
        description: "Sends a mail at once. A person is asked first, and sees the whole text.",
        input: schema(),
        default: ToolDefault::Ask,
        effects: &[ToolEffect::Writes],
        side_effect: SideEffect::EveryTime,
        handler: Arc::new(Post {
            registry,
            deed: Deed::Send,
        }),
    }
}

fn schema() -> Value {
    let addresses = |description: &str| {
        json!({
            "type": "array", "maxItems": 20, "description": description,
            "items": {"type": "string", "pattern": "^[^\\s\\x00-\\x20\\x7f@<>,;\"]{1,64}@[^\\s\\x00-\\x20\\x7f@<>,;\"]{1,255}$"},
        })
    };
    let mut to = addresses("Addresses, without names.");
    to["minItems"] = 1.into();
    json!({
        "type": "object",
        "properties": {
            "to": to,
            "cc": addresses("Who gets a copy."),
            "bcc": addresses("Who gets a copy that nobody sees."),
            "subject": {"type": "string", "maxLength": 500, "description": "Left out: that of the mail that is answered."},
            "body": {"type": "string", "minLength": 1, "maxLength": 100_000, "description": "The text, in Markdown."},
            "reply_to": id("The mail that is answered, as gmail_search names it: the new one joins its thread."),
        },
        "required": ["to", "body"],
        "additionalProperties": false,
    })
}

struct Post {
    registry: Arc<Registry>,
    deed: Deed,
}

#[derive(Deserialize)]
struct Input {
    to: Vec<String>,
    #[serde(default)]
    cc: Vec<String>,
    #[serde(default)]
    bcc: Vec<String>,
    subject: Option<String>,
    body: String,
    reply_to: Option<String>,
}

#[async_trait]
impl Tool for Post {
    async fn call(&self, context: &ToolContext, input: Value) -> Result<ToolOutput, ToolError> {
        let input: Input = serde_json::from_value(input).map_err(|e| ToolError::Input(e.to_string()))?;
        let desk = here::desk(&self.registry, context)?;
        if input.subject.is_none() && input.reply_to.is_none() {
            return Err(ToolError::Input(
                "a mail that answers none needs a subject".into(),
            ));
        }
        let answered = match &input.reply_to {
            Some(id) => Some(here::mail(&desk, id).await?),
            None => None,
        };
        let thread = answered
            .as_ref()
            .and_then(|(message, _)| message.thread_id.clone());
        let answers = answered.as_ref().map(|(_, mail)| Answered::from(mail));
        let from = desk
            .mailbox
            .address()
            .map_err(|e| ToolError::Platform(e.to_string()))?;
        let key = match input.reply_to.as_deref() {
            Some(answered) if context.is_answer && self.deed == Deed::Send => key_by_leave(answered),
            _ => key(),
        };
        if self.deed == Deed::Send
            && let Some(thread) = &thread
        {
            // Where a rule grants sending, nobody else stops two programs that answer each other.
            let known = desk.mailbox.api.thread(thread).await.map_err(unread)?;
            within_the_day(&desk, &known).map_err(|e| ToolError::NotHere(e.to_string()))?;
        }
        let raw = Letter {
            from: &from,
            to: &people(&input.to),
            cc: &people(&input.cc),
            bcc: &people(&input.bcc),
            subject: input.subject.as_deref(),
            answers: answers.as_ref(),
            markdown: &input.body,
            key: &key,
            date: desk.clock.wall(),
        }
        .write();
        let id = self.post(&desk, &raw, thread.as_deref(), &key).await?;
        let what = if self.deed == Deed::Send {
            "sent"
        } else {
            "drafted"
        };
        Ok(ToolOutput::json(json!({what: id})))
    }
}

impl Post {
    async fn post(
        &self,
        desk: &Desk,
        raw: &[u8],
        thread: Option<&str>,
        key: &str,
    ) -> Result<Option<String>, ToolError> {
        let api = &desk.mailbox.api;
        let posted = match self.deed {
            Deed::Draft => api
                .draft(raw, thread)
                .await
                .map(|draft| draft.message.unwrap_or_default()),
            Deed::Send => api.send(raw, thread).await,
        };
        match posted {
            Ok(message) => Ok(message.id),
            // D20: looked up before anything else is done, or said.
            Err(error) if error.may_have_happened() => match by_key(desk, key, thread).await {
                Ok(Some(id)) => Ok(Some(id)),
                _ => Err(unwritten(error)),
            },
            Err(error) => Err(unwritten(error)),
        }
    }
}

fn people(addresses: &[String]) -> Vec<Person> {
    let person = |address: &String| Person {
        name: None,
        address: address.to_lowercase(),
    };
    addresses.iter().map(person).collect()
}

/// A name for this mail, for the look-up.
fn key() -> String {
    let bytes: [u8; 16] = rand::rng().random();
    format!("tool:{}", URL_SAFE_NO_PAD.encode(bytes))
}
