//! A call as it arrived. <https://docs.discord.com/developers/reference#http-api>

use std::collections::BTreeMap;

use axum::{
    body::Body,
    extract::{FromRequest, Multipart},
    http::{HeaderMap, Method, Request, header},
};
use serde_json::Value;

use super::{
    super::{
        id::{self, Id},
        spec::{self, Operation},
        state::State,
    },
    error::Refusal,
};

/// A file in a form.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Its index, `n` of `files[n]`.
    pub(crate) index: String,
    pub(crate) name: String,
    pub(crate) mimetype: String,
    pub(crate) content: Vec<u8>,
}

/// A call that is one of Discord's operations.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) operation: &'static Operation,
    pub(crate) params: BTreeMap<String, String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Value,
    pub(crate) files: Vec<Part>,
    pub(crate) headers: HeaderMap,
}

/// What broke the protocol before there was a call.
#[derive(Debug)]
pub(crate) struct NoCall {
    pub(crate) refusal: Refusal,
    pub(crate) violation: String,
}

fn no_call(refusal: Refusal, violation: String) -> NoCall {
    NoCall { refusal, violation }
}

impl Call {
    /// Reads a request below `/api/v10`.
    pub(crate) async fn read(path: &str, request: Request<Body>) -> Result<Self, NoCall> {
        let (method, headers) = (request.method().clone(), request.headers().clone());
        let Some((operation, params)) = spec::find(&method, path) else {
            let violation = format!("{method} {path} is no operation that the fake knows");
            return Err(no_call(Refusal::not_found(), violation));
        };
        let query = request.uri().query().unwrap_or_default().to_owned();
        let query = url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let (body, files) = read_body(operation, &method, request).await?;
        Ok(Self {
            operation,
            params,
            query,
            body,
            files,
            headers,
        })
    }

    /// What the documents do not allow, in this call.
    pub(crate) fn violations(&self) -> Vec<String> {
        let name = &self.operation.name;
        let mut found = Vec::new();
        let agent = self
            .headers
            .get(header::USER_AGENT)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        // https://docs.discord.com/developers/reference#user-agent
        if !agent.starts_with("DiscordBot (") {
            found.push(format!("{name}: the User-Agent {agent:?}"));
        }
        let query = self.operation.unknown_query(&self.query);
        found.extend(
            query
                .iter()
                .map(|key| format!("{name}: unknown in the query: {key}")),
        );
        let keys = self.operation.unknown_keys(&self.body);
        found.extend(
            keys.iter()
                .map(|key| format!("{name}: unknown in the body: {key}")),
        );
        found.extend(
            self.schema_errors()
                .iter()
                .map(|error| format!("{name}: {error} in {}", self.body)),
        );
        for (key, value) in self.params.iter().filter(|(key, _)| key.ends_with("_id")) {
            if id::parse(value).is_none() {
                found.push(format!("{name}: {key} {value:?} is no snowflake"));
            }
        }
        found
    }

    pub(crate) fn schema_errors(&self) -> Vec<String> {
        // Operations with a body take an empty one as an empty object.
        if self.body.is_null() {
            Vec::new()
        } else {
            self.operation.errors(&self.body)
        }
    }

    /// Whether it shows a token, and a good one. What has a token in its path needs no other.
    pub(crate) fn authorized(&self, state: &State) -> bool {
        if self.params.contains_key("interaction_token") || self.params.contains_key("webhook_token") {
            return true;
        }
        let shown = self
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|v| v.to_str().ok());
        let token = shown.and_then(|shown| shown.strip_prefix("Bot "));
        token
            .and_then(|token| state.tokens.get(token))
            .is_some_and(|good| *good)
    }

    /// What its rate limit is counted by, besides its route.
    pub(crate) fn major(&self) -> String {
        let majors = ["channel_id", "guild_id", "webhook_id", "webhook_token"];
        let found: Vec<&str> = majors
            .iter()
            .filter_map(|m| self.params.get(*m))
            .map(String::as_str)
            .collect();
        found.join("/")
    }

    /// An id in its path.
    pub(crate) fn id(&self, name: &str) -> Result<Id, Refusal> {
        let value = self.params.get(name).map_or("", String::as_str);
        let problem = || {
            Refusal::form(
                name,
                "NUMBER_TYPE_COERCE",
                &format!("Value \"{value}\" is not snowflake."),
            )
        };
        id::parse(value).ok_or_else(problem)
    }

    /// An id in its query.
    pub(crate) fn query_id(&self, name: &str) -> Result<Option<Id>, Refusal> {
        let problem = |value| {
            Refusal::form(
                name,
                "NUMBER_TYPE_COERCE",
                &format!("Value \"{value}\" is not snowflake."),
            )
        };
        // `after=0` is what reads a channel from its beginning.
        let read = |value: &str| value.parse::<Id>().map_err(|_| problem(value.to_owned()));
        self.query(name).map(read).transpose()
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

async fn read_body(
    operation: &Operation,
    method: &Method,
    request: Request<Body>,
) -> Result<(Value, Vec<Part>), NoCall> {
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok());
    let kind = kind.unwrap_or_default().to_owned();
    if kind.starts_with("multipart/form-data") {
        let bad = |what: String| {
            no_call(
                Refusal::new(400, 50109, "The request body contains invalid JSON."),
                what,
            )
        };
        let form = Multipart::from_request(request, &())
            .await
            .map_err(|e| bad(e.to_string()))?;
        return read_form(form)
            .await
            .map_err(|what| bad(format!("{}: {what}", operation.name)));
    }
    let is_json = kind.starts_with("application/json");
    let bytes = axum::body::to_bytes(request.into_body(), 64 << 20)
        .await
        .unwrap_or_default();
    if bytes.is_empty() || *method == Method::GET {
        return Ok((Value::Null, Vec::new()));
    }
    if !operation.has_body() {
        // A few clients send an empty object where nothing is wanted.
        return Ok((Value::Null, Vec::new()));
    }
    let what = format!(
        "{}: {} as {kind:?}",
        operation.name,
        String::from_utf8_lossy(&bytes)
    );
    let body = serde_json::from_slice(&bytes).ok().filter(|_| is_json);
    let body = body.ok_or_else(|| {
        no_call(
            Refusal::new(400, 50109, "The request body contains invalid JSON."),
            what,
        )
    })?;
    Ok((body, Vec::new()))
}

/// <https://docs.discord.com/developers/reference#uploading-files>
async fn read_form(mut form: Multipart) -> Result<(Value, Vec<Part>), String> {
    let (mut body, mut files) = (Value::Null, Vec::new());
    while let Some(field) = form.next_field().await.map_err(|e| e.to_string())? {
        let name = field.name().unwrap_or_default().to_owned();
        let file = field.file_name().map(str::to_owned);
        let mimetype = field
            .content_type()
            .unwrap_or("application/octet-stream")
            .to_owned();
        let content = field.bytes().await.map_err(|e| e.to_string())?.to_vec();
        let index = name
            .strip_prefix("files[")
            .and_then(|rest| rest.strip_suffix(']'));
        match (name.as_str(), index, file) {
            ("payload_json", ..) => body = serde_json::from_slice(&content).map_err(|e| e.to_string())?,
            (_, Some(index), Some(name)) => files.push(Part {
                index: index.to_owned(),
                name,
                mimetype,
                content,
            }),
            _ => return Err(format!("a part named {name:?}")),
        }
    }
    Ok((body, files))
}
