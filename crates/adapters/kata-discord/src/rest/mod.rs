//! Discord's REST API: one call, one answer, one error that says what it was.
//! <https://docs.discord.com/developers/reference>
//!
//! [`wire`] reads what we need of an answer and nothing else: one message that cannot be read must not fail the page around it.

mod body;
mod buckets;
pub(crate) mod wire;

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::ClientConfig;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::time::{sleep, timeout};
use url::Url;

use crate::{
    endpoint::{Endpoint, connector},
    errors::{CallError, Refusal},
};
use body::Body;
pub(crate) use body::File;
use buckets::{Buckets, Lane};

/// One call, connecting included.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// A page of a hundred messages with all their embeds stays below this.
const LONGEST_ANSWER: usize = 16 * 1024 * 1024;
/// A question may wait this long for its bucket to fill. A message does not wait here: the queue knows how to.
const PATIENCE: Duration = Duration::from_secs(5);
/// What Discord asks of a client's name: <https://docs.discord.com/developers/reference#user-agent>.
const USER_AGENT: &str = concat!(
    "DiscordBot (https://github.com/kata-agents/katad, ",
    env!("CARGO_PKG_VERSION"),
    ")"
);
const BROKEN: CallError = CallError::Lost("the connection to Discord broke before its answer came");

/// What is called.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// What it is for, in an error: `send a message`.
    what: &'static str,
    method: Method,
    /// Behind the API's version, with its query.
    path: String,
    /// The token is said. Not where the path itself is the credential.
    signed: bool,
    /// Waits for its bucket.
    patient: bool,
}

/// The REST API with one token: its client and its buckets (D5).
pub(crate) struct Rest {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    base: String,
    token: SecretString,
    buckets: Buckets,
}

#[derive(Deserialize)]
struct Refused {
    #[serde(default)]
    code: u64,
    #[serde(default)]
    errors: Option<serde_json::Value>,
    retry_after: Option<f64>,
    #[serde(default)]
    global: bool,
}

// === impl Call ===

impl Call {
    pub(crate) fn get(what: &'static str, path: String) -> Self {
        Self {
            patient: true,
            ..Self::new(what, Method::GET, path)
        }
    }

    pub(crate) fn new(what: &'static str, method: Method, path: String) -> Self {
        Self {
            what,
            method,
            path,
            signed: true,
            patient: false,
        }
    }

    /// The path is its own credential.
    pub(crate) fn unsigned(self) -> Self {
        Self {
            signed: false,
            ..self
        }
    }
}

// === impl Rest ===

impl Rest {
    /// A client with a connection pool of its own. Opens nothing.
    pub(crate) fn new(endpoint: &Endpoint, tls: &ClientConfig, token: SecretString) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector(tls)),
            base: endpoint.base().to_owned(),
            token,
            buckets: Buckets::default(),
        }
    }

    /// Reads something.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        what: &'static str,
        path: String,
    ) -> Result<T, CallError> {
        read(&self.call(Call::get(what, path), Body::none()).await?)
    }

    /// Asks for something that is not the bot's to ask, but whoever has the path.
    pub(crate) async fn look<T: DeserializeOwned>(&self, call: Call) -> Result<T, CallError> {
        read(&self.call(call, Body::none()).await?)
    }

    /// Sends something, and reads what became of it.
    pub(crate) async fn send<B: Serialize, T: DeserializeOwned>(
        &self,
        call: Call,
        body: &B,
    ) -> Result<T, CallError> {
        read(&self.done(call, body).await?)
    }

    /// Sends something; the answer is read by the caller, or not at all.
    pub(crate) async fn done<B: Serialize>(&self, call: Call, body: &B) -> Result<Bytes, CallError> {
        // What we send are our own structures and JSON values, which always can be written.
        let body = serde_json::to_vec(body).map_err(|_| CallError::Unreached)?;
        self.call(call, Body::json(body)).await
    }

    /// Sends something with files, and reads what became of it.
    pub(crate) async fn upload<T: DeserializeOwned>(
        &self,
        call: Call,
        payload: &serde_json::Value,
        files: &[File<'_>],
    ) -> Result<T, CallError> {
        read(&self.call(call, Body::form(payload, files)).await?)
    }

    /// A call without a body.
    pub(crate) async fn bare(&self, call: Call) -> Result<(), CallError> {
        self.call(call, Body::none()).await.map(drop)
    }

    async fn call(&self, call: Call, body: Body) -> Result<Bytes, CallError> {
        let lane = Lane::of(&call.method, &call.path);
        self.admit(&call, &lane).await?;
        let request = self.request(&call, body).ok_or(CallError::Unreached)?;
        match timeout(CALL_TIMEOUT, self.exchange(request)).await {
            Ok(answered) => {
                let (answer, body) = answered?;
                self.judge(&call, &lane, &answer, body)
            }
            Err(_) => Err(CallError::Lost("Discord did not answer in time")),
        }
    }

    async fn admit(&self, call: &Call, lane: &Lane) -> Result<(), CallError> {
        loop {
            let Err(pause) = self.buckets.take(lane) else {
                return Ok(());
            };
            if !call.patient || pause > PATIENCE {
                return Err(CallError::Limited {
                    what: call.what.to_owned(),
                    retry_after: Some(pause),
                });
            }
            sleep(pause).await;
        }
    }

    fn request(&self, call: &Call, body: Body) -> Option<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(format!("{}{}", self.base, call.path))
            .header(header::USER_AGENT, USER_AGENT);
        if call.signed {
            let bot = format!("Bot {}", self.token.expose_secret());
            let mut bot = HeaderValue::try_from(bot).ok()?;
            bot.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, bot);
        }
        if let Some(kind) = body.kind {
            request = request.header(header::CONTENT_TYPE, &*kind);
        }
        request.body(Full::new(body.bytes)).ok()
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<(Response<()>, Bytes), CallError> {
        let answer = self.open(request).await?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, LONGEST_ANSWER).collect().await;
        let body = body.map_err(|_| BROKEN)?.to_bytes();
        Ok((Response::from_parts(head, ()), body))
    }

    async fn open(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, CallError> {
        self.client
            .request(request)
            .await
            .map_err(|error| match error.is_connect() {
                true => CallError::Unreached,
                false => BROKEN,
            })
    }

    /// Asks for a file, which the caller has found worthy. Without the token: an attachment's address is its own
    /// credential. Redirects are not followed.
    pub(crate) async fn file(&self, url: &Url) -> Result<Response<Incoming>, CallError> {
        let request = Request::get(url.as_str())
            .header(header::USER_AGENT, USER_AGENT)
            .body(Full::new(Bytes::new()))
            .map_err(|_| CallError::Unreached)?;
        timeout(CALL_TIMEOUT, self.open(request))
            .await
            .unwrap_or(Err(CallError::Lost("Discord did not answer in time")))
    }

    fn judge(
        &self,
        call: &Call,
        lane: &Lane,
        answer: &Response<()>,
        body: Bytes,
    ) -> Result<Bytes, CallError> {
        let status = answer.status();
        if status.is_success() {
            self.buckets.note(lane, answer.headers());
            return Ok(body);
        }
        let refused: Option<Refused> = serde_json::from_slice(&body).ok();
        if status == StatusCode::TOO_MANY_REQUESTS {
            let (said, global) = refused.map_or((None, false), |r| (r.retry_after, r.global));
            let pause = self.buckets.limited(lane, answer.headers(), said, global);
            return Err(CallError::Limited {
                what: call.what.to_owned(),
                retry_after: Some(pause),
            });
        }
        self.buckets.note(lane, answer.headers());
        match refused.filter(|_| status.is_client_error()) {
            Some(refused) => Err(CallError::Refused(Refusal {
                what: call.what,
                status: status.as_u16(),
                code: refused.code,
                detail: refused.errors.as_ref().and_then(first_detail),
            })),
            None => Err(CallError::Status(status.as_u16())),
        }
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, CallError> {
    serde_json::from_slice(body).map_err(|_| CallError::Lost("Discord's answer cannot be read"))
}

/// The first sentence in Discord's tree of errors, with the field it is about, cut short: it may quote what was sent.
/// <https://docs.discord.com/developers/reference#error-messages>
fn first_detail(errors: &serde_json::Value) -> Option<String> {
    let fields = errors.as_object()?;
    if let Some(found) = fields.get("_errors") {
        return Some(
            found
                .get(0)?
                .get("message")?
                .as_str()?
                .chars()
                .take(200)
                .collect(),
        );
    }
    let (name, inner) = fields.iter().next()?;
    let name: String = name.chars().take(60).collect();
    Some(format!("{name}: {}", first_detail(inner)?))
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rest")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_wrong_with_a_form_is_told_with_its_field() {
        // <https://docs.discord.com/developers/reference#error-messages>
        let errors = json!({"embeds": {"0": {"title": {"_errors": [
            {"code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 256 or fewer in length."},
        ]}}}});
        assert_eq!(
            first_detail(&errors).as_deref(),
            Some("embeds: 0: title: Must be 256 or fewer in length.")
        );
        assert_eq!(first_detail(&json!({"_errors": []})), None);
        assert_eq!(first_detail(&json!({"a": 1})), None);
    }
}
