//! The Web API: one call, one answer, one error that says what it was.
//!
//! slack-morphism carries the calls. Its models of *answers* are not used for messages: one block of a kind that it
//! does not know makes it drop the text beside it, and one message that it cannot read fails a whole page, which
//! would hold up a conversation for ever. [`wire`] reads what we need and nothing else.

pub(crate) mod http;
pub(crate) mod meter;
pub(crate) mod wire;

use std::time::Duration;

use hyper_util::client::legacy;
use rustls::ClientConfig;
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use slack_morphism::{
    SlackApiToken, SlackApiTokenValue, SlackClient, SlackClientApiCallContext, SlackClientHttpConnector,
    errors::SlackClientError, hyper_tokio::SlackHyperClient, prelude::SlackClientHyperConnector,
};
use tokio::time::timeout;
use url::Url;

use crate::{
    endpoint::{Endpoint, connector},
    errors::{CallError, Refusal, Token},
};
use meter::Meter;

/// How many messages a page of history has at most: Slack's own advice. Some apps get 15 whatever they ask for.
pub(crate) const PAGE: &str = "200";

/// The library has no timeouts of its own. One call, connecting included.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// What is called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    /// The method (`chat.postMessage`).
    pub(crate) method: &'static str,
    /// The conversation, where Slack limits the method per conversation.
    pub(crate) per: Option<&'a str>,
}

impl Call<'static> {
    /// A method with one limit for the whole workspace.
    pub(crate) fn method(method: &'static str) -> Self {
        Self { method, per: None }
    }
}

/// The Web API with one token: its client and its rate meter (D5).
pub(crate) struct Web {
    client: SlackHyperClient,
    token: SecretString,
    kind: Token,
    meter: Meter,
}

// === impl Web ===

impl Web {
    /// A client with a connection pool of its own. Opens nothing.
    pub(crate) fn new(endpoint: &Endpoint, tls: &ClientConfig, token: SecretString, kind: Token) -> Self {
        let client =
            SlackClientHyperConnector::with_connector(connector(tls)).with_slack_api_url(endpoint.base());
        Self {
            client: SlackClient::new(client),
            token,
            kind,
            meter: Meter::default(),
        }
    }

    /// A call with its arguments in the query, as Slack takes them for what only reads.
    pub(crate) async fn get<T: DeserializeOwned + Send>(
        &self,
        call: Call<'_>,
        arguments: &[(&str, &str)],
    ) -> Result<T, CallError> {
        let arguments: Vec<(&str, Option<&str>)> = arguments
            .iter()
            .map(|&(name, value)| (name, Some(value)))
            .collect();
        self.metered(call, async {
            let token = self.token();
            let session = self.client.open_session(&token);
            session
                .http_session_api
                .http_get(call.method, &arguments, None)
                .await
        })
        .await
    }

    /// A call with a JSON body.
    pub(crate) async fn post<B, T>(&self, call: Call<'_>, body: &B) -> Result<T, CallError>
    where
        B: Serialize + Send + Sync,
        T: DeserializeOwned + Send,
    {
        self.metered(call, async {
            let token = self.token();
            self.client
                .open_session(&token)
                .http_session_api
                .http_post(call.method, body, None)
                .await
        })
        .await
    }

    /// Posts to an address that is its own credential (a `response_url`), without a token.
    pub(crate) async fn post_to<B: Serialize + Send + Sync>(
        &self,
        url: &Url,
        body: &B,
    ) -> Result<(), CallError> {
        let span = tracing::Span::none();
        let context = SlackClientApiCallContext {
            rate_control_params: None,
            token: None,
            tracing_span: &span,
            is_sensitive_url: true,
        };
        let call = Call::method("response_url");
        let sent =
            self.client
                .http_api
                .connector
                .http_post_uri::<_, wire::Nothing>(url.clone(), body, context);
        self.metered(call, sent).await.map(drop)
    }

    async fn metered<T>(
        &self,
        call: Call<'_>,
        request: impl Future<Output = Result<T, SlackClientError>>,
    ) -> Result<T, CallError> {
        self.meter.check(call)?;
        let result = match timeout(CALL_TIMEOUT, request).await {
            Ok(result) => result.map_err(|error| self.read_error(call.method, error)),
            Err(_) => Err(CallError::Lost("Slack did not answer in time")),
        };
        result.map_err(|error| self.meter.note(call, error))
    }

    /// The library's token type, made for one call: the secret's home is the `SecretString`.
    fn token(&self) -> SlackApiToken {
        SlackApiToken::new(SlackApiTokenValue(self.token.expose_secret().to_owned()))
    }

    /// The library's errors hold whole bodies: none of their texts goes any further.
    fn read_error(&self, method: &'static str, error: SlackClientError) -> CallError {
        match error {
            SlackClientError::ApiError(refused) => CallError::Refused(Refusal {
                method,
                token: self.kind,
                needed: refused.http_response_body.as_deref().and_then(wire::needed),
                detail: refused.errors.into_iter().flatten().next().map(short),
                code: refused.code,
            }),
            SlackClientError::RateLimitError(limit) => CallError::Limited {
                what: method.to_owned(),
                retry_after: limit.retry_after,
            },
            SlackClientError::HttpError(http) => CallError::Status(http.status_code.as_u16()),
            SlackClientError::HttpProtocolError(broken) => {
                let cause = broken
                    .cause
                    .as_deref()
                    .and_then(|e| e.downcast_ref::<legacy::Error>());
                if cause.is_some_and(legacy::Error::is_connect) {
                    CallError::Unreached
                } else {
                    CallError::Lost("the connection to Slack broke before its answer came")
                }
            }
            SlackClientError::ProtocolError(_) => CallError::Lost("Slack's answer cannot be read"),
            _ => CallError::Lost("the connection to Slack broke before its answer came"),
        }
    }
}

/// What Slack says about an argument is bounded: it may quote it.
fn short(mut detail: String) -> String {
    if let Some((end, _)) = detail.char_indices().nth(200) {
        detail.truncate(end);
    }
    detail
}

impl std::fmt::Debug for Web {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Web")
            .field("token", &self.kind)
            .field("meter", &self.meter)
            .finish_non_exhaustive()
    }
}
