//! Signs of life: a reaction on the message, or the status line of an assistant's thread.

use async_trait::async_trait;
use kata_channel::{MessageId, Place, Sign, Signs};
use serde_json::json;

use super::SlackAdapter;
use crate::{
    errors::CallError,
    ts,
    web::{Call, wire::Done},
};

/// The reaction: somebody is looking at it.
const EYES: &str = "eyes";
/// The token of a sign that is a status.
const STATUS: &str = "status";
const THINKING: &str = "is thinking…";

#[async_trait]
impl Signs for SlackAdapter {
    fn sign_for(&self, place: &Place, message: &MessageId) -> Option<Sign> {
        let me = self.account().me().ok()?;
        // A slash command is no message: there is nothing to react to.
        if self.account().signs_refused() || ts::micros(message.as_str()).is_none() {
            return None;
        }
        // An app with this scope is an assistant, and its threads with a person have a status line:
        // <https://docs.slack.dev/ai/developing-ai-apps>.
        let assistant = me.scopes.surely("assistant:write") && place.conversation.as_str().starts_with('D');
        let token = if assistant && place.thread.is_some() {
            STATUS
        } else {
            EYES
        };
        (token == STATUS || me.scopes.may("reactions:write")).then(|| Sign {
            place: place.clone(),
            message: message.clone(),
            token: token.into(),
        })
    }

    async fn put_on(&self, sign: &Sign) {
        let shown = if sign.token == STATUS {
            self.status(sign, THINKING).await
        } else {
            self.react("reactions.add", sign).await
        };
        if let Err(error) = shown {
            self.note(&error);
        }
    }

    async fn take_off(&self, sign: &Sign) -> bool {
        let taken = if sign.token == STATUS {
            self.status(sign, "").await
        } else {
            self.react("reactions.remove", sign).await
        };
        match taken {
            Ok(()) => true,
            Err(error) => {
                self.note(&error);
                // Slack's refusal is final: the sign or its message is gone, or was never ours to give.
                matches!(error, CallError::Refused(_))
            }
        }
    }
}

// === impl SlackAdapter ===

impl SlackAdapter {
    async fn react(&self, method: &'static str, sign: &Sign) -> Result<(), CallError> {
        let (channel, timestamp) = (sign.place.conversation.as_str(), sign.message.as_str());
        let body = json!({ "channel": channel, "timestamp": timestamp, "name": sign.token });
        self.account()
            .web
            .post::<_, Done>(Call::method(method), &body)
            .await
            .map(drop)
    }

    async fn status(&self, sign: &Sign, status: &str) -> Result<(), CallError> {
        let thread = sign.place.thread.as_ref().map(|thread| thread.as_str());
        let body =
            json!({ "channel_id": sign.place.conversation.as_str(), "thread_ts": thread, "status": status });
        self.account()
            .web
            .post::<_, Done>(Call::method("assistant.threads.setStatus"), &body)
            .await
            .map(drop)
    }

    fn note(&self, error: &CallError) {
        match error.code() {
            Some("missing_scope" | "not_allowed_token_type") => self.account().refuse_signs(),
            Some("already_reacted" | "no_reaction") => {}
            code => tracing::debug!(code, "a sign of life could not be changed"),
        }
    }
}
