//! The server: who calls what, may he, does it go well.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, State as Extract},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Shared, authorize, discovery::Found, fault::Fault, methods, observe::Call, state::State, token};
use crate::port::Cut;

/// An answer: a status and its body.
pub(super) type Answer = Result<Value, Refusal>;

/// A refusal as Google words it (<https://developers.google.com/workspace/gmail/api/guides/handle-errors>).
#[derive(Clone, Debug)]
pub(super) struct Refusal(pub(super) u16, pub(super) &'static str);

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(serve).with_state(shared)
}

async fn serve(
    Extract(shared): Extract<Arc<Shared>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if uri.path() == "/token" {
        return token::serve(&shared, &cut, &body).await;
    }
    if uri.path() == authorize::PATH && method == Method::GET {
        return authorize::serve(&shared, uri.query().unwrap_or_default().as_bytes());
    }
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
    let Some(found) = shared.look(|state| state.discovery.find(method.as_str(), uri.path())) else {
        shared.change(|state| {
            state
                .violations
                .push(format!("there is no {method} {}", uri.path()))
        });
        return reply(Err(Refusal(404, "notFound")));
    };
    let fault = shared.change(|state| {
        state.calls.push(Call {
            method: found.method.clone(),
            query: query.clone(),
            writes: method != Method::GET,
            at: Timestamp::now(),
        });
        match state.is_silent {
            true => Some(Fault::Hang),
            false => state.faults.take(&found.method),
        }
    });
    match fault {
        None => reply(run(&shared, &found, &query, &headers, &body)),
        Some(fault) => {
            fail(&cut, fault, || {
                reply(run(&shared, &found, &query, &headers, &body))
            })
            .await
        }
    }
}

/// What happens instead of the answer, or after its effect.
pub(super) async fn fail(cut: &Cut, fault: Fault, effect: impl FnOnce() -> Response) -> Response {
    match fault {
        Fault::RateLimited { retry_after } => {
            let mut response = reply(Err(Refusal(429, "rateLimitExceeded")));
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, retry_after.into());
            response
        }
        Fault::Refuse(status, reason) => reply(Err(Refusal(status, reason))),
        Fault::RefuseAfter(status, reason) => {
            effect();
            reply(Err(Refusal(status, reason)))
        }
        Fault::CutBefore => hang_up(cut).await,
        Fault::CutAfter => {
            effect();
            hang_up(cut).await
        }
        Fault::Hang => silence(cut).await,
        Fault::HangAfter => {
            effect();
            silence(cut).await
        }
        Fault::SlowBy(late) => {
            tokio::time::sleep(late).await;
            effect()
        }
        Fault::Html => (
            [(header::CONTENT_TYPE, "text/html")],
            "<html>Please log in</html>",
        )
            .into_response(),
    }
}

async fn hang_up(cut: &Cut) -> Response {
    cut.cut();
    std::future::pending().await
}

/// Until the connection ends.
async fn silence(cut: &Cut) -> Response {
    cut.happened().await;
    std::future::pending().await
}

fn run(
    shared: &Shared,
    found: &Found,
    query: &[(String, String)],
    headers: &HeaderMap,
    body: &[u8],
) -> Answer {
    shared.change(|state| {
        may_come_in(state, headers)?;
        let (json, upload) = match found.is_upload {
            true => parts(headers, body).ok_or(Refusal(400, "badRequest"))?,
            false => (serde_json::from_slice(body).ok(), None),
        };
        let faults = state.discovery.faults_of(found, query, json.as_ref());
        if !faults.is_empty() {
            state.violations.extend(faults);
            return Err(Refusal(400, "invalidArgument"));
        }
        let answer = methods::run(state, found, query, json.unwrap_or_default(), upload)?;
        // Our own words are held against the document too.
        let faults = state.discovery.faults_of_answer(&found.method, &answer);
        state.violations.extend(faults);
        if found.method == "history.list" && answer.get("nextPageToken").is_none() {
            state.was_read();
        }
        Ok(answer)
    })
}

fn may_come_in(state: &State, headers: &HeaderMap) -> Result<(), Refusal> {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer "));
    match token.is_some_and(|token| state.access_tokens.contains(token)) {
        true => Ok(()),
        false => Err(Refusal(401, "authError")),
    }
}

/// A multipart/related upload: the resource, and the mail.
fn parts(headers: &HeaderMap, body: &[u8]) -> Option<(Option<Value>, Option<Vec<u8>>)> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let boundary = kind
        .strip_prefix("multipart/related;")?
        .trim()
        .strip_prefix("boundary=")?;
    let mark = format!("--{}", boundary.trim_matches('"'));
    let mut rest = body;
    let mut found = Vec::new();
    while let Some(at) = position(rest, mark.as_bytes()) {
        let part = &rest[at + mark.len()..];
        if part.starts_with(b"--") {
            break;
        }
        let end = position(part, mark.as_bytes())?;
        let head = position(part, b"\r\n\r\n")? + 4;
        found.push((
            String::from_utf8_lossy(&part[..head]).to_lowercase(),
            part[head..end]
                .strip_suffix(b"\r\n")
                .unwrap_or(&part[head..end])
                .to_vec(),
        ));
        rest = &part[end..];
    }
    let [(_, resource), (head, mail)] = &*found else {
        return None;
    };
    head.contains("message/rfc822")
        .then(|| (serde_json::from_slice(resource).ok(), Some(mail.clone())))
}

fn position(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn reply(answer: Answer) -> Response {
    match answer {
        Ok(value) => axum::Json(value).into_response(),
        Err(Refusal(status, reason)) => {
            let message = format!("the fake refuses: {reason}");
            let body = json!({"error": {
                "code": status, "message": message,
                "errors": [{"message": message, "domain": "global", "reason": reason}],
            }});
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, axum::Json(body)).into_response()
        }
    }
}
