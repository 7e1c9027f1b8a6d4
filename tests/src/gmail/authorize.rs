//! Google's authorisation endpoint: where a person agrees
//! (<https://developers.google.com/identity/protocols/oauth2/native-app#step-2:-send-a-request-to-googles-oauth-2.0-server>).

use std::collections::HashMap;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use url::{Host, Url};

use super::{
    Shared,
    state::{Asked, State},
};

pub(super) const PATH: &str = "/o/oauth2/v2/auth";

/// A browser comes by. Whoever made it come with an address that is wrong gets no answer: Google shows a page of its own.
pub(super) fn serve(shared: &Shared, query: &[u8]) -> Response {
    match shared.change(|state| answer(state, query)) {
        Ok(back) => (StatusCode::FOUND, [(header::LOCATION, back.as_str().to_owned())]).into_response(),
        Err(why) => (StatusCode::BAD_REQUEST, format!("Error 400: {why}")).into_response(),
    }
}

/// Where the browser is sent back to.
pub(super) fn answer(state: &mut State, query: &[u8]) -> Result<Url, &'static str> {
    let pairs: HashMap<String, String> = url::form_urlencoded::parse(query).into_owned().collect();
    let field = |name: &str| pairs.get(name).map(String::as_str).unwrap_or_default();
    if field("client_id") != state.client_id {
        return Err("invalid_client");
    }
    let redirect = loopback(field("redirect_uri")).ok_or("redirect_uri_mismatch")?;
    // PKCE is a choice there; the daemon has to make it. A SHA-256 is 43 characters of base64url.
    let is_challenge = field("code_challenge").len() == 43 && field("code_challenge_method") == "S256";
    if field("response_type") != "code" || field("scope").is_empty() || !is_challenge {
        return Err("invalid_request");
    }
    let answer = match &state.denies {
        Some(code) => ("error", code.clone()),
        None => {
            let code = format!("4/code-{}", state.next());
            let asked = Asked {
                challenge: field("code_challenge").to_owned(),
                redirect: field("redirect_uri").to_owned(),
                offline: field("access_type") == "offline",
            };
            state.codes.insert(code.clone(), asked);
            ("code", code)
        }
    };
    let mut back = redirect;
    back.query_pairs_mut()
        .append_pair("state", field("state"))
        .append_pair(answer.0, &answer.1);
    Ok(back)
}

/// Clients of the kind "desktop app" are sent back to this machine by plain http, on any port.
fn loopback(redirect: &str) -> Option<Url> {
    let url: Url = redirect.parse().ok()?;
    let is_local = match url.host()? {
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
        Host::Domain(name) => name == "localhost",
    };
    (url.scheme() == "http" && is_local).then_some(url)
}
