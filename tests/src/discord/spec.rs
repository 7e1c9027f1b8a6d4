//! Discord's own OpenAPI document: which operations there are, and what may be sent to them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{LazyLock, OnceLock},
};

use axum::http::Method;
use jsonschema::Validator;
use serde_json::{Value, json};

static SPEC: LazyLock<Spec> = LazyLock::new(Spec::read);

/// One operation.
#[derive(Debug)]
pub(crate) struct Operation {
    /// Its `operationId`.
    pub(crate) name: String,
    method: Method,
    /// The parts of its path; parameters are in braces.
    path: Vec<String>,
    request: Option<Value>,
    /// The answers, by status.
    responses: BTreeMap<u16, Value>,
    query: BTreeSet<String>,
    validator: OnceLock<Validator>,
}

#[derive(Debug)]
struct Spec {
    operations: Vec<Operation>,
    components: Value,
}

impl Spec {
    fn read() -> Self {
        let text = include_str!("../../fixtures/discord/http-api.json");
        let mut document: Value = serde_json::from_str(text).expect("the document is JSON");
        let mut components = document["components"].take();
        // "The API will accept both": https://docs.discord.com/developers/reference#id-serialization
        components["schemas"]["SnowflakeType"] = json!({"type": ["string", "integer"]});
        let paths = document["paths"].as_object().cloned().unwrap_or_default();
        let mut operations = Vec::new();
        for (path, methods) in paths {
            for (method, operation) in methods.as_object().cloned().unwrap_or_default() {
                operations.push(Operation::read(&path, &method, &operation));
            }
        }
        Self {
            operations,
            components,
        }
    }
}

impl Operation {
    fn read(path: &str, method: &str, operation: &Value) -> Self {
        let names = |value: &Value| {
            value
                .as_object()
                .into_iter()
                .flatten()
                .map(|(k, _)| k.clone())
                .collect()
        };
        let responses = operation["responses"].as_object().into_iter().flatten();
        Self {
            name: operation["operationId"].as_str().expect("a name").to_owned(),
            method: method.to_uppercase().parse().expect("a method"),
            path: path.split('/').skip(1).map(str::to_owned).collect(),
            request: operation.get("request").cloned(),
            responses: responses
                .filter_map(|(status, schema)| Some((status.parse().ok()?, schema.clone())))
                .collect(),
            query: names(&operation["query"]),
            validator: OnceLock::new(),
        }
    }

    /// The parameters of a path that is this operation's.
    fn matches(&self, method: &Method, parts: &[String]) -> Option<BTreeMap<String, String>> {
        if *method != self.method || parts.len() != self.path.len() {
            return None;
        }
        let mut params = BTreeMap::new();
        for (pattern, part) in self.path.iter().zip(parts) {
            match pattern.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
                Some(name) => _ = params.insert(name.to_owned(), part.clone()),
                None if pattern == part => {}
                None => return None,
            }
        }
        Some(params)
    }

    /// Whether it takes a body.
    pub(crate) fn has_body(&self) -> bool {
        self.request.is_some()
    }

    /// Names in the query that the operation does not have.
    pub(crate) fn unknown_query(&self, query: &[(String, String)]) -> Vec<String> {
        let unknown = query.iter().filter(|(name, _)| !self.query.contains(name));
        unknown.map(|(name, _)| name.clone()).collect()
    }

    /// What in `body` breaks the operation's schema: Discord's answer would be an error.
    pub(crate) fn errors(&self, body: &Value) -> Vec<String> {
        let Some(request) = &self.request else {
            return Vec::new();
        };
        let validator = self.validator.get_or_init(|| validator(request));
        let told = |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
        validator.iter_errors(body).map(told).collect()
    }

    /// Keys of `body` that no variant of the operation's schema has: Discord ignores them, and they do nothing.
    pub(crate) fn unknown_keys(&self, body: &Value) -> Vec<String> {
        let (Some(request), Value::Object(body)) = (&self.request, body) else {
            return Vec::new();
        };
        let mut known = BTreeSet::new();
        properties(request, &mut known);
        body.keys().filter(|key| !known.contains(*key)).cloned().collect()
    }

    /// What in an answer of ours breaks Discord's schema.
    #[cfg(test)]
    pub(crate) fn answer_errors(&self, status: u16, body: &Value) -> Vec<String> {
        let Some(schema) = self.responses.get(&status) else {
            return vec![format!("{} does not answer {status}", self.name)];
        };
        if schema.is_null() {
            return Vec::new();
        }
        let validator = validator(schema);
        let told = |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
        validator.iter_errors(body).map(told).collect()
    }

    /// The status of an answer that went well.
    pub(crate) fn success(&self) -> u16 {
        // Two are listed where an empty answer is the usual one.
        self.responses.keys().next_back().copied().unwrap_or(200)
    }
}

/// The names of the properties of a schema and its variants.
fn properties(schema: &Value, into: &mut BTreeSet<String>) {
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        properties(&SPEC.components["schemas"][name], into);
    }
    for variants in ["anyOf", "oneOf", "allOf"] {
        let variants = schema[variants].as_array().into_iter().flatten();
        variants.for_each(|variant| properties(variant, into));
    }
    into.extend(
        schema["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(k, _)| k.clone()),
    );
}

fn validator(schema: &Value) -> Validator {
    let document = json!({"allOf": [schema], "components": SPEC.components});
    jsonschema::validator_for(&document).expect("Discord's document is a schema")
}

/// The operation of a call, and the parameters in its path.
pub(crate) fn find(method: &Method, path: &str) -> Option<(&'static Operation, BTreeMap<String, String>)> {
    let parts: Vec<String> = path.split('/').skip(1).map(decoded).collect();
    let found = |op: &'static Operation| Some((op, op.matches(method, &parts)?));
    // A literal part wins over a parameter (`@original`, `@me`).
    let all = SPEC.operations.iter().filter_map(found);
    all.min_by_key(|(_, params)| params.len())
}

/// A part of a path, with its escapes read.
fn decoded(part: &str) -> String {
    let bytes = part.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = part.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match escape.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
