//! Google's token endpoint (<https://developers.google.com/identity/protocols/oauth2/native-app>).

use std::collections::HashMap;

use axum::{
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{CLIENT_SECRET, Fault, Shared, observe::Call, state::State, web::fail};
use crate::port::Cut;

pub(super) async fn serve(shared: &Shared, cut: &Cut, body: &[u8]) -> Response {
    let form: HashMap<String, String> = url::form_urlencoded::parse(body).into_owned().collect();
    let fault = shared.change(|state| {
        state.calls.push(Call {
            method: "token".into(),
            query: vec![(
                "grant_type".into(),
                form.get("grant_type").cloned().unwrap_or_default(),
            )],
            writes: false,
            at: Timestamp::now(),
        });
        match state.is_silent {
            true => Some(Fault::Hang),
            false => state.faults.take("token"),
        }
    });
    let run = || {
        let answer = shared.change(|state| answer(state, &form));
        match answer {
            Ok(granted) => axum::Json(granted).into_response(),
            Err(code) => {
                let body = json!({"error": code, "error_description": "the fake refuses"});
                (StatusCode::BAD_REQUEST, axum::Json(body)).into_response()
            }
        }
    };
    match fault {
        None => run(),
        Some(fault) => fail(cut, fault, run).await,
    }
}

fn answer(state: &mut State, form: &HashMap<String, String>) -> Result<Value, &'static str> {
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    if field("client_id") != state.client_id || field("client_secret") != CLIENT_SECRET {
        return Err("invalid_client");
    }
    let mut granted = json!({});
    match field("grant_type") {
        "refresh_token" if state.refresh_tokens.contains(field("refresh_token")) => {}
        "authorization_code" => {
            // A code is good once.
            let asked = state.codes.remove(field("code")).ok_or("invalid_grant")?;
            let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier").as_bytes()));
            if challenge != asked.challenge || field("redirect_uri") != asked.redirect {
                return Err("invalid_grant");
            }
            if asked.offline && !state.withholds_refresh {
                let token = format!("1//refresh-{}", state.next());
                state.refresh_tokens.insert(token.clone());
                granted["refresh_token"] = token.into();
            }
        }
        "refresh_token" => return Err("invalid_grant"),
        _ => return Err("unsupported_grant_type"),
    }
    let access = format!("ya29.{}", state.next());
    state.access_tokens.insert(access.clone());
    granted["access_token"] = access.into();
    // Whoever needs a token has come anew, or has found the door shut.
    state.is_read = false;
    granted["expires_in"] = state.token_lives.into();
    granted["scope"] = state.scope.clone().into();
    granted["token_type"] = "Bearer".into();
    if let Some(seconds) = state.sign_in_lives {
        granted["refresh_token_expires_in"] = seconds.into();
    }
    Ok(granted)
}
