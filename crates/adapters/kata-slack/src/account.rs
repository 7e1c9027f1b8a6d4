//! One bot token: who it is, its Web API, its names, and which of its conversations belong to which channel.

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicBool, Ordering},
};

use http::StatusCode;
use http_body_util::{BodyExt, Limited};
use kata_channel::{ChannelError, Identity, Place, SenderId, shared::Claims};
use rustls::ClientConfig;
use secrecy::SecretString;
use url::Url;

use crate::{
    endpoint::Endpoint,
    errors::{CallError, Refusal, Token},
    names::Names,
    scopes::Scopes,
    web::{
        Call, Web,
        http::Http,
        wire::{AuthTest, History},
    },
};

const AUTH_TEST: &str = "auth.test";
const LONGEST_AUTH_ANSWER: usize = 64 * 1024;

/// Who we are, as Slack says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Me {
    /// Our user id, which mentions name.
    pub(crate) user: String,
    /// Our bot id, which our own messages carry.
    pub(crate) bot: Option<String>,
    /// Our name.
    pub(crate) name: String,
    /// The workspace, or the organisation for an app that is installed in all of it.
    pub(crate) team: String,
    /// The organisation, if there is one.
    pub(crate) enterprise: Option<String>,
    /// What we may do.
    pub(crate) scopes: Scopes,
}

/// A bot token and all that channels with the same token share (D5).
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) endpoint: Endpoint,
    pub(crate) web: Web,
    pub(crate) http: Http,
    pub(crate) names: Names,
    pub(crate) token: SecretString,
    me: RwLock<Option<Arc<Me>>>,
    pub(crate) claims: Claims,
    signs_refused: AtomicBool,
}

// === impl Account ===

impl Account {
    pub(crate) fn new(endpoint: Endpoint, tls: &ClientConfig, token: SecretString) -> Self {
        Self {
            web: Web::new(&endpoint, tls, token.clone(), Token::Bot),
            http: Http::new(tls),
            names: Names::default(),
            endpoint,
            token,
            me: RwLock::default(),
            claims: Claims::default(),
            signs_refused: AtomicBool::new(false),
        }
    }

    /// Asks Slack who we are and what we may do, and names what is missing.
    pub(crate) async fn introduce(&self) -> Result<Identity, ChannelError> {
        let me = self.ask_who_we_are().await?;
        me.scopes.check()?;
        let identity = Identity {
            id: SenderId::new(me.user.as_str()),
            name: me.name.clone(),
        };
        *self.me.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(me));
        Ok(identity)
    }

    /// Who we are.
    ///
    /// # Errors
    /// `connect` has not succeeded yet: without our own id we could not tell our messages from others'.
    pub(crate) fn me(&self) -> Result<Arc<Me>, ChannelError> {
        let me = self.me.read().unwrap_or_else(PoisonError::into_inner).clone();
        me.ok_or_else(|| ChannelError::ConnectionLost("Slack has not yet said who the bot is".into()))
    }

    /// By plain HTTP, since slack-morphism does not show the header with the scopes.
    async fn ask_who_we_are(&self) -> Result<Me, CallError> {
        const UNREADABLE: CallError = CallError::Lost("Slack's answer cannot be read");
        let url =
            Url::parse(&format!("{}/{AUTH_TEST}", self.endpoint.base())).map_err(|_| CallError::Unreached)?;
        let answer = self.http.get(AUTH_TEST, &url, &self.token).await?;
        if answer.status() != StatusCode::OK {
            return Err(CallError::Status(answer.status().as_u16()));
        }
        let header = answer
            .headers()
            .get("x-oauth-scopes")
            .and_then(|value| value.to_str().ok());
        let scopes = Scopes::from_header(header);
        let body = Limited::new(answer.into_body(), LONGEST_AUTH_ANSWER).collect();
        let body = tokio::time::timeout(crate::web::CALL_TIMEOUT, body).await;
        let body = body.map_err(|_| UNREADABLE)?.map_err(|_| UNREADABLE)?.to_bytes();
        let told: AuthTest = serde_json::from_slice(&body).map_err(|_| UNREADABLE)?;
        if !told.ok {
            let code = told.error.unwrap_or_default();
            return Err(CallError::Refused(Refusal {
                method: AUTH_TEST,
                token: Token::Bot,
                code,
                needed: None,
                detail: None,
            }));
        }
        Ok(Me {
            name: told.user.unwrap_or_else(|| told.user_id.clone()),
            user: told.user_id,
            bot: told.bot_id,
            team: told.team_id,
            enterprise: told.enterprise_id,
            scopes,
        })
    }

    /// One page of a place, whatever kind of place it is.
    pub(crate) async fn page(&self, place: &Place, arguments: &[(&str, &str)]) -> Result<History, CallError> {
        let mut all = vec![("channel", place.conversation.as_str())];
        let method = match &place.thread {
            Some(thread) => {
                all.push(("ts", thread.as_str()));
                "conversations.replies"
            }
            None => "conversations.history",
        };
        all.extend_from_slice(arguments);
        self.web.get(Call::method(method), &all).await
    }

    /// Slack said that signs are not ours to give; it is not asked again.
    pub(crate) fn refuse_signs(&self) {
        self.signs_refused.store(true, Ordering::Relaxed);
    }

    pub(crate) fn signs_refused(&self) -> bool {
        self.signs_refused.load(Ordering::Relaxed)
    }

    #[cfg(test)]
    pub(crate) fn pretend(&self, me: Me) {
        *self.me.write().unwrap() = Some(Arc::new(me));
    }
}
