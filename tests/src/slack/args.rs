//! A call's arguments, however they were sent: query, form or JSON.
//! <https://docs.slack.dev/apis/web-api/#basics>

use axum::{body::Bytes, http::HeaderMap};
use serde_json::{Map, Value};

use super::{error::Refusal, ts::Ts};

/// The arguments of one call, without the token.
#[derive(Clone, Debug, Default)]
pub(crate) struct Args {
    pub(crate) all: Map<String, Value>,
    pub(crate) token: Option<String>,
}

impl Args {
    /// Reads a request. A bearer token in the header wins over one among the arguments.
    pub(crate) fn read(query: Option<&str>, headers: &HeaderMap, body: &Bytes) -> Result<Self, Refusal> {
        let mut all = pairs(query.unwrap_or_default().as_bytes());
        let header = |name: &str| {
            headers
                .get(name)
                .and_then(|v| v.to_str().ok())
                .unwrap_or_default()
        };
        if !body.is_empty() {
            let kind = header("content-type")
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned();
            match kind.as_str() {
                "application/json" => match serde_json::from_slice(body) {
                    Ok(Value::Object(object)) => all.extend(object),
                    Ok(_) => return Err("json_not_object".into()),
                    Err(_) => return Err("invalid_json".into()),
                },
                "application/x-www-form-urlencoded" => all.extend(pairs(body)),
                "" => return Err("missing_post_type".into()),
                _ => return Err("invalid_post_type".into()),
            }
        }
        let argument = all.remove("token").and_then(|t| t.as_str().map(str::to_owned));
        let bearer = header("authorization").strip_prefix("Bearer ").map(str::to_owned);
        Ok(Self {
            all,
            token: bearer.or(argument),
        })
    }

    /// A text argument; absent and empty are the same to Slack.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.all
            .get(name)
            .and_then(Value::as_str)
            .filter(|s| !s.is_empty())
    }

    /// A text argument that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name).ok_or_else(|| Refusal::missing(name))
    }

    /// `true`, `"true"`, `1` and `"1"` are true.
    pub(crate) fn flag(&self, name: &str) -> bool {
        match self.all.get(name) {
            Some(Value::Bool(b)) => *b,
            Some(Value::Number(n)) => n.as_i64() == Some(1),
            Some(Value::String(s)) => s == "true" || s == "1",
            _ => false,
        }
    }

    /// A page's size.
    pub(crate) fn limit(&self, default: usize) -> Result<usize, Refusal> {
        let given = match self.all.get("limit") {
            None => return Ok(default),
            Some(Value::Number(n)) => n.as_u64(),
            Some(Value::String(s)) => s.parse().ok(),
            Some(_) => None,
        };
        match given {
            Some(0) => Ok(default),
            Some(n @ 1..=1000) => Ok(usize::try_from(n).expect("at most 1000")),
            _ => Err("invalid_limit".into()),
        }
    }

    /// A timestamp, which may come as a number.
    pub(crate) fn ts(&self, name: &str, refusal: &str) -> Result<Option<Ts>, Refusal> {
        let text = match self.all.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(s)) if s.is_empty() => return Ok(None),
            Some(Value::String(s)) => s.clone(),
            Some(other) => other.to_string(),
        };
        text.parse().map(Some).map_err(|()| refusal.into())
    }

    /// An object, in JSON or as JSON in a form's field.
    pub(crate) fn object(&self, name: &str) -> Result<Option<Value>, ()> {
        match self.all.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(object @ Value::Object(_)) => Ok(Some(object.clone())),
            Some(Value::String(s)) => match serde_json::from_str(s) {
                Ok(object @ Value::Object(_)) => Ok(Some(object)),
                _ => Err(()),
            },
            Some(_) => Err(()),
        }
    }
}

/// `a=b&c=d`, percent-decoded.
fn pairs(text: &[u8]) -> Map<String, Value> {
    url::form_urlencoded::parse(text)
        .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
        .collect()
}
