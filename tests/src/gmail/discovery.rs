//! Google's own document: which methods there are, and what they take and give.

use serde_json::{Map, Value};

/// The methods that are served.
#[derive(Debug)]
pub(super) struct Discovery(Value);

/// A request's method, and what its path names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Without `gmail.users.`.
    pub(super) method: String,
    pub(super) id: Option<String>,
    pub(super) is_upload: bool,
}

// === impl Discovery ===

impl Discovery {
    pub(super) fn load() -> Self {
        let text = include_str!("../../fixtures/gmail/discovery.json");
        Self(serde_json::from_str(text).expect("the document is JSON"))
    }

    /// The method that a request is for.
    pub(super) fn find(&self, http: &str, path: &str) -> Option<Found> {
        let methods = self.0["methods"].as_object()?;
        methods.iter().find_map(|(name, method)| {
            if method["httpMethod"] != http {
                return None;
            }
            let id = |template: &str| fits(template.trim_start_matches('/'), path.trim_start_matches('/'));
            let upload = method["upload"].as_str().and_then(id);
            let plain = method["path"].as_str().and_then(id);
            let (is_upload, id) = match (upload, plain) {
                (Some(id), _) => (true, id),
                (None, Some(id)) => (false, id),
                (None, None) => return None,
            };
            let method = name.strip_prefix("gmail.users.").unwrap_or(name).to_owned();
            Some(Found {
                method,
                id,
                is_upload,
            })
        })
    }

    /// What of a request the document does not know.
    pub(super) fn faults_of(
        &self,
        found: &Found,
        query: &[(String, String)],
        body: Option<&Value>,
    ) -> Vec<String> {
        let method = &self.0["methods"][format!("gmail.users.{}", found.method)];
        let common = self.0["parameters"].as_array().into_iter().flatten();
        let common: Vec<&str> = common.filter_map(Value::as_str).collect();
        let mut faults = Vec::new();
        for (name, value) in query {
            let known = &method["parameters"][name];
            if known.is_null() && !common.contains(&&**name) {
                faults.push(format!("{} knows no parameter {name}", found.method));
            }
            let allowed = known["enum"].as_array();
            // The library writes them in small letters, and Google does not mind.
            let is_one = |one: &Value| one.as_str().is_some_and(|one| one.eq_ignore_ascii_case(value));
            if allowed.is_some_and(|allowed| !allowed.iter().any(is_one)) {
                faults.push(format!("{name} of {} is never {value}", found.method));
            }
        }
        for (name, parameter) in method["parameters"].as_object().into_iter().flatten() {
            let is_missing = parameter["required"] == true
                && parameter["location"] == "query"
                && !query.iter().any(|(given, _)| given == name);
            if is_missing {
                faults.push(format!("{} needs {name}", found.method));
            }
        }
        if let (Some(schema), Some(body)) = (method["request"].as_str(), body) {
            self.check(schema, schema, body, &mut faults);
        }
        faults
    }

    /// What of an answer the document does not know.
    pub(super) fn faults_of_answer(&self, method: &str, answer: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        let method = &self.0["methods"][format!("gmail.users.{method}")];
        if let Some(schema) = method["response"].as_str() {
            self.check(schema, schema, answer, &mut faults);
        }
        faults
    }

    fn check(&self, at: &str, schema: &str, value: &Value, faults: &mut Vec<String>) {
        let none = Map::new();
        let properties = self.0["schemas"][schema]["properties"]
            .as_object()
            .unwrap_or(&none);
        for (name, value) in value.as_object().into_iter().flatten() {
            let at = format!("{at}.{name}");
            match properties.get(name) {
                Some(property) => self.check_one(&at, property, value, faults),
                None => faults.push(format!("{at} is unknown")),
            }
        }
    }

    fn check_one(&self, at: &str, property: &Value, value: &Value, faults: &mut Vec<String>) {
        if let Some(schema) = property["$ref"].as_str() {
            return self.check(at, schema, value, faults);
        }
        let fits = match property["type"].as_str().unwrap_or_default() {
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "boolean" => value.is_boolean(),
            "array" => {
                for value in value.as_array().into_iter().flatten() {
                    self.check_one(&format!("{at}[]"), &property["items"], value, faults);
                }
                value.is_array()
            }
            _ => true,
        };
        if !fits && !value.is_null() {
            faults.push(format!("{at} is of another type"));
        }
    }
}

/// Whether a path is the template's, and the `{id}` in it.
fn fits(template: &str, path: &str) -> Option<Option<String>> {
    let (wanted, given): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    if wanted.len() != given.len() {
        return None;
    }
    let mut id = None;
    for (wanted, given) in wanted.iter().zip(given) {
        match *wanted {
            "{userId}" if given == "me" => {}
            "{id}" => id = Some(given.to_owned()),
            wanted if wanted == given => {}
            _ => return None,
        }
    }
    Some(id)
}
