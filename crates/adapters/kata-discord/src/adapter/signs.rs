//! A sign of life: typing, which Discord shows for ten seconds and no longer.
//! <https://docs.discord.com/developers/resources/channel#trigger-typing-indicator>

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use http::Method;
use kata_channel::{MessageId, Place, Sign, Signs};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{DiscordAdapter, send};
use crate::{errors::CallError, rest::Call};

const TYPING: &str = "typing";
/// Before the last one is over.
const AGAIN: Duration = Duration::from_secs(8);
/// A turn that takes longer is waited for without a sign.
const LONGEST: u32 = 15 * 60 / 8;

/// Where we type at the moment, by the message whose turn runs.
#[derive(Debug, Default)]
pub(super) struct Typing(Mutex<HashMap<MessageId, CancellationToken>>);

// === impl Typing ===

impl Typing {
    fn start(&self, message: &MessageId) -> CancellationToken {
        let token = CancellationToken::new();
        if let Some(old) = self.lock().insert(message.clone(), token.clone()) {
            old.cancel();
        }
        token
    }

    fn stop(&self, message: &MessageId) {
        if let Some(token) = self.lock().remove(message) {
            token.cancel();
        }
    }

    pub(super) fn stop_all(&self) {
        self.lock().drain().for_each(|(_, token)| token.cancel());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<MessageId, CancellationToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Signs for DiscordAdapter {
    fn sign_for(&self, place: &Place, message: &MessageId) -> Option<Sign> {
        Some(Sign {
            place: place.clone(),
            message: message.clone(),
            token: TYPING.into(),
        })
    }

    async fn put_on(&self, sign: &Sign) {
        let stop = self.typing.start(&sign.message);
        let account = self.account().clone();
        let path = format!("/channels/{}/typing", send::target(self, &sign.place));
        let typing = async move {
            for _ in 0..LONGEST {
                let call = Call::new("type", Method::POST, path.clone());
                match account.rest.bare(call).await {
                    Ok(()) => {}
                    // Not allowed, or nothing there: then without.
                    Err(CallError::Refused(refusal)) => {
                        tracing::debug!(code = refusal.code, "typing cannot be shown");
                        return;
                    }
                    Err(_) => tracing::debug!("typing could not be shown"),
                }
                sleep(AGAIN).await;
            }
        };
        self.tasks
            .spawn(async move { stop.run_until_cancelled(typing).await });
    }

    /// What is not renewed is over by itself, also when it was another daemon's.
    async fn take_off(&self, sign: &Sign) -> bool {
        self.typing.stop(&sign.message);
        true
    }
}
