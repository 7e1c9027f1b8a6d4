//! HTTP: the API, the gateway's upgrade, the CDN.

use std::{future::pending, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, DefaultBodyLimit, Path, Query, Request, State as Shares, WebSocketUpgrade},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::{any, get},
};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    super::{
        Shared,
        fault::Fault,
        gateway::{self, Link},
        id, record,
        state::State,
    },
    Answer,
    buckets::{Limited, Place},
    call::{Call, NoCall},
    error::Refusal,
    perform,
};
use crate::port::Cut;

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(link))
        .route("/api/v10/{*path}", any(api))
        .route("/attachments/{channel}/{id}/{name}", get(download))
        .fallback(elsewhere)
        .layer(DefaultBodyLimit::max(64 << 20))
        .with_state(shared)
}

/// What is not the API of this version.
async fn elsewhere(Shares(shared): Shares<Arc<Shared>>, request: Request) -> Response {
    let what = format!(
        "{} {} is nothing of Discord's v10",
        request.method(),
        request.uri()
    );
    shared.change(|state| state.record.violations.push(what));
    answer(Err(Refusal::not_found()), 404)
}

/// One call: it arrives, a fault may be played before or after its effect, its outcome is recorded.
async fn api(
    Shares(shared): Shares<Arc<Shared>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request<Body>,
) -> Response {
    let path = request.uri().path().to_owned();
    let below = path.strip_prefix("/api/v10").unwrap_or_default().to_owned();
    let call = match Call::read(&below, request).await {
        Ok(call) => call,
        Err(NoCall { refusal, violation }) => {
            shared.change(|state| state.record.violations.push(violation));
            return answer(Err(refusal), 400);
        }
    };
    let (place, limited, index, fault) = shared.change(|state| arrive(state, &call, &path));
    let settle = |outcome: String| shared.change(|state| state.record.calls[index].outcome = Some(outcome));
    if let Some(limited) = limited {
        settle("429".to_owned());
        return too_many(&limited, Some(&place));
    }
    if let Some(fault) = &fault {
        settle(format!("{fault:?}"));
        if let Some(reply) = before(fault, &cut).await {
            return reply;
        }
    }
    let result = shared.change(|state| perform(state, &call));
    if let Some(fault) = &fault
        && let Some(reply) = after(fault, &cut).await
    {
        return reply;
    }
    settle(
        result
            .as_ref()
            .map_or_else(|r| format!("{} {}", r.status, r.code), |_| "ok".to_owned()),
    );
    let mut response = answer(result, call.operation.success());
    place.headers(response.headers_mut());
    response
}

/// Records a call, counts it and finds its fault.
fn arrive(state: &mut State, call: &Call, path: &str) -> (Place, Option<Limited>, usize, Option<Fault>) {
    state.record.violations.extend(call.violations());
    let name = &call.operation.name;
    let (place, limited) = state.buckets.count(name, &call.major());
    // What is refused for its rate has not met the fault yet.
    let fault = if limited.is_none() {
        state.faults.take(name)
    } else {
        None
    };
    state.record.calls.push(record::Call {
        operation: name.clone(),
        path: path.to_owned(),
        query: call.query.clone(),
        body: call.body.clone(),
        at: jiff::Timestamp::now(),
        outcome: None,
    });
    (place, limited, state.record.calls.len() - 1, fault)
}

/// Plays a fault that keeps the call from having any effect.
async fn before(fault: &Fault, cut: &Cut) -> Option<Response> {
    Some(match fault {
        Fault::RateLimited { retry_after, scope } => too_many(
            &Limited {
                retry_after: *retry_after,
                scope: *scope,
            },
            None,
        ),
        Fault::Http(status) => http(*status),
        Fault::Refused(status, code) => answer(Err(Refusal::new(*status, *code, "Refused by the test")), 200),
        Fault::CutBefore => cut_off(cut),
        Fault::Hang => pending().await,
        Fault::Html => Html("<html>Welcome to the hotel's network</html>").into_response(),
        Fault::SlowBy(late) => {
            sleep(*late).await;
            return None;
        }
        Fault::HttpAfter(_) | Fault::CutAfter | Fault::HangAfter => return None,
    })
}

/// Plays a fault that loses the answer of a call that had its effect.
async fn after(fault: &Fault, cut: &Cut) -> Option<Response> {
    Some(match fault {
        Fault::HttpAfter(status) => http(*status),
        Fault::CutAfter => cut_off(cut),
        Fault::HangAfter => pending().await,
        _ => return None,
    })
}

fn too_many(limited: &Limited, place: Option<&Place>) -> Response {
    let mut response = (StatusCode::TOO_MANY_REQUESTS, axum::Json(limited.body())).into_response();
    limited.headers(response.headers_mut());
    if let Some(place) = place {
        place.headers(response.headers_mut());
    }
    response
}

fn http(status: u16) -> Response {
    let status = StatusCode::from_u16(status).expect("the test names a real status");
    (status, "upstream connect error").into_response()
}

/// What is answered does not matter: the connection fails before it is written.
fn cut_off(cut: &Cut) -> Response {
    cut.cut();
    StatusCode::OK.into_response()
}

fn answer(result: Answer, success: u16) -> Response {
    let (status, body) = match result {
        Ok(Some(body)) => (if success == 204 { 200 } else { success }, body),
        Ok(None) => return StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => (refusal.status, refusal.body()),
    };
    let status = StatusCode::from_u16(status).expect("a status of Discord's");
    (status, axum::Json(body)).into_response()
}

/// The gateway's upgrade.
async fn link(
    Shares(shared): Shares<Arc<Shared>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    Query(link): Query<Link>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let fault = shared.change(|state| state.faults.take("gateway"));
    if let Some(fault) = fault
        && let Some(reply) = before(&fault, &cut).await
    {
        return reply;
    }
    upgrade.on_upgrade(move |socket| gateway::serve(shared, socket, cut, link))
}

/// Links are public and end; who asks for a file does not matter.
async fn download(
    Shares(shared): Shares<Arc<Shared>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    Path((_, file, _)): Path<(String, String, String)>,
    request: Request,
) -> Response {
    let authorized = request.headers().contains_key(header::AUTHORIZATION);
    let path = request.uri().path().to_owned();
    let fault = shared.change(|state| {
        if authorized {
            state
                .record
                .violations
                .push("the token was sent to the CDN".to_owned());
        }
        state.record.calls.push(record::Call {
            operation: "download".to_owned(),
            path,
            query: Vec::new(),
            body: json!({"file": file}),
            at: jiff::Timestamp::now(),
            outcome: None,
        });
        state.faults.take("download")
    });
    if let Some(fault) = fault
        && let Some(reply) = before(&fault, &cut).await
    {
        return reply;
    }
    shared.look(|state| {
        let gone = || (StatusCode::NOT_FOUND, "This content is no longer available.").into_response();
        let file = id::parse(&file).filter(|_| !state.links_expired);
        let mut files = state
            .world
            .channels
            .values()
            .flat_map(|c| c.messages.values())
            .flat_map(|m| &m.files);
        match file.and_then(|id| files.find(|f| f.id == id)) {
            Some(file) => (
                [(header::CONTENT_TYPE, file.mimetype.clone())],
                file.content.clone(),
            )
                .into_response(),
            None => gone(),
        }
    })
}

/// A JSON value that is text.
pub(super) fn string(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
