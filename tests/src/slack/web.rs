//! HTTP: the Web API, Socket Mode's upgrade, response URLs and files.

use std::{future::pending, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, Path, Query, RawQuery, State as Shares, WebSocketUpgrade},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{any, get, post},
};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::port::Cut;

use super::{
    Shared, access, args::Args, error::Refusal, fault::Fault, methods, record::Call, socket, state::State,
};

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/api/{method}", any(api))
        .route("/link/", get(link))
        .route("/response/{id}", post(response_url))
        .route("/files-pri/{folder}/{name}", get(download))
        .route(
            "/login",
            get(async || Html("<html><title>Sign in to Slack</title></html>")),
        )
        .with_state(shared)
}

/// One call: it arrives, a fault may be played before or after its effect, its outcome is recorded.
async fn api(
    Shares(shared): Shares<Arc<Shared>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    Path(method): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let args = Args::read(query.as_deref(), &headers, &body);
    let (call, fault) = shared.change(|state| arrive(state, &method, args.as_ref().ok()));
    let settle =
        |outcome: &str| shared.change(|state| state.record.calls[call].outcome = Some(outcome.to_owned()));
    if let Some(fault) = &fault {
        settle(&format!("{fault:?}"));
        if let Some(reply) = before(fault, &cut).await {
            return reply;
        }
    }
    let answer = args.and_then(|args| shared.change(|state| perform(state, &method, &args)));
    if let Some(reply) = match &fault {
        Some(fault) => after(fault, &cut).await,
        None => None,
    } {
        return reply;
    }
    settle(
        answer
            .as_ref()
            .err()
            .map_or("ok", |refusal| refusal.code.as_str()),
    );
    reply(answer, &shared.granted_scopes())
}

/// Records a call and finds its fault.
fn arrive(state: &mut State, method: &str, args: Option<&Args>) -> (usize, Option<Fault>) {
    let channel = args.and_then(|a| a.text("channel"));
    let fault = state.faults.take(method, channel);
    let args = args.map(|a| a.all.clone()).unwrap_or_default();
    let at = jiff::Timestamp::now();
    state.record.calls.push(Call {
        method: method.to_owned(),
        args,
        at,
        outcome: None,
    });
    (state.record.calls.len() - 1, fault)
}

fn perform(state: &mut State, method: &str, args: &Args) -> Result<Value, Refusal> {
    access::check(state, method, args)?;
    methods::run(state, method, args)
}

/// Plays a fault that keeps the call from having any effect.
async fn before(fault: &Fault, cut: &Cut) -> Option<Response> {
    Some(match fault {
        Fault::RateLimited { retry_after } => {
            let body = axum::Json(json!({"ok": false, "error": "ratelimited"}));
            (
                StatusCode::TOO_MANY_REQUESTS,
                [(header::RETRY_AFTER, retry_after.to_string())],
                body,
            )
                .into_response()
        }
        Fault::Http(status) => http(*status),
        Fault::OkFalse(code) => reply(Err((*code).into()), ""),
        Fault::CutBefore => cut_off(cut),
        Fault::Hang => pending().await,
        Fault::Html => Html("<html>Welcome to the hotel's network</html>").into_response(),
        Fault::SlowBy(late) => {
            sleep(*late).await;
            return None;
        }
        Fault::HttpAfter(_) | Fault::OkFalseAfter(_) | Fault::CutAfter | Fault::HangAfter => return None,
    })
}

/// Plays a fault that loses the answer of a call that had its effect.
async fn after(fault: &Fault, cut: &Cut) -> Option<Response> {
    Some(match fault {
        Fault::HttpAfter(status) => http(*status),
        Fault::OkFalseAfter(code) => reply(Err((*code).into()), ""),
        Fault::CutAfter => cut_off(cut),
        Fault::HangAfter => pending().await,
        _ => return None,
    })
}

fn http(status: u16) -> Response {
    let status = StatusCode::from_u16(status).expect("the test names a real status");
    (status, "upstream error").into_response()
}

/// What is answered does not matter: the connection fails before it is written.
fn cut_off(cut: &Cut) -> Response {
    cut.cut();
    StatusCode::OK.into_response()
}

fn reply(answer: Result<Value, Refusal>, scopes: &str) -> Response {
    let body = match answer {
        Ok(mut body) => {
            body["ok"] = true.into();
            body
        }
        Err(refusal) => refusal.into_json(),
    };
    let mut response = axum::Json(body).into_response();
    if let Ok(scopes) = HeaderValue::from_str(scopes) {
        response.headers_mut().insert("x-oauth-scopes", scopes);
    }
    response
}

#[derive(serde::Deserialize)]
struct Ticket {
    ticket: String,
}

/// A ticket opens one connection.
async fn link(
    Shares(shared): Shares<Arc<Shared>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    Query(Ticket { ticket }): Query<Ticket>,
    upgrade: WebSocketUpgrade,
) -> Response {
    match shared.change(|state| state.faults.take("link", None)) {
        Some(Fault::Http(status)) => return http(status),
        Some(Fault::CutBefore) => return cut_off(&cut),
        Some(Fault::Hang) => return pending().await,
        _ => {}
    }
    if !shared.change(|state| state.tickets.remove(&ticket)) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    upgrade.on_upgrade(move |socket| socket::serve(shared, socket, cut))
}

async fn response_url(
    Shares(shared): Shares<Arc<Shared>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let fault = shared.change(|state| arrive(state, "response_url", None)).1;
    if let Some(fault) = &fault
        && let Some(reply) = before(fault, &cut).await
    {
        return reply;
    }
    let Ok(body) = serde_json::from_slice::<Value>(&body) else {
        return (StatusCode::BAD_REQUEST, "invalid_payload").into_response();
    };
    let result = shared.change(|state| methods::post_to_response_url(state, &id, &body));
    if let Some(fault) = &fault
        && let Some(reply) = after(fault, &cut).await
    {
        return reply;
    }
    match result {
        Ok(()) => "ok".into_response(),
        Err("no_text") => (StatusCode::BAD_REQUEST, "no_text").into_response(),
        Err(code) => (
            StatusCode::NOT_FOUND,
            axum::Json(json!({"ok": false, "error": code})),
        )
            .into_response(),
    }
}

/// A private file needs the token, in the header; without it Slack leads to its sign-in page.
/// <https://docs.slack.dev/reference/objects/file-object>
async fn download(
    Shares(shared): Shares<Arc<Shared>>,
    Path((folder, _name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let id = folder.rsplit('-').next().unwrap_or_default().to_owned();
    shared.change(|state| {
        let at = jiff::Timestamp::now();
        let args = json!({"file": id}).as_object().cloned().unwrap_or_default();
        state.record.calls.push(Call {
            method: "download".into(),
            args: args.clone(),
            at,
            outcome: None,
        });
        let allowed = Args::read(None, &headers, &Bytes::new()).is_ok_and(|mut token| {
            token.all = args;
            access::check(state, "files.info", &token).is_ok()
        });
        match state.world.files.get(&id) {
            Some(_) if !allowed => Redirect::to("/login").into_response(),
            Some(file) => (
                [(header::CONTENT_TYPE, file.mimetype.clone())],
                file.content.clone(),
            )
                .into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    })
}
