//! Google's token endpoint: one form, one answer.

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use rustls::ClientConfig;
use secrecy::SecretString;
use serde::Deserialize;
use tokio::time::timeout;
use url::form_urlencoded::Serializer;

use super::TokenError;
use crate::endpoint::{Connector, connector};

/// One question, connecting included.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
const LONGEST_ANSWER: usize = 64 << 10;

/// The endpoint, and a client for it.
#[derive(Clone)]
pub(super) struct TokenEndpoint {
    url: String,
    client: Client<Connector, Full<Bytes>>,
}

/// What Google grants.
#[derive(Debug, Deserialize)]
pub(super) struct Granted {
    pub(super) access_token: SecretString,
    /// Seconds.
    pub(super) expires_in: Option<u64>,
    pub(super) refresh_token: Option<SecretString>,
    /// Seconds. Said for sign-ins that end by themselves, as those of a project in testing do after seven days.
    pub(super) refresh_token_expires_in: Option<u64>,
    pub(super) scope: Option<String>,
}

/// What Google says instead.
#[derive(Debug)]
pub(super) enum Denied {
    /// `invalid_grant`, `invalid_client`, …
    Code(String),
    Other(TokenError),
}

#[derive(Deserialize)]
struct Said {
    error: String,
}

// === impl TokenEndpoint ===

impl TokenEndpoint {
    pub(super) fn new(url: String, tls: &ClientConfig) -> Self {
        Self {
            url,
            client: Client::builder(TokioExecutor::new()).build(connector(tls)),
        }
    }

    pub(super) async fn ask(&self, form: &[(&str, &str)]) -> Result<Granted, Denied> {
        timeout(CALL_TIMEOUT, self.call(form))
            .await
            .unwrap_or(Err(Denied::Other(TokenError::Lost)))
    }

    async fn call(&self, form: &[(&str, &str)]) -> Result<Granted, Denied> {
        let lost = |_| Denied::Other(TokenError::Lost);
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::post(&self.url)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| Denied::Other(TokenError::Unreached))?;
        let answer = self.client.request(request).await.map_err(|error| {
            Denied::Other(match error.is_connect() {
                true => TokenError::Unreached,
                false => TokenError::Lost,
            })
        })?;
        let status = answer.status().as_u16();
        let retry_after = answer.headers().get(header::RETRY_AFTER);
        let retry_after = retry_after
            .and_then(|v| v.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let body = Limited::new(answer.into_body(), LONGEST_ANSWER);
        let body = body
            .collect()
            .await
            .map_err(|_| Denied::Other(TokenError::Lost))?
            .to_bytes();
        match status {
            200 => serde_json::from_slice(&body).map_err(lost),
            429 => Err(Denied::Other(TokenError::Limited { retry_after })),
            400..=499 => Err(Denied::Code(
                serde_json::from_slice::<Said>(&body).map_err(lost)?.error,
            )),
            _ => Err(Denied::Other(TokenError::Lost)),
        }
    }
}

impl fmt::Debug for TokenEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenEndpoint").finish_non_exhaustive()
    }
}
