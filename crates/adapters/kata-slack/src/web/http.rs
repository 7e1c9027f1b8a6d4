//! Plain HTTP beside the Web API: what slack-morphism hides (headers) or would read into memory (files).

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::ClientConfig;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use tokio::time::timeout;
use url::Url;

use super::CALL_TIMEOUT;
use crate::{endpoint::connector, errors::CallError};

/// A client for single GETs with the bot token.
pub(crate) struct Http {
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
}

// === impl Http ===

impl Http {
    pub(crate) fn new(tls: &ClientConfig) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector(tls)),
        }
    }

    /// Asks for `url` (`what` in an error), which the caller has found worthy of the token. Redirects are not followed: they would take
    /// the token along.
    ///
    /// # Errors
    /// Only until the head of the answer is there; its status is the caller's to judge, 429 excepted.
    pub(crate) async fn get(
        &self,
        what: &str,
        url: &Url,
        token: &SecretString,
    ) -> Result<Response<Incoming>, CallError> {
        let mut bearer = http::HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))
            .map_err(|_| CallError::Unreached)?;
        bearer.set_sensitive(true);
        let request = Request::get(url.as_str())
            .header(header::AUTHORIZATION, bearer)
            .body(Empty::new());
        let request = request.map_err(|_| CallError::Unreached)?;
        let answer = match timeout(CALL_TIMEOUT, self.client.request(request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) if error.is_connect() => return Err(CallError::Unreached),
            Ok(Err(_)) => {
                return Err(CallError::Lost(
                    "the connection to Slack broke before its answer came",
                ));
            }
            Err(_) => return Err(CallError::Lost("Slack did not answer in time")),
        };
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            let retry_after = retry_after(answer.headers());
            return Err(CallError::Limited {
                what: what.to_owned(),
                retry_after,
            });
        }
        Ok(answer)
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers
        .get(header::RETRY_AFTER)?
        .to_str()
        .ok()?
        .parse()
        .ok()
        .map(Duration::from_secs)
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}
